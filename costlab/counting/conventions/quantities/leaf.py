"""What a tool counts of modules that hold no others, by their parameters and what comes out of them."""

from math import prod

from costlab.counting.conventions.operation import ChargedOperation
from costlab.counting.conventions.quantities.registry import quantity


@quantity
def held(operation: ChargedOperation) -> int:
    """Elements of the parameters of a module without others in it, once for each call of it.

    Those named weight and bias count once for each input that comes out, and at every position where the
    module's class has "Conv" in its name; others with such a name in theirs, once for each place along the
    first two axes.
    """
    call = operation.call
    if call is None:
        return _of_work(operation)
    if not call.first or not call.within.output or not call.module.places:
        return 0
    out = call.within.output
    positions = prod(out[:1] + out[2:]) if "Conv" in call.module.name else out[0]
    return sum(
        elements * (positions if name in ("weight", "bias") else prod(out[:2]))
        for name, elements in call.module.held.items()
        if "weight" in name or "bias" in name
    )


def _of_work(operation: ChargedOperation) -> int:
    """The same of an operation of which only its work is known."""
    kind, work = operation.kind, operation.work
    if "norm" in kind or kind in ("bilinear", "prelu"):
        return int(work.parameters)
    return 0 if kind == "embedding" or kind.endswith("_cell") else int(work.multiply_adds + work.bias_adds)

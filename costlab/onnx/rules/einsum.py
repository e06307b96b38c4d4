"""Sums of products by an equation."""

from math import prod

from costlab.algebra.work import Work
from costlab.onnx.call import NodeCall
from costlab.onnx.rules.registry import operators


@operators("Einsum", learned=tuple(range(16)))
def einsum(call: NodeCall) -> Work:
    """The products of two, from the left, that the equation is computed by."""
    shapes = [call.input(place).shape for place in range(len(call.inputs))]
    outputs = call.output.elements
    return Work(
        "einsum",
        multiply_adds=contracted(call.text("equation", ""), shapes),
        inputs=call.elements_in,
        outputs=outputs,
        activations=outputs,
    )


def contracted(equation: str, shapes: list[tuple[int, ...]]) -> int:
    """Multiply-adds of an equation, its operands taken from the left, two by two.

    What two operands share and nothing after them needs is summed up, by a product of matrices; where they
    share no such axis, they are multiplied element by element. An axis of size 1 counts as none.
    """
    terms, _, result = equation.replace(" ", "").partition("->")
    sizes: dict[str, int] = {}
    operands = [_labelled(term, shape, sizes) for term, shape in zip(terms.split(","), shapes, strict=True)]
    written = "".join(label for label in terms if label not in ",.")
    kept = set(result)
    if "->" not in equation:
        kept = {".", *(label for label in written if written.count(label) == 1)}
    if "." in kept:
        kept |= {label for label in sizes if label.isdigit()}
    products, left = 0, operands[0]
    for place, right in enumerate(operands[1:], 2):
        later = kept.union(*operands[place:])
        summed = (left & right) - later
        both = (left | right) & (later | summed)  # what one alone has is summed up before
        if summed:
            products += prod(sizes[label] for label in both)
        left = both - summed
    return products


def _labelled(term: str, shape: tuple[int, ...], sizes: dict[str, int]) -> set[str]:
    """The labels of an operand's axes, those of an ellipsis numbered from the last; notes their sizes."""
    before, dots, after = term.partition("...")
    hidden = len(shape) - len(before) - len(after) if dots else 0
    labels = [*before, *(str(place) for place in range(hidden, 0, -1)), *after]
    found = {label: size for label, size in zip(labels, shape, strict=True) if size != 1}
    sizes |= found
    return set(found)

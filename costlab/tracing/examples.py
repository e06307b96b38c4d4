"""What comes out of operators that torch cannot run on its meta device: of examples, or by a formula."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._pytree import tree_map_only

from costlab.tracing.arguments import lowered, tensors_in, written_in
from costlab.tracing.operator_facts import OperatorFacts
from costlab.tracing.stand_in import HOME, LARGE, StandIn, example_of, stand_in


def run_on_examples(
    func: OpOverload, facts: OperatorFacts, args: Any, kwargs: Any, value: Callable[[StandIn], Tensor]
) -> Any:
    """The sizes that come out, on torch's meta device; what is written into has them from now on.

    Tensors that are known, such as lengths, are their own examples, by copies of what ``value`` gives.
    NotImplemented of operators that are not torch's, and where that would take too much memory.
    """
    given = list(tensors_in((args, kwargs)))
    plain = func.namespace == "aten" and "quantized" not in facts.name
    if not plain or sum(each.numel() for each in given) > LARGE:
        return NotImplemented
    examples = {id(each): value(each).clone() if each.known else example_of(each) for each in given}
    output = func(
        *lowered(args, lambda each: examples[id(each)]),
        **lowered(kwargs, lambda each: examples[id(each)], HOME),
    )
    written: dict[int, Tensor] = {}
    for each in tensors_in(written_in(facts, args, kwargs)):
        each.meta = written[id(examples[id(each)])] = examples[id(each)].to("meta")
    return tree_map_only(Tensor, lambda each: written.get(id(each), each.to("meta")), output)


def least_squares(
    matrix: StandIn, right: StandIn, rcond: Any = None, *, driver: str | None = None
) -> tuple[StandIn, ...]:
    """What `torch.linalg.lstsq` gives where the matrix has full rank, as it is taken to have.

    The solution, its residuals, the rank and the singular values; some drivers leave some of them empty.
    """
    driver = driver or ("gelsy" if matrix.device.type == "cpu" else "gels")
    rows, columns = matrix.shape[-2:]
    vector = right.dim() == 1 or right.shape == matrix.shape[:-1]
    count = 1 if vector else right.shape[-1]
    batch = torch.broadcast_shapes(  # type: ignore[no-untyped-call]  # torch leaves it without types
        matrix.shape[:-2], right.shape[: -1 if vector else -2]
    )
    height = max(rows, columns)
    strides = torch.empty((*batch, count, height), device="meta").mT.stride()
    shown = slice(None, -1 if vector else None)
    kind, real = matrix.dtype, matrix.dtype.to_real()
    none = (0,)

    def made(sizes: Any, kind: torch.dtype, strides: Any = None) -> StandIn:
        return stand_in(sizes, kind, matrix.device, strides)

    return (
        made((*batch, columns, count)[shown], kind, strides[shown]),
        made((*batch, count) if rows > columns and driver != "gelsy" else none, real),
        made(matrix.shape[:-2] if driver != "gels" else none, torch.int64),
        made((*matrix.shape[:-2], min(rows, columns)) if driver in ("gelsd", "gelss") else none, real),
    )


def alignments(data: StandIn, targets: StandIn, *_: Any, **__: Any) -> tuple[StandIn, StandIn]:
    """``(T, N, classes), (N, S) -> (N), (N, T, 2 S + 1)``: a loss, and what its gradient is made from."""
    steps, samples, _classes = data.shape
    longest = 2 * targets.shape[-1] + 1  # or less, by lengths that nothing else depends on
    return (
        stand_in((samples,), data.dtype, data.device),
        stand_in((samples, steps, longest), data.dtype, data.device),
    )


def of_alignments(gradient: StandIn, data: StandIn, *_: Any, **__: Any) -> StandIn:
    """Its gradient: as the data."""
    return stand_in(data.size(), data.dtype, data.device)


def of_int4_weights(rows: StandIn, packed: StandIn, *_: Any) -> StandIn:
    """``(n, k) -> (n, m)`` by a weight of 4 bits in tiles for CUDA, of eight features each."""
    return stand_in((rows.shape[0], 8 * packed.shape[0]), rows.dtype, rows.device)


FORMULAS: dict[str, Callable[..., Any]] = {
    "_ctc_loss": alignments,
    "_ctc_loss_backward": of_alignments,
    "_weight_int4pack_mm": of_int4_weights,
    "linalg_lstsq": least_squares,
}
"""By the name of an operator: what comes out of it, for what torch itself reads values."""

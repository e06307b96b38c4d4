"""Linear layers and products of matrices."""

from collections.abc import Callable
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from costlab.algebra.work import Work
from costlab.tracing.rules.registry import CALLS, INSTEAD, Seen, calls, operators, shapes
from costlab.tracing.sparse import is_sparse, stored
from costlab.tracing.stand_in import stand_in

PRODUCT_FUNCTIONS = (
    "matmul",
    "mm",
    "bmm",
    "addmm",
    "baddbmm",
    "addbmm",
    "mv",
    "addmv",
    "dot",
    "inner",
    "tensordot",
    "chain_matmul",
)
"""Products that consist of simpler ones, which run inside."""


@calls(F.linear)
def linear(seen: Seen, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Work:
    """``(*, features) -> (*, features')``: one multiply-add per weight per row."""
    outputs = seen.output.numel()
    dense = weight.numel() * (input.numel() // max(weight.shape[-1], 1))
    return Work(
        "linear",
        multiply_adds=seen.products if is_sparse(weight) or is_sparse(input) else dense,
        bias_adds=0 if bias is None else outputs,
        weights=stored(weight),
        inputs=stored(input),
        outputs=outputs,
        activations=outputs,
    )


@shapes(F.linear)
def linear_shape(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:
    """The output of a linear layer that torch would accept."""
    if (
        weight.dim() != 2
        or is_sparse(weight)
        or input.dim() < 1
        or input.shape[-1] != weight.shape[1]
        or (bias is not None and tuple(bias.shape) != tuple(weight.shape[:1]))
    ):
        return NotImplemented
    if input.dtype != weight.dtype:  # without values torch says nothing
        raise RuntimeError(f"the input is {input.dtype}, and the weight {weight.dtype}")
    return stand_in((*input.shape[:-1], weight.shape[0]), input.dtype, input.device)


@calls(F.bilinear)
def bilinear(seen: Seen, input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Work:
    """``(*, n), (*, m) -> (*, features)``: ``features * m * (n + 1)`` multiply-adds a row.

    ``x1 W`` is computed first, then its product with ``x2``.
    """
    rows = input1.numel() // max(input1.shape[-1], 1)
    features, _, second = weight.shape
    return Work(
        "bilinear",
        multiply_adds=rows * (weight.numel() + features * second),
        bias_adds=0 if bias is None else rows * features,
        weights=weight.numel(),
        inputs=input1.numel() + input2.numel(),
        outputs=seen.output.numel(),
        activations=seen.output.numel(),
    )


def _product(kind: str) -> Callable[..., Work]:
    def product(seen: Seen, *args: Any, **kwargs: Any) -> Work:
        tensors = [each for each in (*args, *kwargs.values()) if isinstance(each, Tensor)]
        outputs = seen.output.numel()
        adds = kind.startswith("add") or kind == "baddbmm"
        vector = kind == "matmul" and tensors[-1].dim() == 1
        return Work(
            "matvec" if vector else kind,
            multiply_adds=seen.products,
            bias_adds=outputs if adds else 0,
            inputs=sum(map(stored, tensors)),
            outputs=outputs,
            activations=outputs,
        )

    return product


for name in PRODUCT_FUNCTIONS:
    for home in (torch, Tensor):
        if function := getattr(home, name, None):
            CALLS[function] = _product(name)
CALLS[Tensor.__matmul__] = CALLS[torch.linalg.matmul] = CALLS[Tensor.matmul]
CALLS[torch.linalg.multi_dot] = _product("multi_dot")
CALLS[torch.vdot] = CALLS[Tensor.vdot] = _product("dot")


def multiplied_into(*args: Any, out: Tensor | None = None, **kwargs: Any) -> Tensor:
    """A product that may be written into a tensor; torch's own looks for views that share memory then."""
    made = torch.matmul(*args, **kwargs)
    return made if out is None else out.resize_(made.shape).copy_(made)


INSTEAD[torch.matmul] = INSTEAD[torch.linalg.matmul] = multiplied_into


@calls(torch.linalg.vecdot)
def vecdot(seen: Seen, x: Tensor, y: Tensor, *, dim: int = -1, **_: Any) -> Work:
    """``(*, n), (*, n) -> (*)``: one multiply-add for each pair of elements, where both are broadcast."""
    outputs = seen.output.numel()
    return Work(
        "vecdot",
        multiply_adds=outputs * max(x.shape[dim] if x.dim() > -dim - 1 or dim >= 0 else 1, y.shape[dim]),
        inputs=x.numel() + y.numel(),
        outputs=outputs,
        activations=outputs,
    )


@calls(torch.addr, Tensor.addr, Tensor.addr_)
@operators("addr")
def outer_added(seen: Seen, input: Tensor, vec1: Tensor, vec2: Tensor, **_: Any) -> Work:
    """``(n, m), (n), (m) -> (n, m)``: one multiply-add for each pair of elements.

    An outer product alone adds nothing: it is a multiplication element by element.
    """
    outputs = seen.output.numel()
    return Work(
        "addr",
        multiply_adds=vec1.numel() * vec2.numel(),
        inputs=input.numel() + vec1.numel() + vec2.numel(),
        outputs=outputs,
        activations=outputs,
    )


@calls(torch.einsum)
def einsum(seen: Seen, equation: str, *operands: Any) -> Work:
    """The matrix products that the equation is computed by."""
    tensors = (
        list(operands[0]) if len(operands) == 1 and isinstance(operands[0], tuple | list) else list(operands)
    )
    return Work(
        "einsum",
        multiply_adds=seen.products,
        inputs=sum(each.numel() for each in tensors),
        outputs=seen.output.numel(),
        activations=seen.output.numel(),
    )


@calls(torch._grouped_mm)
@operators("_grouped_mm", "_scaled_grouped_mm", "_scaled_grouped_mm_v2")
def grouped(seen: Seen, a: Tensor, b: Tensor, *_: Any, **__: Any) -> Work:
    """A grouped product of matrices: each row is multiplied by the matrix of its group."""
    groups = a.shape[0] if a.dim() > b.dim() else 1
    outputs = seen.output.numel()
    return Work(
        "grouped_mm",
        multiply_adds=a.numel() * b.shape[-1] // max(groups, 1),
        inputs=a.numel() + b.numel(),
        outputs=outputs,
        activations=outputs,
    )


@shapes(torch._grouped_mm)
def grouped_shape(
    a: Tensor, b: Tensor, offs: Tensor | None = None, bias: Tensor | None = None, out_dtype: Any = None
) -> Any:
    """The output of rows times one of several matrices each; torch's own rule takes one type only."""
    if a.dim() != 2 or b.dim() != 3 or a.shape[1] != b.shape[1]:
        return NotImplemented
    return stand_in((a.shape[0], b.shape[2]), out_dtype or a.dtype, a.device)


def one_group(a: Tensor, b: Tensor, *args: Any, **kwargs: Any) -> Any:
    """A grouped product with all rows in the first group, which costs the same, also backward."""
    whole = a.dim() == 2 and b.dim() == 3
    return a @ b[0] if whole else torch._grouped_mm(a, b, *args, **kwargs)


INSTEAD[torch._grouped_mm] = one_group


@operators(
    "_linear_cross_entropy_batch_chunked",
    "_linear_cross_entropy_batch_chunked_no_reduction",
)
def chunked_cross_entropy(seen: Seen, input: Tensor, weight: Tensor, *rest: Any) -> Work:
    """``(N, features), (classes, features) -> ()``: a linear layer and its loss, some rows at a time.

    The one that reduces its loss computes the gradients on its way, those that its last arguments ask for.
    """
    gradients = sum(rest[-3:-1]) if seen.operator.endswith("chunked") else 0
    logits = input.shape[0] * weight.shape[0]
    bias = isinstance(rest[1], Tensor)
    return Work(
        "linear_cross_entropy",
        multiply_adds=logits * input.shape[1] * (1 + gradients),
        bias_adds=logits if bias else 0,
        weights=weight.numel(),
        inputs=input.numel(),
        outputs=seen.first.numel(),
        activations=logits,
    )


@operators("_trilinear")
def trilinear(
    seen: Seen,
    first: Tensor,
    second: Tensor,
    third: Tensor,
    lacks1: list[int],
    lacks2: list[int],
    lacks3: list[int],
    summed: list[int],
    *_: Any,
) -> Work:
    """A product of three tensors, as in a bilinear layer and its gradients: of two, then with the third.

    Each tensor lacks some of the axes. What sums nothing up multiplies, and adds nothing.
    """
    rank = first.dim() + len(lacks1)
    sizes: dict[int, int] = {}
    for each, lacks in ((first, lacks1), (second, lacks2), (third, lacks3)):
        sizes.update(zip((axis for axis in range(rank) if axis not in lacks), each.shape, strict=True))
    early = {axis for axis in summed if axis in lacks3}
    both = prod(size for axis, size in sizes.items() if axis not in lacks1 or axis not in lacks2)
    whole = prod(size for axis, size in sizes.items() if axis not in early)
    return Work(
        "matmul",
        multiply_adds=(both if early else 0) + (whole if set(summed) - early else 0),
        inputs=first.numel() + second.numel() + third.numel(),
        outputs=seen.output.numel(),
        activations=seen.output.numel(),
    )

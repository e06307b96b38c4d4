"""Linear layers and products of matrices."""

from collections.abc import Callable
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from costlab.algebra.work import Work
from costlab.tracing.rules.registry import CALLS, INSTEAD, Seen, calls, operators, shapes

PRODUCTS = (
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
    rows = input.numel() // max(weight.shape[-1], 1)
    bias_adds = 0 if bias is None else outputs
    whole = weight.numel() * rows
    seen_once = (weight.numel() + (0 if bias is None else bias.numel())) * (
        input.shape[0] if input.dim() > 1 else 1
    )
    fused = input.dim() == 2 or input.is_contiguous()
    return Work(
        "linear",
        multiply_adds=whole,
        bias_adds=bias_adds,
        weights=weight.numel(),
        inputs=input.numel(),
        outputs=outputs,
        activations=outputs,
        form=seen.form,
        also={
            "samples": seen.samples,
            "fused_bias": bias_adds if fused else 0,
            "lost_rows": whole + bias_adds - seen_once,
            "own_weights": seen.own(weight, bias),
        },
    )


@shapes(F.linear)
def linear_shape(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:
    """The output of a linear layer that torch would accept."""
    if (
        weight.dim() != 2
        or input.dim() < 1
        or input.shape[-1] != weight.shape[1]
        or input.dtype != weight.dtype
        or (bias is not None and tuple(bias.shape) != tuple(weight.shape[:1]))
    ):
        return NotImplemented
    return torch.empty((*input.shape[:-1], weight.shape[0]), dtype=input.dtype, device="meta")


@calls(F.bilinear)
def bilinear(seen: Seen, input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Work:
    """``(*, n), (*, m) -> (*, features)``: ``features * m * (n + 1)`` multiply-adds a row.

    ``x1 W`` is reckoned first, then its product with ``x2``.
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
        form=seen.form,
        also={
            "samples": seen.samples,
            "sample_parameters": input1.shape[0]
            * sum(each.numel() for each in (weight, bias) if each is not None),
        },
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
            inputs=sum(each.numel() for each in tensors),
            outputs=outputs,
            activations=outputs,
            form=seen.form,
            also={
                "samples": seen.samples,
                "added": tensors[0].numel() if adds else 0,
                "own_weights": seen.own(*tensors),
                "crossed": tensors[0].numel() * tensors[-1].shape[-1] if vector else 0,
            },
        )

    return product


for name in PRODUCTS:
    for home in (torch, Tensor):
        if function := getattr(home, name, None):
            CALLS[function] = _product(name)
CALLS[Tensor.__matmul__] = CALLS[Tensor.matmul]
CALLS[torch.linalg.multi_dot] = _product("multi_dot")
CALLS[torch.vdot] = CALLS[Tensor.vdot] = _product("dot")


@calls(torch.einsum)
def einsum(seen: Seen, equation: str, *operands: Any) -> Work:
    """The products that the equation comes down to; besides, what two tools read off NumPy's text."""
    tensors = (
        list(operands[0]) if len(operands) == 1 and isinstance(operands[0], tuple | list) else list(operands)
    )
    flops = _numpy_flops(equation, [tuple(each.shape) for each in tensors])
    return Work(
        "einsum",
        multiply_adds=seen.products,
        inputs=sum(each.numel() for each in tensors),
        outputs=seen.output.numel(),
        activations=seen.output.numel(),
        form=seen.form,
        also={
            "samples": seen.samples,
            "numpy_flops": flops - 2 * seen.products if flops else 0,
            "numpy_half": flops // 2 - seen.products if flops else 0,
        },
    )


def _numpy_flops(equation: str, shapes: list[tuple[int, ...]]) -> int:
    """The optimized count of operations that NumPy prints, rounded to four digits; 0 where it cannot say."""
    import numpy as np

    try:  # the arrays are views of one number
        told = np.einsum_path(
            equation, *(np.broadcast_to(0.0, shape) for shape in shapes), optimize="optimal"
        )[1]
    except (ValueError, TypeError):
        return 0
    line = next((each for each in str(told).splitlines() if "optimized flop" in each.lower()), ":0")
    return int(float(line.split(":")[-1]))


@operators("mm", "bmm", "addmm", "baddbmm", "mv", "addmv", "dot", "vdot", "addbmm", "linear")
def product_operator(seen: Seen, *args: Any, **kwargs: Any) -> Work:
    """A product that was asked for as an operator of aten."""
    tensors = [each for each in args if isinstance(each, Tensor)]
    return Work(
        "matmul",
        multiply_adds=products_of(*tensors[-2:]),
        inputs=sum(each.numel() for each in tensors),
        outputs=seen.output.numel(),
        form=seen.form,
        also={"samples": seen.samples},
    )


@calls(torch._grouped_mm)
@operators("_grouped_mm")
def grouped(seen: Seen, a: Tensor, b: Tensor, *_: Any, **__: Any) -> Work:
    """Products of matrices side by side in one or both tensors: each row meets the matrix of its group."""
    groups = a.shape[0] if a.dim() > b.dim() else 1
    return Work(
        "grouped_mm",
        multiply_adds=a.numel() * b.shape[-1] // max(groups, 1),
        inputs=a.numel() + b.numel(),
        outputs=seen.output.numel(),
        form=seen.form,
        also={"samples": seen.samples},
    )


@shapes(torch._grouped_mm)
def grouped_shape(
    a: Tensor, b: Tensor, offs: Tensor | None = None, bias: Tensor | None = None, out_dtype: Any = None
) -> Any:
    """What comes out of rows that each meet one of several matrices; torch tells it of one type only."""
    if a.dim() != 2 or b.dim() != 3 or a.shape[1] != b.shape[1]:
        return NotImplemented
    return torch.empty((a.shape[0], b.shape[2]), dtype=out_dtype or a.dtype, device="meta")


def one_group(a: Tensor, b: Tensor, *args: Any, **kwargs: Any) -> Any:
    """Rows that each meet one of several matrices: all meet the first, which costs the same, back too."""
    whole = a.dim() == 2 and b.dim() == 3
    return a @ b[0] if whole else torch._grouped_mm(a, b, *args, **kwargs)


INSTEAD[torch._grouped_mm] = one_group


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
    """A product of three, which a bilinear layer and its gradients are: of two, then that with the third.

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
        form=seen.form,
        also={"samples": seen.samples},
    )


def products_of(a: Tensor, b: Tensor) -> int:
    """Multiply-adds of a product of two vectors, matrices or batches of matrices."""
    return a.numel() * (b.shape[-1] if b.dim() > 1 else 1)

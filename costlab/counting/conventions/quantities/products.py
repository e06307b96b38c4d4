"""What only some tools count of linear layers and products of matrices."""

import re
from math import prod
from typing import Any

from costlab.algebra.traced import TensorSpec
from costlab.counting.conventions.operation import MULTI_HEAD, ChargedOperation
from costlab.counting.conventions.quantities import recurrent
from costlab.counting.conventions.quantities.registry import quantity

EXACT = re.compile(r"(.)(.)(.),(\1\2(?!\1|\2|\3)(.)->\1\3\5|\1(?!\1|\2|\3)(.)\3->\1\6\2)")
"""Equations of batches of matrices: ``abc,abd->acd`` and ``abc,adc->adb``, whatever their letters."""


@quantity
def fused_bias(operation: ChargedOperation) -> int:
    """Additions of a bias that are part of one matrix product."""
    added = int(operation.work.bias_adds)
    if operation.call is None or not added:
        return added
    if operation.kind != "linear":
        return recurrent.fused_bias(operation)
    if operation.call.function == MULTI_HEAD:
        if operation.part > 0:
            return added
        width: int = operation.argument("embed_dim")
        inputs = (operation.tensor(name) for name in ("query", "key", "value"))
        return sum(_rows(each) * width for each in inputs if each is not None and each.is_contiguous)
    first = operation.tensors[0]
    return added if len(first.sizes) == 2 or first.is_contiguous else 0


def _rows(tensor: TensorSpec) -> int:
    return prod(tensor.sizes[:-1])


@quantity
def by_vector(operation: ChargedOperation) -> int:
    """Multiply-adds of a linear layer whose weight is a vector."""
    weight = None if operation.is_definition else operation.tensor("weight")
    return int(operation.work.multiply_adds) if weight is not None and len(weight.sizes) == 1 else 0


@quantity
def repeated_vector(operation: ChargedOperation) -> int:
    """What is counted beyond these where each element of that vector is taken for a row of a matrix."""
    products = by_vector(operation)
    return products * (operation.elements("weight") - 1) if products else 0


@quantity
def added(operation: ChargedOperation) -> int:
    """Elements of the matrix that is added to a product."""
    return operation.tensors[0].elements if int(operation.work.bias_adds) else 0


@quantity
def added_scaled(operation: ChargedOperation) -> int:
    """The same, where it is not multiplied by 0."""
    return added(operation) if operation.argument("beta", 1) else 0


@quantity
def crossed(operation: ChargedOperation) -> int:
    """Elements of the first of two factors, by the size of the last axis of the other."""
    first, last = operation.tensors[-2:]
    return first.elements * last.sizes[-1]


@quantity
def spanned(operation: ChargedOperation) -> int:
    """The sizes of all letters of an equation, multiplied; 0 where it has an ellipsis."""
    equation = operation.argument("equation")
    if not isinstance(equation, str) or "..." in equation:
        return 0
    factors = equation.partition("->")[0].split(",")
    sizes: dict[str, int] = {}
    for letters, tensor in zip(factors, operation.tensors, strict=False):
        sizes.update(zip(letters.replace(" ", ""), tensor.sizes, strict=False))
    return prod(sizes.values())


@quantity
def numpy_flops(operation: ChargedOperation) -> int:
    """What NumPy's einsum_path prints as optimized FLOP count, less two for each multiply-add."""
    flops = _printed_flops(operation.argument("equation"), operation.tensors)
    return flops - 2 * int(operation.work.multiply_adds) if flops else 0


@quantity
def numpy_half(operation: ChargedOperation) -> int:
    """Half of what NumPy's einsum_path prints, less the multiply-adds; 0 for two equations that are exact."""
    equation = operation.argument("equation")
    if isinstance(equation, str) and EXACT.fullmatch(equation.replace(" ", "")):
        return 0
    flops = _printed_flops(equation, operation.tensors)
    return flops // 2 - int(operation.work.multiply_adds) if flops else 0


def _printed_flops(equation: Any, operands: tuple[TensorSpec, ...]) -> int:
    """The optimized count of operations that NumPy prints, rounded to four digits; 0 where it cannot say."""
    import numpy as np

    arrays = (np.broadcast_to(0.0, each.sizes) for each in operands)  # views of one number
    try:
        report = np.einsum_path(equation, *arrays, optimize="optimal")[1]
    except (ValueError, TypeError):
        return 0
    line = next((each for each in str(report).splitlines() if "optimized flop" in each.lower()), ":0")
    return int(float(line.split(":")[-1]))

"""What only some tools count of linear layers and products of matrices."""

from math import prod
from typing import Any

from costlab.algebra.traced import TensorSpec
from costlab.counting.conventions.operation import MULTI_HEAD, ChargedOperation
from costlab.counting.conventions.quantities import recurrent
from costlab.counting.conventions.quantities.registry import quantity


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
def lost_rows(operation: ChargedOperation) -> int:
    """Multiply-adds and bias adds of all rows but one of each input."""
    if operation.is_definition:
        return 0
    inputs = operation.input[0] if len(operation.input) > 1 else 1
    whole = int(operation.work.multiply_adds) + int(operation.work.bias_adds)
    return whole - operation.elements("weight", "bias") * inputs


@quantity
def other_rows(operation: ChargedOperation) -> int:
    """Multiply-adds of a linear layer, but for those of one row of each input."""
    return int(operation.work.multiply_adds) - operation.samples * int(operation.work.weights)


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
def crossed(operation: ChargedOperation) -> int:
    """Elements of the first of a matrix and a vector, by the size of the last axis of the other."""
    first, *_, last = operation.tensors
    return first.elements * last.sizes[-1]


@quantity
def numpy_flops(operation: ChargedOperation) -> int:
    """What NumPy's einsum_path prints as optimized FLOP count, less two for each multiply-add."""
    flops = _printed_flops(operation.argument("equation"), operation.tensors)
    return flops - 2 * int(operation.work.multiply_adds) if flops else 0


@quantity
def numpy_half(operation: ChargedOperation) -> int:
    """Half of what NumPy's einsum_path prints, less the multiply-adds."""
    flops = _printed_flops(operation.argument("equation"), operation.tensors)
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

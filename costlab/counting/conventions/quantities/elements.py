"""What only some tools count of layers without multiply-adds."""

from math import prod

from costlab.algebra.traced import TensorSpec
from costlab.counting.conventions.operation import ChargedOperation
from costlab.counting.conventions.quantities.registry import quantity


@quantity
def aligned_left(operation: ChargedOperation) -> int:
    """Elements of a broadcast whose shapes are aligned from the left."""
    call = operation.call
    if call is None or not call.tensors or call.function.endswith("_"):  # which changes its tensor
        return 0
    first, last = call.tensors[0].sizes, call.tensors[-1].sizes
    longest = max(len(first), len(last))
    axes = zip(*((*sizes, *(1,) * (longest - len(sizes))) for sizes in (first, last)), strict=True)
    return prod(map(max, axes))


@quantity
def size_products(operation: ChargedOperation) -> int:
    """Products of sizes of tensors that the operation was given, or those on the way to it."""
    return 0 if operation.call is None else operation.call.size_products


@quantity
def truncated(operation: ChargedOperation) -> int:
    """What is lost where a mean's window is computed in floating point, from the third axis on."""
    window = prod(n / m for n, m in zip(operation.input[2:], operation.output[2:], strict=True))
    outputs = int(operation.work.outputs)
    return int((window + 1) * outputs) - int(operation.work.inputs) - outputs


@quantity
def resized(operation: ChargedOperation) -> int:
    """Elements of an interpolation's output, or its sizes multiplied where they are given."""
    return _asked_size(operation) or int(operation.work.outputs)


@quantity
def interpolated(operation: ChargedOperation) -> int:
    """Elements of an interpolation's input, or its sizes multiplied where they are given."""
    return _asked_size(operation) or int(operation.work.inputs)


def _asked_size(operation: ChargedOperation) -> int:
    size = operation.argument("size")
    if size is None or isinstance(size, int):
        return size or 0
    # Numbers may be given in tensors, too; they are the sizes of what came out.
    return operation.output[-1] if isinstance(size, TensorSpec) else prod(operation.output[2:])


@quantity
def plane(operation: ChargedOperation) -> int:
    """Elements of an interpolation's output, where it is one of height and width."""
    return int(operation.work.outputs) if len(operation.input) == 4 else 0


@quantity
def first_outputs(operation: ChargedOperation) -> int:
    """Elements of what comes out for the first input of the batch."""
    return int(operation.work.outputs) // max(operation.input[0], 1)

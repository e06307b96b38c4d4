"""What only some tools count of convolutions."""

from math import prod

from costlab.algebra.window import as_pair, per_axis, slide_each
from costlab.counting.conventions.operation import ChargedOperation
from costlab.counting.conventions.quantities.registry import quantity, quantity_once


@quantity
def named_padding(operation: ChargedOperation) -> int:
    """Multiply-adds where padding is given to torch by its name, "same" or "valid"."""
    return int(operation.work.multiply_adds) if _is_named(operation) else 0


@quantity
def unnamed(operation: ChargedOperation) -> int:
    """Outputs where padding is given in numbers."""
    return 0 if _is_named(operation) else int(operation.work.outputs)


@quantity
def edge(operation: ChargedOperation) -> int:
    """Multiply-adds of the last row and column where padding by name is uneven."""
    return _at_edge(operation, int(operation.work.multiply_adds))


@quantity
def edge_bias(operation: ChargedOperation) -> int:
    """Additions of a bias in that row and column."""
    return _at_edge(operation, int(operation.work.bias_adds))


def _at_edge(operation: ChargedOperation, everywhere: int) -> int:
    """The part of something spread over all positions that falls to those lost by halving uneven padding."""
    if not _is_named(operation) or not _is_batched(operation):
        return 0
    lost = _uneven(operation)
    sizes = operation.output[-len(lost) :]
    whole = prod(sizes)
    kept = prod(size - less for size, less in zip(sizes, lost, strict=True))
    return everywhere // whole * (whole - kept) if whole else 0


def _is_named(operation: ChargedOperation) -> bool:
    if not isinstance(operation.argument("padding", 0), str):
        return False
    # A definition writes padding that is even as numbers.
    return not operation.is_definition or any(_uneven(operation))


def _uneven(operation: ChargedOperation) -> list[int]:
    """By axis, 1 where "same" takes an odd number of zeros, which cannot be halved."""
    kernel = _kernel(operation)
    dilation = per_axis(operation.argument("dilation", 1), len(kernel))
    same = operation.argument("padding", 0) == "same"
    return [int(same and step * (size - 1) % 2 == 1) for step, size in zip(dilation, kernel, strict=True)]


def _kernel(operation: ChargedOperation) -> tuple[int, ...]:
    if operation.is_definition:
        height, width = as_pair("kernel", operation.argument("kernel"))
        return int(height), int(width)
    weight = operation.tensor("weight")
    return () if weight is None else weight.sizes[2:]


@quantity
def by_output(operation: ChargedOperation) -> int:
    """Multiply-adds by the size of the output, and as many channels as the second axis of the input has."""
    weight = operation.tensor("weight")
    given = operation.given
    if weight is None or len(given) < 2:
        return int(operation.work.multiply_adds)
    channels: int = given[1] // operation.argument("groups", 1)
    return prod(operation.output) * channels * prod(weight.sizes[2:])


@quantity
def by_output_ungrouped(operation: ChargedOperation) -> int:
    """Multiply-adds of a transposed convolution by the size of its output.

    It is taken to have one group, but where it keeps the number of channels.
    """
    weight = operation.tensor("weight")
    if weight is None:
        return 0
    filters, per_group, *kernel = weight.sizes
    keeps_channels = operation.output[-len(kernel) - 1] == filters
    return prod(operation.output) * (per_group if keeps_channels else filters) * prod(kernel)


@quantity
def floored(operation: ChargedOperation) -> int:
    """Multiply-adds of a transposed convolution whose filters are divided by its groups twice.

    The first axis of its input is taken for the batch, and the second for the channels.
    """
    weight = operation.tensor("weight")
    if weight is None or len(operation.input) < 2:
        return 0
    _, filters, *kernel = weight.sizes
    divided: int = filters // operation.argument("groups", 1)
    return prod(operation.input) * prod(kernel) * divided


@quantity
def input_bias(operation: ChargedOperation) -> int:
    """Additions of a bias, computed as if the convolution were not transposed."""
    weight = operation.tensor("weight")
    if weight is None or int(operation.work.bias_adds) == 0:
        return 0
    return weight.sizes[1] * operation.input[0] * prod(_windows(operation, weight.sizes[2:]))


@quantity
def unbatched(operation: ChargedOperation) -> int:
    """What multiply-adds are too many where the first two axes are taken for batch and channels."""
    weight = operation.tensor("weight")
    if weight is None or _is_batched(operation):
        return 0
    filters, _, *kernel = weight.sizes
    divided: int = filters // operation.argument("groups", 1)
    first, second = operation.input[:2]
    seen = first * second * divided * prod(kernel) * prod(_windows(operation, tuple(kernel)))
    return seen - int(operation.work.multiply_adds)


@quantity
def unbatched_bias(operation: ChargedOperation) -> int:
    """What additions of a bias are too many there."""
    weight = operation.tensor("weight")
    if weight is None or _is_batched(operation) or not int(operation.work.bias_adds):
        return 0
    positions = prod(_windows(operation, weight.sizes[2:]))
    return weight.sizes[0] * operation.input[0] * positions - int(operation.work.bias_adds)


def _windows(operation: ChargedOperation, kernel: tuple[int, ...]) -> tuple[int, ...]:
    """The windows along the axes from the third on, with the same padding at both ends."""
    sizes = operation.input[2:]
    rank = len(kernel)
    dilation = per_axis(operation.argument("dilation", 1), rank)
    padding = operation.argument("padding", 0)
    if isinstance(padding, str):
        halves = (step * (size - 1) // 2 for step, size in zip(dilation, kernel, strict=True))
        padding = tuple(halves) if padding == "same" else 0
    given = (kernel, per_axis(operation.argument("stride", 1), rank), per_axis(padding, rank), dilation)
    return slide_each(sizes, *(each[: len(sizes)] for each in given))


@quantity
def misread(operation: ChargedOperation) -> int:
    """What multiply-adds and additions of a bias are too many where there is no batch.

    The first axis is taken for it, the second for the channels, and those from the third on for positions.
    """
    weight = operation.tensor("weight")
    if weight is None or _is_batched(operation):
        return 0
    work, batch = operation.work, operation.given[0]
    positions = operation.given if operation.kind.startswith("conv_transpose") else operation.output
    added = batch * prod(operation.output[1:]) if int(work.bias_adds) else 0
    return batch * weight.elements * prod(positions[2:]) + added - int(work.multiply_adds + work.bias_adds)


def _is_batched(operation: ChargedOperation) -> bool:
    weight = operation.tensor("weight")
    return weight is None or len(operation.input) == len(weight.sizes)


@quantity_once
def one_input(operation: ChargedOperation) -> int:
    """Multiply-adds for one input, of one channel for each filter where there are several groups."""
    weight = operation.tensor("weight")
    channels = weight.sizes[1] if weight else operation.input[1] // operation.argument("groups", 1)
    grouped = operation.argument("groups", 1) != 1
    return int(operation.work.multiply_adds) // (operation.input[0] * (channels if grouped else 1))


@quantity
def ungrouped(operation: ChargedOperation) -> int:
    """Multiply-adds too much where a weight's gradient is not divided by the groups."""
    wanted = operation.argument("wanted", (False, False, False))
    if not wanted[1]:
        return 0
    once: int = int(operation.work.multiply_adds) // (wanted[0] + wanted[1])
    groups: int = operation.argument("groups", 1)
    return once * (groups - 1)

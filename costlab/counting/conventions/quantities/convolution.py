"""What only some tools count of convolutions."""

from math import prod

from costlab.algebra.window import as_pair, per_axis, slide_each
from costlab.counting.conventions.operation import ChargedOperation
from costlab.counting.conventions.quantities.registry import quantity


@quantity
def named_padding(operation: ChargedOperation) -> int:
    """Multiply-adds where padding is given to torch by its name, "same" or "valid"."""
    return int(operation.work.multiply_adds) if _is_named(operation) else 0


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
    if not _is_named(operation):
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
    """Multiply-adds of a transposed convolution, computed from the size of its output."""
    weight = operation.tensor("weight")
    if weight is None:
        return 0
    filters, _, *kernel = weight.sizes
    per_output: int = filters // operation.argument("groups", 1) * prod(kernel)
    return int(operation.work.outputs) * per_output


@quantity
def by_output_ungrouped(operation: ChargedOperation) -> int:
    """The same, as if it had one group; not where it keeps the number of channels."""
    weight = operation.tensor("weight")
    if weight is None:
        return 0
    keeps_channels = operation.output[-len(weight.sizes[2:]) - 1] == weight.sizes[0]
    groups: int = 1 if keeps_channels else operation.argument("groups", 1)
    return by_output(operation) * groups


@quantity
def floored(operation: ChargedOperation) -> int:
    """Multiply-adds of a transposed convolution whose filters are divided by its groups twice."""
    weight = operation.tensor("weight")
    if weight is None or not weight.elements:
        return 0
    positions = int(operation.work.multiply_adds) // weight.elements
    channels, filters, *kernel = weight.sizes
    divided: int = filters // operation.argument("groups", 1)
    return positions * prod(kernel) * channels * divided


@quantity
def input_bias(operation: ChargedOperation) -> int:
    """Additions of a bias, computed as if the convolution were not transposed."""
    weight = operation.tensor("weight")
    if weight is None or int(operation.work.bias_adds) == 0:
        return 0
    kernel = weight.sizes[2:]
    rank = len(kernel)
    sizes = operation.input
    batch = sizes[0] if len(sizes) == rank + 2 else 1
    settings = (operation.argument("stride", 1), operation.argument("padding", 0))
    positions = slide_each(sizes[-rank:], kernel, *settings, operation.argument("dilation", 1))
    return weight.sizes[1] * batch * prod(positions)


@quantity
def lost_positions(operation: ChargedOperation) -> int:
    """Multiply-adds and bias adds of all positions but one, where the class has no "Conv" in its name."""
    if operation.is_definition or "Conv" in operation.module.name:
        return 0
    work = operation.work
    transposed = operation.kind.startswith("conv_transpose")
    whole = by_output(operation) if transposed else int(work.multiply_adds)
    return whole + int(work.bias_adds) - operation.samples * operation.elements("weight", "bias")


@quantity
def other_channels(operation: ChargedOperation) -> int:
    """Multiply-adds of a grouped convolution, but for those of one channel of each filter."""
    groups = operation.argument("groups", 1)
    if groups == 1:
        return 0
    weight = operation.tensor("weight")
    channels = operation.input[1] // groups if weight is None else weight.sizes[1]
    whole = int(operation.work.multiply_adds)
    return whole - whole // channels


@quantity
def ungrouped(operation: ChargedOperation) -> int:
    """Multiply-adds too much where a weight's gradient is not divided by the groups."""
    wanted = operation.argument("wanted", (False, False, False))
    if not wanted[1]:
        return 0
    once: int = int(operation.work.multiply_adds) // (wanted[0] + wanted[1])
    groups: int = operation.argument("groups", 1)
    return once * (groups - 1)

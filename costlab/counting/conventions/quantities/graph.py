"""What tools that read graphs of ONNX count of a node: by its sizes, as far as they are known.

Each is 0 for what is no node of a graph, and where a size that it asks for is not known or not there.
"""

from collections.abc import Callable, Iterator
from math import prod

from costlab.counting.conventions.graph_node import ChargedNode
from costlab.counting.conventions.operation import ChargedOperation
from costlab.counting.conventions.quantities.registry import quantity

Sizes = tuple[int, ...]


class _UnknownError(Exception):
    """A size that was asked for is not known."""


def node_quantity(measure: Callable[[ChargedNode], int]) -> Callable[[ChargedNode], int]:
    """Let charges name a quantity of nodes: by the name of the function that finds it."""

    def measured(operation: ChargedOperation) -> int:
        try:
            return measure(operation) if isinstance(operation, ChargedNode) else 0
        except (_UnknownError, IndexError, ValueError, ZeroDivisionError):  # or fewer axes than it has
            return 0

    measured.__name__ = measure.__name__
    quantity(measured)
    return measure


def into(node: ChargedNode, place: int = 0) -> Sizes:
    """The sizes of an input, which must be known."""
    return _known(node.into(place))


def out(node: ChargedNode, place: int = 0) -> Sizes:
    """The sizes of an output, which must be known."""
    return _known(node.out(place))


def _known(sizes: Sizes | None) -> Sizes:
    if sizes is None:
        raise _UnknownError
    return sizes


def volume(sizes: Sizes) -> int:
    """Elements, but that a scalar has none."""
    return prod(sizes) if sizes else 0


def kernel(node: ChargedNode) -> Sizes:
    """The sizes of the window, by its attribute."""
    return tuple(node.attribute("kernel_shape", ()))


@node_quantity
def node_outputs(node: ChargedNode) -> int:
    """Elements of the first output; where the operator puts out no tensor, 1."""
    return prod(out(node))


@node_quantity
def node_inputs(node: ChargedNode) -> int:
    """Elements of the first input."""
    return prod(into(node))


@node_quantity
def node_volume(node: ChargedNode) -> int:
    """Elements of the first output, of a scalar none."""
    return volume(out(node))


@node_quantity
def node_volume_in(node: ChargedNode) -> int:
    """Elements of the first input, of a scalar none."""
    return volume(into(node))


@node_quantity
def node_bias_adds(node: ChargedNode) -> int:
    """Additions of a bias that is an input of a product, and not added by a node of its own."""
    place = 8 if node.kind.startswith("QLinear") else 2
    return volume(out(node)) if node.into(place) is not None else 0


@node_quantity
def node_indices(node: ChargedNode) -> int:
    """The axes of the first input, once for each of its elements: its indices, if none of them is 0."""
    return len(into(node)) * volume(into(node))


@node_quantity
def node_largest(node: ChargedNode) -> int:
    """Elements of the largest input: what a sum that broadcasts is taken to have."""
    return max(map(volume, _inputs(node)), default=0)


@node_quantity
def node_sums(node: ChargedNode) -> int:
    """Elements of the largest input, once for each input but one."""
    return node_largest(node) * (len(node.graph_call.inputs) - 1)


def _inputs(node: ChargedNode) -> Iterator[Sizes]:
    return (into(node, place) for place in range(len(node.graph_call.inputs)))


@node_quantity
def node_windows(node: ChargedNode) -> int:
    """Elements within the windows of a pooling, padding included."""
    return volume(out(node)) * prod(kernel(node))


@node_quantity
def node_windows_beyond(node: ChargedNode) -> int:
    """Those, but for the first axis of a window of more than two."""
    sizes = kernel(node)
    return volume(out(node)) * (prod(sizes) - sizes[0]) if len(sizes) > 2 else 0


@node_quantity
def node_neighbors(node: ChargedNode) -> int:
    """Elements that come out of a local response normalization, by the channels that each is divided by."""
    return volume(out(node)) * int(node.attribute("size", 0))


@node_quantity
def node_rows(node: ChargedNode) -> int:
    """Elements of the first input without one axis, that by which a normalization begins."""
    sizes = into(node)
    axis = int(node.attribute("axis", -1))
    return volume(tuple(1 if place == axis % len(sizes) else size for place, size in enumerate(sizes)))


@node_quantity
def node_by_output(node: ChargedNode) -> int:
    """A convolution's input channels of a group and window, for each element that comes out."""
    channels = into(node)[1] // int(node.attribute("group", 1))
    return prod(out(node)) * channels * prod(kernel(node))


@node_quantity
def node_by_output_weights(node: ChargedNode) -> int:
    """A convolution's weights but for their first axis, for each element that comes out."""
    return volume(out(node)) * volume(into(node, 1)[1:])


@node_quantity
def node_first_by_columns(node: ChargedNode) -> int:
    """Elements of the first factor of a product, by the last axis of what comes out."""
    return prod(into(node)) * prod(out(node)[-1:])


@node_quantity
def node_unbroadcast(node: ChargedNode) -> int:
    """A product of matrices whose batch is that of the larger factor, where both of them broadcast."""
    first, second = into(node), into(node, 1)
    batch = max(volume(first[:-2]), volume(second[:-2]), 1)
    return batch * first[-2] * first[-1] * second[-1]


@node_quantity
def node_lone_zero_point(node: ChargedNode) -> int:
    """Elements that come out where the first factor has a zero point and the second none."""
    return volume(out(node)) if len(node.graph_call.inputs) == 3 else 0


@node_quantity
def node_letters(node: ChargedNode) -> int:
    """The sizes of all letters of an equation, multiplied."""
    letters: dict[str, int] = {}
    for term, sizes in zip(equation(node).partition("->")[0].split(","), _inputs(node), strict=False):
        letters |= dict(zip(term, sizes, strict=False))
    return prod(letters.values())


def equation(node: ChargedNode) -> str:
    """The equation of an einsum, without spaces."""
    written: bytes = node.attribute("equation", b"")
    return written.decode().replace(" ", "")

"""Where tools that read graphs of ONNX fail: each is 1 of a node for which it is so, else 0."""

from math import prod

from costlab.counting.conventions.graph_node import ChargedNode
from costlab.counting.conventions.quantities.graph import equation, into, node_quantity, out


@node_quantity
def node_without_biases(node: ChargedNode) -> int:
    """Whether a recurrent node has no input for biases."""
    return int(len(node.graph_call.inputs) < 4)


@node_quantity
def node_without_kernel_shape(node: ChargedNode) -> int:
    """Whether a convolution leaves the sizes of its window to its weights."""
    return int("kernel_shape" not in node.graph_call.attributes)


@node_quantity
def node_without_strides(node: ChargedNode) -> int:
    """Whether a window over three axes leaves its strides out."""
    return int(len(into(node)) > 4 and "strides" not in node.graph_call.attributes)


@node_quantity
def node_without_axis(node: ChargedNode) -> int:
    """Whether it leaves its axis out."""
    return int("axis" not in node.graph_call.attributes)


@node_quantity
def node_without_value(node: ChargedNode) -> int:
    """Whether a constant is given otherwise than as a tensor."""
    return int("value" not in node.graph_call.attributes)


@node_quantity
def node_without_zero_point(node: ChargedNode) -> int:
    """Whether it has no third input."""
    return int(len(node.graph_call.inputs) < 3)


@node_quantity
def node_without_axes(node: ChargedNode) -> int:
    """Whether a slice begins at fewer axes than there are, and does not say which."""
    return int(len(node.graph_call.inputs) == 3 and prod(into(node, 1)) < len(into(node)))


@node_quantity
def node_with_axes(node: ChargedNode) -> int:
    """Whether a padding names its axes."""
    return int(len(node.graph_call.inputs) > 3)


@node_quantity
def node_without_first_output(node: ChargedNode) -> int:
    """Whether the first of its outputs is left out."""
    return int(node.graph_call.outputs[0] is None)


@node_quantity
def node_of_vector(node: ChargedNode) -> int:
    """Whether a factor of a product is a vector."""
    return int(min(len(into(node)), len(into(node, 1))) < 2)


@node_quantity
def node_without_channels(node: ChargedNode) -> int:
    """Whether not even the rank of what goes in is known."""
    return int(len(into(node)) < 2)


@node_quantity
def node_gives_scalar(node: ChargedNode) -> int:
    """Whether a scalar comes out."""
    return int(out(node) == ())


@node_quantity
def node_of_other_than_two(node: ChargedNode) -> int:
    """Whether an equation is none of two factors, or does not name all axes of what comes out."""
    written = equation(node)
    return int(len(node.graph_call.inputs) != 2 or "..." in written or "->" not in written)

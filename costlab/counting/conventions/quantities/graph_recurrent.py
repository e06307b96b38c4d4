"""What tools that read graphs of ONNX count of recurrent nodes."""

from math import prod

from costlab.counting.conventions.graph_node import ChargedNode
from costlab.counting.conventions.quantities.graph import into, node_quantity, volume


def _steps(node: ChargedNode) -> int:
    """The steps of all sequences of the batch."""
    return prod(into(node)[:2])


@node_quantity
def node_biases(node: ChargedNode) -> int:
    """The biases of a recurrent node, both of each gate, in each step of each sequence."""
    return volume(node.into(3) or ()) * _steps(node)


@node_quantity
def node_states(node: ChargedNode) -> int:
    """The elements of the states of a recurrent node, in each step of each sequence and direction."""
    directions, _, hidden = into(node, 2)
    return _steps(node) * directions * hidden


@node_quantity
def node_states_back(node: ChargedNode) -> int:
    """Those of the second direction."""
    directions, _, hidden = into(node, 2)
    return _steps(node) * (directions - 1) * hidden

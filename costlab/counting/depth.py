"""How deep a network is."""

from costlab.algebra.block import Node
from costlab.algebra.combine import Auxiliary, Sequence


def depth(node: Node) -> int:
    """Convolutions and linear layers on the longest path through a walked block.

    Parts of a sequence add up, of branches the deepest counts; auxiliary heads lie at no path.
    """
    if isinstance(node.block, Auxiliary):
        return 0
    below = [depth(child) for child in node.children]
    if not below:
        has_weights = node.work is not None and not (
            isinstance(node.work.weights, int) and node.work.weights == 0
        )
        return int(has_weights)
    return sum(below) if isinstance(node.block, Sequence) else max(below)

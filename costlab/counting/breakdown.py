"""What operations have in common, as keys of `Count.grouped`; and how deep a network is."""

from collections.abc import Callable

from costlab.algebra.block import Node
from costlab.algebra.combine import Auxiliary, Sequence
from costlab.algebra.ops import Conv2d
from costlab.algebra.shape import Shape, Sizes
from costlab.algebra.traced import Traced
from costlab.algebra.window import as_pair, grouping, times

Key = Callable[[Node], str]
NO_WEIGHTS = "no weights"
VECTOR = "vector"


def kernel_of(node: Node) -> str:
    """The kernel of a convolution, whichever way an oblong one lies, or the kind of what else has parameters.

    ``3x3``, ``1x7 or 7x1``, ``3x3 depthwise``, ``linear``, ``batch_norm2d``, ``no weights``.
    """
    if isinstance(node.block, Conv2d):
        groups, channels = int(node.block.groups), int(node.input[0])
        kernel = tuple(map(int, as_pair("kernel", node.block.kernel)))
        return _either_way(kernel) + grouping(groups, channels)
    work = node.work
    if isinstance(node.block, Traced) and node.block.kernel and work and work.kind.startswith("conv"):
        shape, space, sort = node.block.kernel.partition(" ")
        return _either_way(tuple(map(int, shape.split("x")))) + space + sort
    return work.kind if work and (work.multiply_adds != 0 or work.parameters != 0) else NO_WEIGHTS


def grid_of(node: Node) -> str:
    """The grid that comes out, ``35x35``, or ``vector``."""
    if isinstance(node.output, Sizes):
        return times(tuple(node.output[2:])) if len(node.output) > 3 else VECTOR
    return times(tuple(node.output[1:])) if isinstance(node.output, Shape) else VECTOR


def _either_way(kernel: tuple[int, ...]) -> str:
    """A kernel as text; 1x7 and 7x1 are one kind."""
    there, back = sorted(kernel), sorted(kernel, reverse=True)
    return times(tuple(there)) if there == back else f"{times(tuple(there))} or {times(tuple(back))}"


def module_at(depth: int) -> Key:
    """The path of the module at ``depth`` that an operation lies in, as `Count.modules` has it."""

    def module(node: Node) -> str:
        return ".".join(node.path.split(".")[:depth])

    return module


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

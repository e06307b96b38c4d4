"""Traffic: the bytes that each operation reads from memory and writes to it, on its way forward."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from costlab.algebra.block import Node
from costlab.algebra.combine import Add, Auxiliary, Composite
from costlab.algebra.dim import Dim, equal, product, total
from costlab.algebra.traced import Call, Traced
from costlab.counting.count import Count
from costlab.counting.family import family_of
from costlab.counting.marks import UNREAD
from costlab.errors import DefinitionError
from costlab.hardware.device import bytes_of

FREE = frozenset({"flatten", "dropout", *UNREAD})
"""Kinds that move nothing: views, of which a trace records no other, what does nothing in inference, and
parameters that no operation reads. A sum of a single branch is that branch, and moves nothing either."""
LOOKED_UP = frozenset({"embedding"})
"""Kinds that read as many of their parameters as they put out elements, and not all of them."""


class Moved(NamedTuple):
    """One operation with the bytes that it moves for the whole batch.

    ``reads`` are those of its inputs, ``parameters`` those of what it has learned, ``writes`` of its outputs.
    ``absorbed`` says that it is done with the layer before it, and moves nothing of its own.
    """

    node: Node
    reads: Dim = 0
    parameters: Dim = 0
    writes: Dim = 0
    absorbed: bool = False

    @property
    def bytes(self) -> Dim:
        """All of them."""
        return total((self.reads, self.parameters, self.writes))


def traffic(count: Count, dtype: str = "float32", *, fused: bool = False) -> tuple[Moved, ...]:
    """What each operation of a count moves, in the order of execution, in elements of ``dtype``.

    Every tensor is read once by each operation that takes it, and written once; a parameter is read once for
    the batch, by the first that takes it. A concatenation reads what it writes; views and dropout move
    nothing; an embedding reads the rows that it puts out. All elements take as many bytes, indices too. With
    ``fused``, batch norm and activation functions that follow a convolution or a linear layer are done on
    what that has computed, before it is written: they move nothing. In a module that was traced, they follow
    it if they ran next, on as many elements.

    Raises:
        DefinitionError: the count is one of a step of training.
        DeviceError: there is no such type.
    """
    if count.is_step:
        raise DefinitionError(f"{count.label}: traffic is that of the way forward: count it without backward")
    word = bytes_of(dtype)
    absorbed = {id(node) for node in _absorbed(count.root)} if fused else set()
    return tuple(moved(node, count.batch, word, id(node) in absorbed) for node in count.operations)


def moved(node: Node, batch: Dim, word: int, absorbed: bool = False) -> Moved:
    """What one operation moves for a batch, in elements of ``word`` bytes."""
    work = node.work
    assert work is not None
    if absorbed or work.kind in FREE or (isinstance(node.block, Add) and len(node.children) == 1):
        return Moved(node, absorbed=absorbed)
    parameters = 0 if _are_among_inputs(node) else work.parameters
    if work.kind in LOOKED_UP:
        parameters = product(batch, work.outputs)
    return Moved(
        node,
        reads=product(batch, work.inputs, word),
        parameters=product(parameters, word),
        writes=product(batch, work.outputs, word),
    )


def _are_among_inputs(node: Node) -> bool:
    """Whether the elements that an operation of a trace reads are all of its tensors', parameters as well."""
    work, call = node.work, _call(node)
    return (
        work is not None and call is not None and sum(each.elements for each in call.tensors) == work.inputs
    )


def _call(node: Node) -> Call | None:
    return node.block.call if isinstance(node.block, Traced) else None


def _absorbed(root: Node) -> Iterator[Node]:
    """The operations that a layer does on its way, each right behind it or behind another such."""
    found: list[Node] = []
    _follow(root, None, found)
    yield from found


def _follow(node: Node, layer: Node | None, found: list[Node]) -> Node | None:
    """Go through a node, after ``layer`` if what that put out is read here and nowhere else.

    Gives the last operation in it, if it is a layer or was absorbed by one.
    """
    if isinstance(node.block, Auxiliary):
        _in_turn(node.children, None, found)
        return None  # the head reads what the next reads, too
    if isinstance(node.block, Composite) and node.work is not None:
        for child in node.children:  # branches read the same
            _follow(child, None, found)
        return None
    if isinstance(node.block, Traced) and node.children:
        return _in_turn(sorted((each for each, _ in node.working()), key=_turn), layer, found)
    return _in_turn(node.children, layer, found) if node.work is None else _after(node, layer, found)


def _in_turn(nodes: Iterable[Node], layer: Node | None, found: list[Node]) -> Node | None:
    for node in nodes:
        layer = _follow(node, None if isinstance(node.block, Auxiliary) else layer, found)
    return layer


def _turn(node: Node) -> int:
    assert isinstance(node.block, Traced)
    return node.block.turn


def _after(node: Node, layer: Node | None, found: list[Node]) -> Node | None:
    """The operation itself if it is a layer, or is done with the one before it."""
    work = node.work
    assert work is not None
    if work.kind == "linear" or work.kind.startswith("conv"):
        return node
    if layer is None or not _is_done_on_the_way(node, layer):
        return None
    if work.kind not in FREE:
        found.append(node)
    return node


def _is_done_on_the_way(node: Node, layer: Node) -> bool:
    """Whether an operation computes each element from one of the layer's, and as many."""
    work: Any = node.work
    before: Any = layer.work
    kind = work.kind
    element_by_element = kind == "dropout" or kind.startswith("batch_norm")
    if not (element_by_element or family_of(kind) == "activation functions"):
        return False
    call = _call(node)
    data = call.tensors[0].elements if call and call.tensors else work.inputs
    return all(equal(size, before.outputs) is True for size in (data, work.outputs))

"""A node of a graph of ONNX as a tool that reads such graphs meets it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from costlab.algebra.block import Node
from costlab.algebra.traced import Traced
from costlab.algebra.work import Work
from costlab.counting.conventions.operation import ChargedOperation

if TYPE_CHECKING:
    from costlab.onnx.call import GraphStep, NodeCall
    from costlab.onnx.tensor import GraphTensor

CONSTANT, PLAIN, PART, WITHIN = "constant", "node", "part", "within"
UNSEEN = {PART: "counted with its node", WITHIN: "graphs and functions within nodes are not seen"}
"""Why nothing is charged for an operation of that form."""
MODES = ("Resize", "Upsample")
"""The operators whose mode is their form."""


class ChargedNode(ChargedOperation):
    """A node of a graph: its kind is the operator, its form says what its inputs are, or its mode.

    ``constant`` is a node that has nothing but what the file holds; ``node`` is any other, but for those that
    interpolate, whose form is their ``mode``, ``unnamed`` where they name none. A ``part`` is an operation
    that is not the first of its node, which tools charge once; what is ``within`` a node they do not see.
    """

    def __init__(self, node: Node, call: "NodeCall | None", work: Work, form: str = "") -> None:
        super().__init__(node)
        self._graph_call = call
        self.work = work
        self.kind = work.kind if call is None else call.operator
        self.form = form or self._mode()

    def _mode(self) -> str:
        if self.kind not in MODES:
            return PLAIN
        mode = self.attribute("mode", b"unnamed")
        return mode.decode() if isinstance(mode, bytes) else str(mode)

    @property
    def is_opaque(self) -> bool:
        """Never: the sizes that go in and come out are known."""
        return False

    @property
    def graph_call(self) -> "NodeCall":
        """The node with its tensors."""
        assert self._graph_call is not None, "what is within a node has none"
        return self._graph_call

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute of the node, the default where it has none."""
        return self.graph_call.attributes.get(name, default)

    def into(self, place: int) -> tuple[int, ...] | None:
        """The sizes of an input; None where it is left out, or not all of them are known."""
        return _sizes(self.graph_call.optional(place))

    def out(self, place: int = 0) -> tuple[int, ...] | None:
        """The sizes of an output; None where not all of them are known."""
        return _sizes(self.graph_call.outputs[place])


def _sizes(tensor: "GraphTensor | None") -> tuple[int, ...] | None:
    return tensor.shape if tensor is not None and tensor.is_sized else None


def charged_nodes(node: Node) -> Iterator[ChargedNode]:
    """The node of a graph that an operation is, after those before it that are no operations."""
    step = cast("GraphStep | None", node.block.step_of_graph if isinstance(node.block, Traced) else None)
    if step is None:
        return
    assert node.work is not None
    for call, work in step.before:
        yield ChargedNode(node, call, work, CONSTANT if call.output.held else "")
    yield ChargedNode(node, step.call, node.work, WITHIN if step.call is None else PART if step.part else "")

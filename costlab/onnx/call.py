"""A node of a graph with the tensors that go in and come out: what a rule is asked about."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from costlab.algebra.work import Work
from costlab.onnx.tensor import GraphTensor


def domain_of(name: str) -> str:
    """A domain as rules know it: onnx's own, the empty one, has a second name."""
    return "" if name == "ai.onnx" else name


class NodeCall(NamedTuple):
    """A node with its tensors: ``inputs`` and ``outputs`` hold None where an optional one is left out.

    ``names`` are those of what goes in and comes out.
    """

    operator: str
    domain: str
    version: int
    attributes: Mapping[str, Any]
    inputs: tuple[GraphTensor | None, ...]
    outputs: tuple[GraphTensor | None, ...]
    names: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    def input(self, place: int) -> GraphTensor:
        """An input that must be there; one of which nothing is known where it is not."""
        tensor = self.optional(place)
        return GraphTensor() if tensor is None else tensor

    def optional(self, place: int) -> GraphTensor | None:
        """An input that may be left out."""
        return self.inputs[place] if place < len(self.inputs) else None

    def has(self, place: int) -> bool:
        """Whether an input that may be left out is there."""
        return self.optional(place) is not None

    def at(self, sizes: Mapping[str, tuple[int, ...]]) -> "NodeCall":
        """The same at other sizes, by name; what they do not tell has none."""
        inputs, outputs = (
            tuple(
                each and each._replace(sizes=sizes.get(name))
                for each, name in zip(tensors, names, strict=False)
            )
            for tensors, names in zip((self.inputs, self.outputs), self.names, strict=True)
        )
        return self._replace(inputs=inputs, outputs=outputs)

    @property
    def output(self) -> GraphTensor:
        """The first of its outputs that is there."""
        return next((each for each in self.outputs if each is not None), GraphTensor())

    @property
    def elements_in(self) -> int:
        """The elements of what comes from other nodes; of what the file holds none."""
        return sum(each.elements for each in self.inputs if each is not None and not each.held)

    @property
    def elements_out(self) -> int:
        """The elements of all that comes out."""
        return sum(each.elements for each in self.outputs if each is not None)

    def text(self, name: str, default: str) -> str:
        """An attribute that is a word."""
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else str(value)

    def number(self, name: str, default: int = 0) -> int:
        """An attribute that is an integer."""
        return int(self.attributes.get(name, default))


class GraphStep(NamedTuple):
    """An operation of a graph as tools that read graphs meet it: its node, of whose operations it is one.

    What stands in a graph within a node, or in a function, they do not see: it has no ``call`` but
    ``within``, and the node is among those before the next. ``name`` is that of the node in the file.
    ``before`` are the nodes since the operation before, with their works, that are no operations here: what
    the file alone determines, which is computed once, before any run, what follows from sizes, what only
    moves elements, and the bias that goes with its product.
    """

    call: NodeCall | None = None
    part: int = 0
    before: tuple[tuple[NodeCall, Work], ...] = ()
    name: str = ""
    within: NodeCall | None = None

    @property
    def node(self) -> NodeCall | None:
        """The node, whether it is seen by tools or not."""
        return self.within if self.call is None else self.call

    def hidden(self) -> "GraphStep":
        """The same of a node in another graph, which tools do not see that read the one around it."""
        return GraphStep(name=self.name, within=self.node)

    def at(self, sizes: Mapping[str, tuple[int, ...]]) -> "GraphStep":
        """The same at other sizes, by name."""
        before = tuple((call.at(sizes), work) for call, work in self.before)
        return self._replace(call=self.call and self.call.at(sizes), before=before)

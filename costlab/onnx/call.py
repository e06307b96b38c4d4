"""A node of a graph with the tensors that go in and come out: what a rule is asked about."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from costlab.algebra.work import Work
from costlab.onnx.tensor import GraphTensor


class NodeCall(NamedTuple):
    """A node with its tensors: ``inputs`` hold None where an optional one is left out."""

    operator: str
    domain: str
    version: int
    attributes: Mapping[str, Any]
    inputs: tuple[GraphTensor | None, ...]
    outputs: tuple[GraphTensor, ...]

    def input(self, place: int) -> GraphTensor:
        """An input that must be there. Raises `UnsizedError`'s kin where it is not."""
        tensor = self.optional(place)
        return GraphTensor() if tensor is None else tensor

    def optional(self, place: int) -> GraphTensor | None:
        """An input that may be left out."""
        return self.inputs[place] if place < len(self.inputs) else None

    @property
    def output(self) -> GraphTensor:
        """The first of its outputs."""
        return self.outputs[0]

    @property
    def elements_in(self) -> int:
        """The elements of what comes from other nodes; of what the file holds none."""
        return sum(each.elements for each in self.inputs if each is not None and not each.held)

    @property
    def elements_out(self) -> int:
        """The elements of all that comes out."""
        return sum(each.elements for each in self.outputs)


class GraphStep(NamedTuple):
    """An operation of a graph as tools that read graphs meet it: its node, of whose operations it is one.

    ``before`` are the nodes since the operation before, with their works, that have nothing but what the file
    holds: they are computed once, before any run, and are no operation.
    """

    call: NodeCall
    part: int = 0
    before: tuple[tuple[NodeCall, Work], ...] = ()

    def at(self, part: int) -> "GraphStep":
        """The same for another operation of the node; the first alone has what is before."""
        return self._replace(part=part, before=() if part else self.before)

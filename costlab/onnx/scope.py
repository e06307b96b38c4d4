"""What the nodes of a graph see: the tensors of theirs and of the graphs around it, and whose operators."""

from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from onnx import AttributeProto, GraphProto, NodeProto, OperatorSetIdProto, helper

from costlab.onnx.call import NodeCall, domain_of
from costlab.onnx.tensor import GraphTensor, held_sparse, held_tensor

Tensors = ChainMap[str, GraphTensor]


@dataclass(frozen=True)
class Scope:
    """The tensors that nodes read, by name; the path of a function, a loop or a branch that they stand in.

    ``opsets`` say which operators they are; ``attributes`` are those that a function was called with.
    """

    tensors: Tensors = field(default_factory=ChainMap)
    opsets: tuple[OperatorSetIdProto, ...] = ()
    path: tuple[str, ...] = ()
    attributes: Mapping[str, AttributeProto] = field(default_factory=dict)

    def version(self, domain: str) -> int:
        """The version of a domain's operators; 1 where the file does not say."""
        found = (each.version for each in self.opsets if domain_of(each.domain) == domain_of(domain))
        return next((each.version for each in self.opsets if each.domain == domain), next(found, 1))

    def within_graph(
        self, tensors: Mapping[str, GraphTensor], path: tuple[str, ...] | None = None
    ) -> "Scope":
        """That of a graph in a node, which sees what the node sees."""
        inside = self.tensors.new_child(dict(tensors))
        return replace(self, tensors=inside, path=self.path if path is None else path)

    def hold(self, graph: GraphProto) -> None:
        """See the tensors that a graph holds."""
        prefix = "".join(f"{each}/" for each in self.path)
        for held in graph.initializer:
            self.tensors[held.name] = held_tensor(held, prefix + held.name)
        for sparse in graph.sparse_initializer:
            name = sparse.values.name
            self.tensors[name] = held_sparse(sparse, prefix + name)

    def see(self, names: Iterable[str], tensors: Iterable[GraphTensor]) -> None:
        """See what comes out of a node, by its names; one that nobody reads has none."""
        for name, tensor in zip(names, tensors, strict=False):
            if name:
                self.tensors[name] = tensor

    def read(self, name: str) -> GraphTensor | None:
        """A tensor by its name; None where the name is empty: what is optional was left out."""
        return self.tensors.get(name, GraphTensor()) if name else None

    def outputs(self, graph: GraphProto) -> list[GraphTensor]:
        """What comes out of a graph that was followed here."""
        return [self.read(each.name) or GraphTensor() for each in graph.output]

    def bound(self, node: NodeProto) -> NodeProto:
        """A node with the attributes of the call in place of those that it refers to."""
        if not any(each.ref_attr_name for each in node.attribute):
            return node
        bound = NodeProto()
        bound.CopyFrom(node)
        del bound.attribute[:]
        for each in node.attribute:
            given = self.attributes.get(each.ref_attr_name) if each.ref_attr_name else each
            if given is not None:
                added = bound.attribute.add()
                added.CopyFrom(given)
                added.name = each.name
        return bound

    def call(self, node: NodeProto, outputs: Iterable[GraphTensor]) -> NodeCall:
        """A node with its tensors."""
        inputs = tuple(map(self.read, node.input))
        made = tuple(each if name else None for name, each in zip(node.output, outputs, strict=False))
        while inputs and inputs[-1] is None:
            inputs = inputs[:-1]
        attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        names = tuple(node.input), tuple(node.output)
        return NodeCall(
            node.op_type, domain_of(node.domain), self.version(node.domain), attributes, inputs, made, names
        )


def graph_in(node: NodeProto, name: str) -> GraphProto:
    """A graph that a node holds; an empty one where it does not."""
    return next((each.g for each in node.attribute if each.name == name), GraphProto())

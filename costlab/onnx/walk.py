"""Following the nodes of a graph in their order: what each of them does, at the sizes that go in."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import NamedTuple

from onnx import FunctionProto, GraphProto, ModelProto, NodeProto

from costlab.algebra.work import add_up
from costlab.onnx.call import domain_of
from costlab.onnx.faults import in_order
from costlab.onnx.names import name_of
from costlab.onnx.operations import Operations, uses_of, uses_of_graph
from costlab.onnx.parameters import Counted
from costlab.onnx.scope import Scope
from costlab.onnx.sizing import NodeSizing
from costlab.onnx.tensor import GraphTensor
from costlab.onnx.tree import GraphOperation


class Place(NamedTuple):
    """Where a node is followed: what is seen there, and the operations so far."""

    walker: "Walker"
    scope: Scope
    operations: Operations


Control = Callable[[NodeProto, Place], list[GraphTensor]]
"""What is done in place of a node that holds graphs; gives what comes out."""


class Walker:
    """Follows nodes, sizes what comes out of them, and counts them.

    ``control`` says by operator what is done in place of a node that holds graphs of its own. ``counted`` are
    the parameters that were met.
    """

    def __init__(
        self, model: ModelProto, declared: Mapping[str, GraphTensor], control: Mapping[str, Control]
    ) -> None:
        self.sizing = NodeSizing(model.ir_version, declared)
        self._functions = {(each.domain, each.name, each.overload): each for each in model.functions}
        self._control = control
        self._turns = count()
        self.counted = Counted(model.graph)

    def run(self, graph: GraphProto, scope: Scope) -> list[GraphOperation]:
        """The operations of a graph, which sees what is in its scope, and is seen there."""
        scope.hold(graph)
        return self._follow(in_order(graph, scope.tensors), uses_of_graph(graph), scope)

    def _follow(self, nodes: Iterable[NodeProto], read: Iterable[str], scope: Scope) -> list[GraphOperation]:
        operations = Operations(read, scope.path, self.counted, lambda: next(self._turns))
        place = Place(self, scope, operations)
        for each in nodes:
            node = scope.bound(each)
            function = self._functions.get((node.domain, node.op_type, node.overload))
            control = None if domain_of(node.domain) else self._control.get(node.op_type)
            if function is not None:
                made = self._called(function, node, place)
            elif control is not None:
                made = control(node, place)
            else:
                outputs = self.sizing.outputs(node, scope)
                turns = operations.meet(node, scope.call(node, outputs))
                made = [output._replace(made_by=turns) for output in outputs]
            if function is not None or control is not None:
                operations.aside(scope.call(node, made))
            scope.see(node.output, made)
        return operations.finished()

    def _called(self, function: FunctionProto, node: NodeProto, place: Place) -> list[GraphTensor]:
        """What comes out of a function of the file, whose nodes are those of a module."""
        scope = place.scope
        given = {name: scope.read(each) for name, each in zip(function.input, node.input, strict=False)}
        attributes = {each.name: each for each in (*function.attribute_proto, *node.attribute)}
        inside = Scope(
            opsets=tuple(function.opset_import),
            path=(*scope.path, *name_of(node, node.op_type).parts),
            attributes=attributes,
        )
        inside.tensors.update({name: each for name, each in given.items() if each is not None})
        read = uses_of(function.node, function.output)
        place.operations.extend(self._follow(function.node, read, inside))
        return [inside.tensors.get(name, GraphTensor()) for name in function.output]


def repeated(operations: Sequence[GraphOperation], times: int) -> list[GraphOperation]:
    """Operations that are done several times over."""
    if times == 1:
        return list(operations)
    return [each._replace(work=add_up(each.work.kind, [each.work], times)) for each in operations]

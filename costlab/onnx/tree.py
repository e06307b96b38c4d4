"""The nodes of a graph as a tree of modules, by the names that exporters give them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from onnx import NodeProto

from costlab.algebra.block import Node
from costlab.algebra.shape import Sizes
from costlab.algebra.traced import Parameters, Traced
from costlab.algebra.work import Work
from costlab.onnx.call import GraphStep, NodeCall


class GraphOperation(NamedTuple):
    """What a node does: ``unknown`` says that nobody knows what it costs."""

    node: NodeProto
    work: Work
    output: Sizes
    step: GraphStep
    unknown: bool = False

    def with_more_before(self, more: tuple[tuple[NodeCall, Work], ...]) -> "GraphOperation":
        """The same, with more nodes that are computed once."""
        return self._replace(step=self.step._replace(before=self.step.before + more))


@dataclass
class _Branch:
    children: "dict[str, _Branch | GraphOperation]" = field(default_factory=dict)


def build_tree(name: str, operations: Sequence[GraphOperation], held: Parameters) -> Node:
    """The tree of the modules in which the operations are, by their names."""
    root = _Branch()
    for operation in operations:
        branch = root
        *scopes, last = scopes_of(operation)
        for scope in scopes:
            below = branch.children.setdefault(scope, _Branch())
            if isinstance(below, GraphOperation):  # a module and an operation of one name
                below = branch.children[scope] = _Branch({below.work.kind: below})
            branch = below
        free, number = last, 2
        while free in branch.children:
            free, number = f"{last}_{number}", number + 1
        branch.children[free] = operation
    made = _node("", root)
    block = made.block
    assert isinstance(block, Traced)
    return made._replace(block=replace(block, name=name, held=held))


def scopes_of(operation: GraphOperation) -> list[str]:
    """The path of a node, as exporters of PyTorch name it: ``/layer1/layer1.0/conv1/Conv``."""
    parts = [part for part in operation.node.name.split("/") if part]
    scopes: list[str] = []
    before = ""
    for part in parts[:-1]:
        scopes.append(part.removeprefix(f"{before}.") if before else part)
        before = part
    return [*scopes, operation.work.kind]


def _node(path: str, branch: _Branch) -> Node:
    children = tuple(
        _node(_joined(path, name), each) if isinstance(each, _Branch) else _leaf(_joined(path, name), each)
        for name, each in branch.children.items()
    )
    if path and len(children) == 1 and not children[0].children:
        return children[0]._replace(path=path)
    return Node(path, Traced("module"), Sizes(), children[-1].output if children else Sizes(), None, children)


def _leaf(path: str, operation: GraphOperation) -> Node:
    block = Traced(operation.work.kind, unknown=operation.unknown, step_of_graph=operation.step)
    return Node(path, block, Sizes(), operation.output, operation.work)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name

"""The nodes of a graph as a tree of modules, as definitions have one."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from costlab.algebra.block import Node
from costlab.algebra.shape import Sizes
from costlab.algebra.traced import Parameters, Traced, child_path
from costlab.algebra.work import Work
from costlab.onnx.call import GraphStep, NodeCall


class GraphOperation(NamedTuple):
    """What a node does, at a path that ends in its own name.

    ``unknown`` says that nobody knows what it costs, ``unsized`` that it is not known because sizes are not.
    ``reads`` are the turns of those whose outputs it reads, -1 what goes in; ``classes`` those of the modules
    on its path.
    """

    work: Work
    output: Sizes
    step: GraphStep | None = None
    path: tuple[str, ...] = ()
    unknown: bool = False
    unsized: bool = False
    turn: int = 0
    reads: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    kernel: str = ""

    @property
    def parameters(self) -> int:
        """Those that it reads first."""
        held = self.work.parameters
        assert isinstance(held, int)
        return held

    def with_more_before(self, more: tuple[tuple[NodeCall, Work], ...]) -> "GraphOperation":
        """The same, with more nodes that are computed once."""
        step = self.step
        return self if step is None else self._replace(step=step._replace(before=step.before + more))


@dataclass
class _Branch:
    children: "dict[str, _Branch | GraphOperation]" = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    kind: str = "module"

    def at(self, name: str, kind: str) -> "_Branch":
        """The branch of a module in this one; an operation of its name becomes the first in it."""
        below = self.children.get(name)
        if isinstance(below, _Branch):
            return below
        made = self.children[name] = _Branch(kind=kind)
        if below is not None:
            made.add(below.work.kind, below)
        return made

    def add(self, name: str, operation: GraphOperation) -> None:
        """Add an operation, under a name that nothing has."""
        free, number = name, self.numbers.get(name, 1)
        if number > 1:
            free = f"{name}_{number}"
        while free in self.children:
            number += 1
            free = f"{name}_{number}"
        self.numbers[name] = number
        self.children[free] = operation


def build_tree(
    name: str, operations: Sequence[GraphOperation], held: Parameters, gives: Sequence[int]
) -> Node:
    """The tree of the modules in which the operations are; the outputs come from the turns ``gives``."""
    root = _Branch()
    for operation in operations:
        branch = root
        *modules, last = operation.path
        for depth, module in enumerate(modules):
            known = depth < len(operation.classes)
            branch = branch.at(module, operation.classes[depth] if known else "module")
        branch.add(last, operation)
    made = _node("", root)
    block = made.block
    assert isinstance(block, Traced)
    return made._replace(block=replace(block, name=name, held=held, gives=tuple(gives)))


def _node(path: str, branch: _Branch) -> Node:
    children = tuple(
        _node(child_path(path, name), each)
        if isinstance(each, _Branch)
        else _leaf(child_path(path, name), each)
        for name, each in branch.children.items()
    )
    if path and len(children) == 1 and isinstance(next(iter(branch.children.values())), GraphOperation):
        return children[0]._replace(path=path)  # a module that is one operation
    output = children[-1].output if children else Sizes()
    return Node(path, Traced(branch.kind), Sizes(), output, None, children)


def _leaf(path: str, operation: GraphOperation) -> Node:
    title = f"{operation.work.kind} {operation.kernel}".rstrip()
    block = Traced(
        title,
        operation.kernel,
        operation.unknown,
        unsized=operation.unsized,
        turn=operation.turn,
        reads=operation.reads,
        step_of_graph=operation.step,
    )
    return Node(path, block, Sizes(), operation.output, operation.work)

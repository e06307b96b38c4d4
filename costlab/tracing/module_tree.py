"""The operations of a trace as a tree of modules, as definitions have one."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from costlab.algebra.block import Node
from costlab.algebra.operands import Operands
from costlab.algebra.shape import Sizes
from costlab.algebra.traced import Parameters, Traced, child_path
from costlab.algebra.work import Work
from costlab.tracing.stand_in import Uninitialized
from costlab.tracing.traced_operation import TracedOperation

HELD_ONLY = frozenset(["unused", "not_reached", "other_branch"])
"""Kinds of the rows of parameters that were not read."""


@dataclass
class _Branch:
    """A module while the tree is built: the modules and operations in it, in the order of execution."""

    path: str
    children: "dict[str, _Branch | TracedOperation]" = field(default_factory=dict)
    named: dict[str, int] = field(default_factory=dict)

    def at(self, path: str) -> "_Branch":
        """The branch of a module inside this one."""
        branch = self
        for name in path.split(".") if path else ():
            below = branch.children.get(name)
            if below is None:
                below = branch.children[name] = _Branch(child_path(branch.path, name))
            assert isinstance(below, _Branch)
            branch = below
        return branch

    def add(self, operation: TracedOperation, modules: Mapping[str, nn.Module]) -> None:
        """Add an operation, under a name that no module has."""
        name = "call" if operation.own and not operation.backward else operation.work.kind
        number = self.named.get(name, 1)
        free = name if number == 1 else f"{name}_{number}"
        while free in self.children or child_path(self.path, free) in modules:
            number += 1
            free = f"{name}_{number}"
        self.named[name] = number
        self.children[free] = operation


def build_tree(
    named: Sequence[tuple[str, nn.Module]],
    operations: Sequence[TracedOperation],
    outputs: Mapping[str, Sizes],
    *,
    packed: Callable[[nn.Module], Sequence[Tensor]] | None = None,
    nonzero: Callable[[Tensor], int | None] | None = None,
    complete: bool = True,
) -> Node:
    """The tree of what ran in a model's modules; a parameter is counted where it is read first, or is held.

    ``outputs`` are those of modules, by path; of others it is that of their last operation. ``packed`` gives
    the weights that a module holds packed, ``nonzero`` how many elements of a parameter are not zero. Unless
    the run came to its ``complete`` end, what was not read is not unused: it was not reached.
    """
    modules = dict(named)
    root = _Branch("")
    counted: set[int] = set()
    for turn, ran in enumerate(operations):
        mine = [each for each in ran.read if id(each) not in counted]
        operation = ran if nonzero is None else _with_nonzero(ran, mine, nonzero)
        counted.update(id(each) for each in operation.read)
        work = operation.work._replace(parameters=sum(each.numel() for each in mine))
        root.at(operation.path).add(operation._replace(work=work, turn=turn), modules)
    every = _parameters(named, packed)
    unused: list[Tensor] = []
    for path, held in every.items():
        left = [each for each in held if id(each) not in counted]
        counted.update(map(id, left))
        unused += left
        if left:
            kind = "unused" if complete else "not_reached"
            work = Work(kind, parameters=sum(each.numel() for each in left))
            waits = TracedOperation(path, work, Sizes(), own=True)
            root.at(path).add(waits if nonzero is None else _with_nonzero(waits, left, nonzero), modules)
    parameters = _held(every, unused)
    node = _node(root, modules, outputs)
    only = node.block
    assert isinstance(only, Traced)
    return node._replace(block=replace(only, name=type(modules[""]).__name__, held=parameters))


def _with_nonzero(
    operation: TracedOperation, held: Sequence[Tensor], nonzero: Callable[[Tensor], int | None]
) -> TracedOperation:
    """An operation, with how many elements of the parameters that are counted with it are not zero."""
    left = [nonzero(each) for each in held]  # none twice, or as often as it is counted
    known = None if None in left else sum(each or 0 for each in left)
    return operation._replace(operands=(operation.operands or Operands())._replace(nonzero=known))


def _parameters(
    named: Sequence[tuple[str, nn.Module]], packed: Callable[[nn.Module], Sequence[Tensor]] | None
) -> dict[str, list[Tensor]]:
    """The parameters that each module holds itself, by its path; those without sizes have no elements."""
    every: dict[str, list[Tensor]] = {}
    for path, module in named:
        held: list[Tensor] = [
            each
            for each in module._parameters.values()
            if each is not None and not isinstance(each, Uninitialized)
        ]
        held += packed(module) if packed else ()
        if held or module._parameters:
            every[path] = held
    return every


def _held(held: Mapping[str, Sequence[Tensor]], unused: Sequence[Tensor]) -> Parameters:
    places = Counter(id(each) for some in held.values() for each in some)
    every = {id(each): each for some in held.values() for each in some}.values()
    shared = [each for each in every if places[id(each)] > 1]
    return Parameters(
        trainable=sum(each.numel() for each in every if each.requires_grad),
        frozen=sum(each.numel() for each in every if not each.requires_grad),
        shared=sum(each.numel() for each in shared),
        unused=sum(each.numel() for each in unused),
    )


def _node(branch: _Branch, modules: Mapping[str, nn.Module], outputs: Mapping[str, Sizes]) -> Node:
    kind = type(modules[branch.path]).__name__ if branch.path in modules else "module"
    (first, *others) = branch.children.values() or [None]
    if isinstance(first, TracedOperation) and not others:
        is_the_whole = not branch.path and outputs.get("", first.output) == first.output
        if first.own or is_the_whole:
            return _leaf(branch.path, first)
    children = tuple(
        _node(child, modules, outputs)
        if isinstance(child, _Branch)
        else _leaf(child_path(branch.path, name), child)
        for name, child in branch.children.items()
    )
    last = next((each.output for each in reversed(children) if not _is_held_only(each)), Sizes())
    output = outputs.get(branch.path, last)
    return Node(branch.path, Traced(kind), Sizes(), output, None, children)


def _is_held_only(node: Node) -> bool:
    """Whether a node is of parameters that nothing reads, and puts out nothing."""
    return node.work is not None and node.work.kind in HELD_ONLY


def _leaf(path: str, operation: TracedOperation) -> Node:
    work = operation.work
    title = f"{work.kind} {operation.kernel}".rstrip()
    block = Traced(
        title,
        operation.kernel,
        operation.unknown,
        call=operation.call,
        turn=operation.turn,
        reads=operation.reads,
        operands=operation.operands,
    )
    return Node(path, block, Sizes(), operation.output, work)

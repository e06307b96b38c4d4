"""What feeds what in a network: a definition's operations, or those of a module that was traced."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any, NamedTuple

from costlab.advise.convolution import Convolution, convolution_of
from costlab.algebra.block import Block, Node
from costlab.algebra.combine import Auxiliary, Sequence
from costlab.algebra.dim import is_number
from costlab.algebra.inputs import Inputs, TensorInput
from costlab.algebra.shape import AnyShape, Sizes
from costlab.algebra.traced import Traced
from costlab.errors import DefinitionError
from costlab.targets.target import Target

INPUT = -1
"""The number of what comes in, in the place of a step's."""


class Step(NamedTuple):
    """One operation: the steps whose outputs it reads, by number, and the sizes of its own, ``(N, C, ...)``.

    ``convolution`` is what it is where it is one in two dimensions. ``from_input`` says that what it puts out
    comes from what comes in; else it is a constant. ``multiply_adds`` are those of the whole batch.
    """

    path: str
    kind: str
    reads: tuple[int, ...]
    sizes: tuple[int, ...]
    multiply_adds: int
    convolution: Convolution | None = None
    from_input: bool = True

    @property
    def elements(self) -> int:
        """How many elements it puts out."""
        return prod(self.sizes)

    @property
    def grid(self) -> tuple[int, ...]:
        """The sizes behind batch and channels, height and width of a feature map."""
        return self.sizes[2:]


@dataclass(frozen=True)
class Graph:
    """The steps of a network in the order of execution, and those that give its output.

    ``input`` are the sizes of the only tensor that comes in, with its batch, and empty where there are more.
    """

    label: str
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]
    input: tuple[int, ...] = ()

    @cached_property
    def readers(self) -> tuple[tuple[int, ...], ...]:
        """By step, the steps that read it."""
        found: list[list[int]] = [[] for _ in self.steps]
        for number, step in enumerate(self.steps):
            for read in step.reads:
                if read != INPUT:
                    found[read].append(number)
        return tuple(map(tuple, found))

    @property
    def multiply_adds(self) -> int:
        """Those of all steps."""
        return sum(step.multiply_adds for step in self.steps)

    @property
    def convolutions(self) -> tuple[int, ...]:
        """The numbers of the steps that are convolutions in two dimensions."""
        return tuple(number for number, step in enumerate(self.steps) if step.convolution is not None)


def graph_of(found: Target) -> Graph:
    """What feeds what in a target, in inference.

    Raises:
        DefinitionError: a dimension is no plain number.
        TargetError, ShapeError, DependsOnDataError: as `costlab.count`.
    """
    return _of_traced(found) if found.block.takes_tensors else _of_definition(found)


def _of_definition(found: Target) -> Graph:
    steps: list[Step] = []
    batch = found.batch

    def sized(y: AnyShape) -> tuple[int, ...]:
        if not is_number(*y):
            raise DefinitionError(f"{found.label}: give plain numbers for its sizes")
        sizes: Any = y
        return (batch, *map(int, sizes))

    def visit(node: Node, x: int) -> int:
        """Add what a node does to the output of step ``x``; gives the step whose output is the node's."""
        match node.block:
            case Auxiliary():  # nothing in inference
                return x
            case Sequence():
                for child in node.children:
                    x = visit(child, x)
                return x
        reads = tuple(visit(child, x) for child in node.children) or (x,)
        work: Any = node.work
        made = Step(node.path, work.kind, reads, sized(node.output), int(work.multiply_adds) * batch)
        steps.append(made._replace(convolution=convolution_of(node, batch)))
        return len(steps) - 1

    root = found.walk()
    output = visit(root, INPUT)
    return Graph(found.label, tuple(steps), (output,), sized(root.input))


def _of_traced(found: Target) -> Graph:
    placed, _ = found.block.placed(found.input, found.batch)
    root = found._replace(block=_connected(found.block), input=placed).walk()
    assert isinstance(root.block, Traced)
    ran = [(node, node.block, work) for node, work in root.working() if isinstance(node.block, Traced)]
    in_turn = sorted(
        ((block.turn, block.reads, node, work) for node, block, work in ran if block.reads is not None),
        key=lambda each: each[0],
    )
    numbers = {turn: number for number, (turn, *_) in enumerate(in_turn)} | {INPUT: INPUT}
    from_input = {INPUT}
    steps = []
    for turn, read, node, work in in_turn:
        if not from_input.isdisjoint(read):
            from_input.add(turn)
        sizes = node.output if isinstance(node.output, Sizes) else Sizes()
        reads = tuple(numbers[each] for each in read)
        done: Any = work.multiply_adds
        step = Step(node.path, work.kind, reads, tuple(sizes), int(done), convolution_of(node))
        steps.append(step._replace(from_input=turn in from_input))
    outputs = tuple(numbers[each] for each in root.block.gives)
    return Graph(found.label, tuple(steps), outputs, _only_sizes(placed))


def _connected(block: Block) -> Block:
    """A module that follows what feeds what; a graph tells by itself."""
    if block.without_module:
        return block
    from costlab.tracing.module import Module

    assert isinstance(block, Module)
    return replace(block, connected=True)


def _only_sizes(given: Inputs) -> tuple[int, ...]:
    """The sizes of the only tensor that a module is called with; none where it is called with more."""
    values = (*given.args, *given.kwargs.values())
    if len(values) != 1:
        return ()
    sizes = values[0].sizes if isinstance(values[0], TensorInput) else getattr(values[0], "shape", ())
    return tuple(map(int, sizes))

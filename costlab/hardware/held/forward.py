"""A definition as PyTorch runs it forward: which tensors are alive when, and what autograd keeps."""

from collections.abc import Sequence as Several
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from costlab.algebra.block import Node, Operation
from costlab.algebra.combine import Add, Auxiliary, Concat, Sequence
from costlab.algebra.dim import Dim, is_array, is_number, is_symbolic, product, total
from costlab.algebra.saved import Saved
from costlab.errors import DefinitionError
from costlab.hardware.held.flow import Flow, Step
from costlab.hardware.held.moments import Kept, Moment, Phase

INT64 = 8
"""Bytes of an index."""


@dataclass(slots=True)
class Value:
    """A tensor: its bytes, and by how many it is held, by names in running calls or by autograd.

    ``given`` says that the caller holds it anyway, ``wants_gradient`` that something before it is learned.
    """

    size: Any
    given: bool = False
    wants_gradient: bool = False
    holders: int = 0
    is_kept: bool = False


class Done(NamedTuple):
    """An operation that ran: what it read and wrote, by number, and what is needed on its way back.

    ``keeps`` are the values that it keeps for that, ``extras`` the bytes of what else it does; ``gradients``
    are the bytes of each of its parameters, ``scratch_back`` and ``unreduced`` as `Saved` has them, in bytes,
    ``unwanted`` those of a gradient of its input that is made and let go of.
    """

    path: str
    kind: str
    reads: tuple[int, ...]
    writes: int
    scratch: Dim = 0
    keeps: tuple[int, ...] = ()
    extras: Dim = 0
    gradients: tuple[Dim, ...] = ()
    scratch_back: Dim = 0
    unreduced: Dim = 0
    unwanted: Dim = 0
    is_view: bool = False


@dataclass
class Forward:
    """Runs a walked definition on a batch, with ``word`` bytes to an element; see `forward`."""

    batch: Dim
    word: int
    training: bool
    values: list[Value] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    live: Any = 0

    def run(self, root: Node) -> None:
        """Run the whole: auxiliary heads, too, where it is trained."""
        self.values.append(Value(self._bytes(product(*root.input)), given=True, holders=1))
        self.outputs.insert(0, self._call(root, 0))

    @property
    def given(self) -> Dim:
        """The bytes of what comes in."""
        size: Dim = self.values[0].size
        return size

    @property
    def flow(self) -> Flow:
        """Its values and steps, where it is not trained: there views are no values."""
        steps = (Step(each.path, each.kind, each.reads, each.writes, each.scratch) for each in self.done)
        return Flow(tuple(value.size for value in self.values), tuple(steps), tuple(self.outputs))

    def new(self, size: Dim, wants_gradient: bool) -> int:
        """A new tensor, held by whoever made it."""
        self.values.append(Value(size, wants_gradient=wants_gradient, holders=1))
        self.allocate(size)
        return len(self.values) - 1

    def allocate(self, size: Dim) -> None:
        """So many bytes more are alive; exactly, where sums of arrays would wrap."""
        self.live = total((self.live, size))

    def hold(self, number: int) -> None:
        """One more holds it."""
        self.values[number].holders += 1

    def drop(self, number: int) -> None:
        """One less holds it; without any it is gone."""
        value = self.values[number]
        value.holders -= 1
        if not value.holders and not value.given:
            self.live -= value.size

    def note(self, path: str, phase: Phase, passing: Dim = 0) -> None:
        """Note what is alive now, and what is so in passing."""
        self.moments.append(Moment(path, phase, total((self.live, passing))))

    def _bytes(self, elements: Dim) -> Dim:
        return product(elements, self.batch, self.word)

    def _call(self, node: Node, x: int) -> int:
        """What a module gives for ``x``, held for the caller. A call holds its input until it returns."""
        self.hold(x)
        match node.block:
            case Auxiliary():
                if self.training:
                    self.outputs.append(self._sequence(node.children, x))
                self.hold(y := x)
            case Sequence():
                y = self._sequence(node.children, x)
            case Concat():
                branches = [self._call(child, x) for child in node.children]
                y = self._join(node, branches)
                self._drop_all(branches)
            case Add():
                y = self._sum(node, x)
            case Operation():
                y = self._operate(node, node.block, x)
            case _:
                raise AssertionError(node.block)
        self.drop(x)
        return y

    def _sequence(self, children: Several[Node], x: int) -> int:
        self.hold(x)
        for child in children:
            y = self._call(child, x)
            self.drop(x)
            x = y
        return x

    def _join(self, node: Node, branches: list[int]) -> int:
        wants = any(self.values[number].wants_gradient for number in branches)
        y = self.new(self._bytes(product(*node.output)), wants)
        kind = "" if node.work is None else node.work.kind
        self.done.append(Done(node.path, kind, tuple(branches), y))
        self.note(node.path, "forward")
        return y

    def _sum(self, node: Node, x: int) -> int:
        """The branches added up, one by one; a sum's operands are held until the next one's are there."""
        y = self._call(node.children[0], x)
        operands: list[int] = []
        for child in node.children[1:]:
            z = self._call(child, x)
            self._drop_all(operands)
            operands = [y, z]
            y = self._join(node, operands)
        self._drop_all(operands)
        return y

    def _drop_all(self, numbers: list[int]) -> None:
        for number in numbers:
            self.drop(number)

    def _operate(self, node: Node, operation: Operation, x: int) -> int:
        saved = self._saved(node, operation)
        if saved.is_view:
            self.hold(x)
            return self._viewed(node, operation, x)
        work = node.work
        assert work is not None
        if self.training and operation.kind == "batch_norm2d":
            self._refuse_one_value(node)
        gradients = tuple(product(elements, self.word) for elements in work.tensors)
        wants = self.training and (self.values[x].wants_gradient or bool(gradients))
        y = self.new(self._bytes(product(*node.output)), wants)
        keeps = (*((x,) if saved.input else ()), *((y,) if saved.output else ())) if wants else ()
        extras = self._extras(saved) if wants else 0
        made = Done(node.path, operation.kind, (x,), y, self._passing(saved, operation), keeps, extras)
        if wants:
            made = made._replace(
                gradients=gradients,
                scratch_back=self._bytes(saved.scratch_back),
                unreduced=self._unreduced(saved, gradients),
                unwanted=self.values[x].size if saved.whole_back and not self.values[x].wants_gradient else 0,
            )
        self.done.append(made)
        self._keep(made)
        self.note(node.path, "forward", 0 if wants else made.scratch)
        return y

    def _viewed(self, node: Node, operation: Operation, x: int) -> int:
        """The number of a view. A view in other sizes has a place of its own on the way back."""
        if type(node.input) is type(node.output) or not (self.training and self.values[x].wants_gradient):
            return x
        self.values.append(self.values[x])
        y = len(self.values) - 1
        self.done.append(Done(node.path, operation.kind, (x,), y, is_view=True))
        return y

    def _refuse_one_value(self, node: Node) -> None:
        """Refuse, as torch does, statistics of a single value."""
        values: Any = product(self.batch, *node.output[1:])
        if (values == 1).any() if is_array(values) else is_number(values) and values == 1:
            raise DefinitionError(
                f"{node.path or node.block.title}: batch norm cannot be trained on one value per channel: "
                "give a larger batch, or a larger input"
            )

    def _saved(self, node: Node, operation: Operation) -> Saved:
        if operation.only_in_training and not self.training:
            return Saved(is_view=True)
        return operation.saves(node.input, node.output)

    def _extras(self, saved: Saved) -> Dim:
        """The bytes that autograd keeps beside what is read and written."""
        return total(
            (
                self._bytes(saved.elements),
                product(saved.statistics, self.word),
                product(saved.constants, self.word),
                product(saved.indices, self.batch, INT64),
            )
        )

    def _unreduced(self, saved: Saved, gradients: tuple[Dim, ...]) -> Dim:
        """The bytes of a gradient that is yet to be added up: none where it has its parameter's size."""
        unreduced: Any = self._bytes(saved.unreduced)
        if not is_symbolic(unreduced):
            for gradient in gradients:
                unreduced = unreduced * (unreduced != gradient)
        size: Dim = unreduced
        return size

    def _passing(self, saved: Saved, operation: Operation) -> Dim:
        """The bytes that are needed beside what is read and written, where autograd keeps nothing."""
        made = saved.elements if operation.only_in_training else saved.scratch
        return total((self._bytes(made), product(saved.indices, self.batch, INT64)))

    def _keep(self, made: Done) -> None:
        """Keep for the way back what the operation wants, each tensor once."""
        for number in made.keeps:
            value = self.values[number]
            value.holders += 1
            if not value.is_kept:
                value.is_kept = True
                self.kept.append(Kept(made.path, made.kind, value.size, value.given))
        if not (isinstance(made.extras, int) and made.extras == 0):
            self.allocate(made.extras)
            self.kept.append(Kept(made.path, made.kind, made.extras))


def forward(root: Node, batch: Dim, word: int, training: bool = False) -> Forward:
    """Run a definition forward, as PyTorch runs its module, with ``word`` bytes to an element.

    Raises:
        DefinitionError: of an operation nobody says what autograd keeps.
    """
    ran = Forward(batch, word, training)
    ran.run(root)
    return ran

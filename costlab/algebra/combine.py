"""Combinators: blocks made of named blocks. A name becomes a part of the module path."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import field, replace
from typing import Any, ClassVar

from costlab.algebra.block import Block, Node, Operation, Value, value
from costlab.algebra.dim import Dim, equal, product, text, total
from costlab.algebra.misfits import is_noted
from costlab.algebra.shape import AnyShape, Shape, Vector
from costlab.algebra.work import Work
from costlab.errors import DefinitionError, ShapeError
from costlab.messages import named, shortened

Children = tuple[tuple[str, Block], ...]
UNVERIFIED = "(?)"
"""The mark of what was not held against its source."""
SHOWN_WHOLE = 400
"""The most characters of a block that a prompt shows with all its fields; `print` shows all blocks in it."""


def marked(label: str, unverified: bool) -> str:
    """A label, with the mark where it is unverified."""
    return f"{label} {UNVERIFIED}" if unverified else label


def is_unverified(block: Block) -> bool:
    """Whether a definition made it, or a part of it, that was not held against its source."""
    children = getattr(block, "children", ())
    return getattr(block, "unverified", False) or any(is_unverified(child) for _, child in children)


@value
class Composite(Value):
    """A block made of named children.

    ``origin`` is the name of the definition that made it, ``unverified`` says that this definition was not
    held against its source. They are for display, no part of the value.

    Raises:
        DefinitionError: a child is not a block, or a name is taken twice or is no path part.
    """

    kind: ClassVar[str]

    children: Children
    origin: str = field(default="", compare=False, kw_only=True)
    unverified: bool = field(default=False, compare=False, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.children, tuple):
            object.__setattr__(self, "children", tuple(map(tuple, self.children)))
        children: Any = self.children  # not yet known to be what they should be
        for name, child in children:
            if not isinstance(child, Block):
                hint = "; call it to get one" if callable(child) else ""
                raise DefinitionError(f"{self.kind}: {name}={text(child)} is not a block{hint}")
            if not isinstance(name, str) or not (name.isidentifier() or name.isdigit()):
                raise DefinitionError(
                    f"{self.kind}: {named(name)} is no name for a block: use letters, digits and _"
                )
        names = [name for name, _ in self.children]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DefinitionError(f"{self.kind}: the name {twice!r} is given twice")

    @property
    def title(self) -> str:
        return self.origin or (f"{self.kind} of {len(self.children)}" if self.children else "identity")

    def settings(self) -> Iterator[tuple[str, Any]]:
        for _, child in self.children:
            yield from child.settings()

    def __repr__(self) -> str:
        whole = super().__repr__()
        if len(whole) <= SHOWN_WHOLE:
            return whole
        parts = shortened(", ".join(name for name, _ in self.children))
        return f"<{self.kind} of {len(self.children)}{self.origin and f', {self.origin}'}: {parts}>"

    def __str__(self) -> str:
        lines = [f"{self.title}:"]
        for name, child in self.children:
            first, *rest = str(child).split("\n")
            lines += [f"  {name}: {first}", *(f"  {line}" for line in rest)]
        return "\n".join(lines)


class Sequence(Composite):
    """One block after another. An empty sequence is the identity."""

    kind: ClassVar[str] = "sequence"

    def walk(self, x: AnyShape, path: str = "", training_only: bool = False) -> Node:
        nodes = self._thread(x, path, training_only)
        return Node(path, self, x, nodes[-1].output if nodes else x, None, nodes, training_only)

    def _thread(self, x: AnyShape, path: str, training_only: bool) -> tuple[Node, ...]:
        nodes = []
        prefix = path and f"{path}."
        for name, child in self.children:
            node = child.walk(x, prefix + name, training_only)
            nodes.append(node)
            x = node.output
        return tuple(nodes)


class Auxiliary(Sequence):
    """A head at the side of the network that runs in training only: ``x -> x``.

    Its children are a sequence on ``x``; their output is a further output of the network.
    """

    kind: ClassVar[str] = "auxiliary"

    def walk(self, x: AnyShape, path: str = "", training_only: bool = False) -> Node:
        return Node(path, self, x, x, None, self._thread(x, path, True), True)


class _Branches(Composite):
    """Children that all take the same input and whose outputs are joined."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.children:
            raise DefinitionError(f"{self.kind} needs at least one branch")

    def walk(self, x: AnyShape, path: str = "", training_only: bool = False) -> Node:
        prefix = path and f"{path}."
        nodes = tuple(child.walk(x, prefix + name, training_only) for name, child in self.children)
        try:
            y = self.joined([node.output for node in nodes])
        except ShapeError as error:
            raise error.at(path) from None
        return Node(path, self, x, y, self.work([node.output for node in nodes], y), nodes, training_only)

    def joined(self, outputs: list[AnyShape]) -> AnyShape:
        """The shape of the joined outputs.

        Raises:
            ShapeError: two of them do not agree, or cannot be proved to.
        """
        (first, _), *others = self.children
        for (name, _), y in zip(others, outputs[1:], strict=True):
            if not (proved := self._joinable(outputs[0], y)):
                verdict = "do not join" if proved is False else "cannot be proved to join"
                raise ShapeError(f"branches {verdict}: {first} gives {outputs[0]}, {name} gives {y}")
        return self.join(outputs)

    def work(self, outputs: list[AnyShape], y: AnyShape) -> Work:
        """What joining the outputs to ``y`` takes."""
        return Work(self.kind, inputs=total(product(*out) for out in outputs), outputs=product(*y))

    def _joinable(self, a: AnyShape, b: AnyShape) -> bool | None:
        """Whether two outputs agree in every dimension that must: proved, refuted, or None."""
        if type(a) is not type(b):
            return False
        pairs: list[Any] = list(zip(self.fixed(a), self.fixed(b), strict=True))
        verdicts = [(equal(m, n) is False and is_noted(m == n)) or equal(m, n) for m, n in pairs]
        return False if False in verdicts else None if None in verdicts else True

    @abstractmethod
    def fixed(self, y: AnyShape) -> tuple[Dim, ...]:
        """The dimensions in which all branches must agree."""

    @abstractmethod
    def join(self, outputs: Iterable[AnyShape]) -> AnyShape:
        """The shape of the joined outputs."""


class Concat(_Branches):
    """Branches side by side, concatenated: ``(C_i, H, W) -> (sum of C_i, H, W)``."""

    kind: ClassVar[str] = "concat"

    def fixed(self, y: AnyShape) -> tuple[Dim, ...]:
        return y[1:]

    def join(self, outputs: Iterable[AnyShape]) -> AnyShape:
        outputs = list(outputs)
        first = outputs[0]
        channels = total(y[0] for y in outputs)
        return Shape(channels, first.height, first.width) if isinstance(first, Shape) else Vector(channels)


class Add(_Branches):
    """Branches side by side, added element by element: all shapes equal."""

    kind: ClassVar[str] = "add"

    def fixed(self, y: AnyShape) -> tuple[Dim, ...]:
        return y

    def join(self, outputs: Iterable[AnyShape]) -> AnyShape:
        return next(iter(outputs))


def refuse_malformed(block: Block, title: str) -> None:
    """Say what is wrong with a block that was changed after it was made, if that is why it cannot be walked.

    Raises:
        DefinitionError: it contains itself, what is no named block, or an operation that nobody can make.
    """
    above: set[int] = set()
    pending: list[tuple[Any, str, bool]] = [(block, title, False)]
    while pending:
        each, place, left = pending.pop()
        if left:
            above.discard(id(each))
            continue
        if not isinstance(each, Block):
            raise DefinitionError(f"{place} is {named(each)}, not a block")
        if id(each) in above:
            raise DefinitionError(f"{place} contains itself: a block is made of others")
        if not isinstance(each, Composite):
            _refuse_changed(each, place)
            continue
        children: Any = each.children
        if not isinstance(children, tuple) or not all(isinstance(c, tuple) and len(c) == 2 for c in children):
            raise DefinitionError(f"{place}: its children are {named(children)}, not blocks with names")
        above.add(id(each))
        pending.append((each, place, True))
        pending += [(child, f"{place}.{name}", False) for name, child in reversed(children)]


def _refuse_changed(block: Block, place: str) -> None:
    """Make an operation again from its fields, which says what is wrong with them."""
    if isinstance(block, Operation):
        try:
            replace(block)
        except DefinitionError as error:
            raise DefinitionError(f"{place}: {error}") from None


def without_heads(node: Node) -> Node:
    """The node with every auxiliary head in it as what it is in inference: the identity."""
    if isinstance(node.block, Auxiliary):
        return node._replace(block=Sequence(()), children=(), training_only=False)
    kept = [
        without_heads(child)
        for child in node.children
        # In a sequence the identity can go; in a join it is a branch.
        if not (isinstance(node.block, Sequence) and isinstance(child.block, Auxiliary))
    ]
    return node._replace(children=tuple(kept))


def seq(*blocks: Block, **named: Block) -> Sequence:
    """One block after another; unnamed ones are called 0, 1, 2, ... ``seq()`` is the identity."""
    return Sequence(_children(blocks, named))


def concat(*blocks: Block, **named: Block) -> Concat:
    """Branches on the same input, concatenated along the channels."""
    return Concat(_children(blocks, named))


def add(*blocks: Block, **named: Block) -> Add:
    """Branches on the same input, added. ``add(seq(), body)`` is a residual connection."""
    return Add(_children(blocks, named))


def auxiliary(*blocks: Block, **named: Block) -> Auxiliary:
    """A sequence at the side of the network that runs in training only."""
    return Auxiliary(_children(blocks, named))


def _children(blocks: tuple[Block, ...], named: dict[str, Block]) -> Children:
    return (*((str(i), child) for i, child in enumerate(blocks)), *named.items())

"""Blocks: frozen values that can be printed, compared, hashed, walked and composed further."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import Field, dataclass, field, fields
from functools import cache
from math import isfinite
from sys import float_info
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, dataclass_transform

from costlab.algebra.dim import DIM_MAX, Dim, as_dim, is_array, is_symbolic, text, total
from costlab.algebra.saved import Saved
from costlab.algebra.shape import AnyShape, Shape, Vector
from costlab.algebra.window import as_pair
from costlab.algebra.work import Work
from costlab.errors import DefinitionError, ShapeError
from costlab.messages import named

if TYPE_CHECKING:
    from torch import nn

    from costlab.algebra.inputs import AnyInput

WANTED_INPUT = "give one, such as 3x224x224"
FLOAT_MAX = float_info.max
D = TypeVar("D", bound=Dim)
T = TypeVar("T")


class Block(ABC):
    """Part of a network: an `Operation`, or a combinator of blocks.

    A block that holds NumPy arrays stands for many variants; it can be walked, but neither compared
    nor hashed.
    """

    takes_tensors: ClassVar[bool] = False
    """Whether it is called with tensors of any sizes, as a module of PyTorch is."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What the block is, in a few words."""

    @abstractmethod
    def settings(self) -> "Iterator[tuple[str, Any]]":
        """The values of the fields of every operation in it, by name; a pair gives two."""

    @abstractmethod
    def walk(self, x: AnyShape, path: str = "", training_only: bool = False) -> "Node":
        """What happens to an input of shape ``x``, operation by operation.

        Raises:
            ShapeError: a part does not accept its input; the error names the part's path.
        """

    @property
    def without_module(self) -> str:
        """Why no module of PyTorch is there that could run; empty where one is, or can be built."""
        return ""

    @property
    def default_input(self) -> "AnyInput | None":
        """What it is counted at where nothing else is said, of a block that brings that."""
        return None

    @property
    def wanted_input(self) -> str:
        """What is said where the shape of its input is not known."""
        return WANTED_INPUT

    def output(self, x: AnyShape) -> AnyShape:
        """The shape that comes out for an input of shape ``x``. Raises as `walk` does."""
        return self.walk(x).output

    def placed(self, x: Any, batch: Dim) -> tuple[Any, Dim]:
        """What it is walked with for a batch of inputs, and by what its work is multiplied then."""
        return x, batch


class Node(NamedTuple):
    """A block at its place in a network: path, shapes, and the work that it does itself.

    ``training_only`` marks what lies in an auxiliary head.
    """

    path: str
    block: Block
    input: AnyShape
    output: AnyShape
    work: Work | None = None
    children: "tuple[Node, ...]" = ()
    training_only: bool = False

    def __repr__(self) -> str:
        return f"<node {self.path or '(root)'}: {self.block.title}, {self.input} to {self.output}>"

    def nodes(self) -> "Iterator[Node]":
        """This node and everything below it, parents first."""
        yield self
        for child in self.children:
            yield from child.nodes()

    def working(self) -> "list[tuple[Node, Work]]":
        """The nodes that do something themselves, in the order of execution: branches before their join."""
        found: list[tuple[Node, Work]] = []

        def visit(node: Node) -> None:
            for child in node.children:
                visit(child)
            if node.work is not None:
                found.append((node, node.work))

        visit(self)
        return found

    def sums(self, own: "Callable[[Node], D]") -> dict[str, D]:
        """By path, the sum of ``own`` over the nodes there and below that do work; children come first."""
        sums: dict[str, D] = {}

        def add(node: Node) -> D:
            here = () if node.work is None else (own(node),)
            whole: Any = total((*here, *map(add, node.children)))
            sums[node.path] = whole
            return sums[node.path]

        add(self)
        return sums

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """A frozen dataclass below `Value`, which compares, hashes and prints it.

    ``dataclass(frozen=True)`` does as well, but writes these methods for each class anew, at every start.
    """
    return dataclass(frozen=True, eq=False, repr=False)(cls)


@value
class Value(Block):
    """A block that is what its fields are: equal to one of its class with the same values."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]  # tells type checkers what every subclass is

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return _compared(self) == _compared(other)

    def __hash__(self) -> int:
        return hash(_compared(self))

    def __repr__(self) -> str:
        shown = (f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)
        return f"{type(self).__qualname__}({', '.join(shown)})"


class Operation(Value):
    """A leaf. To add one, subclass as a frozen dataclass, give it a ``kind`` and the four methods.

    Without `saves` it can be counted all the same, and its memory is that of its module.

    The methods may assume nothing of ``x`` but its type. A ``__post_init__`` calls this class's.
    ``tests/algebra/test_operations.py`` finds every subclass by itself and judges it against torch.
    """

    kind: ClassVar[str]
    only_in_training: ClassVar[bool] = False
    """Whether it gives its input on as it is where the network is not trained."""
    _foreign: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        cls._foreign = not cls.__module__.startswith("costlab.")

    @abstractmethod
    def output(self, x: AnyShape) -> AnyShape:
        """The shape rule. Raises `ShapeError` (without a path) where ``x`` does not fit."""

    @abstractmethod
    def work(self, x: AnyShape, y: AnyShape) -> Work:
        """The quantities that the operation reports for ``x``, where ``y`` is ``output(x)``."""

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        """What autograd keeps of it for ``x`` in training, where ``y`` is ``output(x)``.

        Raises:
            DefinitionError: nobody has said it.
        """
        raise DefinitionError(f"nobody says what autograd keeps of {self.title}: give it saves(x, y)")

    def buffers(self, x: AnyShape) -> tuple[Dim, int]:
        """What it holds that is not learned: elements of the parameters' type, and int64 elements."""
        return 0, 0

    def quotients(self, x: AnyShape) -> Iterable[Dim]:
        """What of ``x`` and the fields is divided, and must come out whole. Nothing, for most."""
        return ()

    def margins(self) -> Iterable[Dim]:
        """What of the fields must be at least 1: every size, and padding with 1 added to it."""
        for name, value in self.settings():
            if isinstance(value, str | bool | float | None):
                continue
            yield value + 1 if name == "padding" else value

    @abstractmethod
    def module(self, x: AnyShape) -> "nn.Module":
        """The torch module that runs it on inputs of shape ``x``. torch is imported inside."""

    def __post_init__(self) -> None:
        for name, kind in _plain_fields(type(self)):
            value: Any = getattr(self, name)
            as_declared = type(value) is kind
            if not as_declared or (kind is float and not isfinite(value)):
                _check_plain(f"{type(self).__name__}: {name}", value, kind)

    @property
    def title(self) -> str:
        return self.kind

    def settings(self) -> Iterator[tuple[str, Any]]:
        for f in fields(self):
            value = getattr(self, f.name)
            for part in value if isinstance(value, tuple) else (value,):
                yield f.name, part

    def walk(self, x: AnyShape, path: str = "", training_only: bool = False) -> Node:
        try:
            y = self.output(x)
            if self._foreign:
                _refuse_odd(y, f"{path or self.title}: output(x)", Shape | Vector, "a Shape or a Vector")
            work = self.work(x, y)
        except ShapeError as error:
            raise error.at(path) from None
        if self._foreign:
            _refuse_odd(work, f"{path or self.title}: work(x, y)", Work, "Work(...)")
        return Node(path, self, x, y, work, (), training_only)

    def __str__(self) -> str:
        settings = (f"{f.name}={text(getattr(self, f.name))}" for f in fields(self))
        return f"{type(self).__name__}({', '.join(settings)})"

    def _check_dims(self, **least: int) -> None:
        """Hold the named fields to their lower bounds, and normalize them, at construction."""
        for name, bound in least.items():
            value = getattr(self, name)
            if type(value) is not int or not bound <= value <= DIM_MAX:
                object.__setattr__(self, name, as_dim(f"{type(self).__name__}: {name}", value, bound))

    def _check_pairs(self, **least: int) -> None:
        """The same for (height, width) fields; one number stands for both."""
        for name, bound in least.items():
            value = getattr(self, name)
            if type(value) is int and bound <= value <= DIM_MAX:
                object.__setattr__(self, name, (value, value))
                continue
            label = f"{type(self).__name__}: {name}"
            height, width = as_pair(label, value)
            object.__setattr__(self, name, (as_dim(label, height, bound), as_dim(label, width, bound)))


def _refuse_odd(given: Any, place: str, kinds: Any, wanted: str) -> None:
    """Hold what an operation of the user's gives to what it must be."""
    if not isinstance(given, kinds):
        raise DefinitionError(f"{place} gives {named(given)}, not {wanted}")
    for name, size in given._asdict().items():
        if name != "kind" and not (type(size) is int or is_array(size) or is_symbolic(size)):
            raise DefinitionError(f"{place} gives {name}={named(size)}, which must be a whole number")


def _compared(made: Value) -> tuple[Any, ...]:
    """The fields that make the value."""
    return tuple(getattr(made, name) for name in _compared_fields(type(made)))


@cache
def _compared_fields(cls: type[Value]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cls) if f.compare)


@cache
def _plain_fields(cls: type[Operation]) -> tuple[tuple[str, type], ...]:
    """The fields that are no dimensions: switches and real numbers."""
    kinds: dict[Any, type] = {bool: bool, "bool": bool, float: float, "float": float}
    return tuple((f.name, kinds[f.type]) for f in fields(cls) if f.type in kinds)


def _check_plain(label: str, value: Any, kind: type) -> None:
    if kind is bool:
        raise DefinitionError(f"{label}={named(value)} must be True or False")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not abs(value) <= FLOAT_MAX:
        raise DefinitionError(f"{label}={named(value)} must be a number")

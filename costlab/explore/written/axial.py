"""Expressions over axes and numbers alone, evaluated exactly at the values of one member of a space."""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from costlab.errors import DefinitionError
from costlab.explore.written.axis import Axis, Exact, typed

NUMBER, TRUTH, TEXT, NONE, TUPLE = "number", "truth", "text", "none", "tuple"
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}
DIVISIONS = ("/", "//", "%")


class Undefined(ArithmeticError):  # noqa: N818  # it is caught where a comparison is made, and no error
    """There is no such number: a division by zero, or arithmetic on what is no number."""


@dataclass(frozen=True)
class Axial(ABC):
    """An expression over axes and numbers alone."""

    @property
    def parts(self) -> tuple["Axial", ...]:
        """The expressions that it is made of."""
        return ()

    @cached_property
    def names(self) -> frozenset[str]:
        """The axes that it depends on."""
        return frozenset[str]().union(*(part.names for part in self.parts))

    @property
    @abstractmethod
    def kinds(self) -> frozenset[str]:
        """What its values may be."""

    @cached_property
    def fails(self) -> bool:
        """Whether it may be `Undefined` for some values."""
        return any(part.fails for part in self.parts)

    @cached_property
    def bits(self) -> int:
        """About how many binary digits its numbers have at most."""
        return max((part.bits for part in self.parts), default=1)

    @abstractmethod
    def at(self, values: Mapping[str, Exact]) -> Exact:
        """Its value where the axes have these, numbers as `Fraction`. Raises `Undefined` if there is none."""


@dataclass(frozen=True, eq=False)
class Value(Axial):
    """A number, text, truth, None or tuple that is written out."""

    value: Exact

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and same(self.value, other.value)

    def __hash__(self) -> int:
        return hash(self.value)

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset([kind_of(self.value)])

    @cached_property
    def bits(self) -> int:
        return size_of(self.value) if isinstance(self.value, Fraction) else 1

    def at(self, values: Mapping[str, Exact]) -> Exact:
        return self.value


@dataclass(frozen=True)
class OfAxis(Axial):
    """The value of an axis."""

    name: str
    of_kinds: frozenset[str]
    most_bits: int

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset([self.name])

    @property
    def kinds(self) -> frozenset[str]:
        return self.of_kinds

    @cached_property
    def bits(self) -> int:
        return self.most_bits

    def at(self, values: Mapping[str, Exact]) -> Exact:
        return values[self.name]


@dataclass(frozen=True)
class Arithmetic(Axial):
    """Two numbers with a sign of `ARITHMETIC` between them."""

    sign: str
    left: Axial
    right: Axial

    @property
    def parts(self) -> tuple[Axial, ...]:
        return (self.left, self.right)

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset([NUMBER])

    @cached_property
    def fails(self) -> bool:
        divided = self.sign in DIVISIONS and not isinstance(self.right, Value)
        return divided or any(part.fails or part.kinds != {NUMBER} for part in self.parts)

    @cached_property
    def bits(self) -> int:
        if self.sign == "**" and isinstance(self.right, Value) and isinstance(self.right.value, Fraction):
            return self.left.bits * max(1, int(self.right.value))
        return self.left.bits + self.right.bits + 1

    def at(self, values: Mapping[str, Exact]) -> Exact:
        left, right = self.left.at(values), self.right.at(values)
        if not (is_number(left) and is_number(right)):
            raise Undefined("arithmetic on what is no number")
        if self.sign in DIVISIONS and right == 0:
            raise Undefined("a division by zero")
        return Fraction(ARITHMETIC[self.sign](left, right))


@dataclass(frozen=True)
class OrZero(Axial):
    """A number, or 0 where there is none: it is used beside a `Defined` that leaves those members out."""

    of: Axial

    @property
    def parts(self) -> tuple[Axial, ...]:
        return (self.of,)

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset([NUMBER])

    @cached_property
    def fails(self) -> bool:
        return False

    def at(self, values: Mapping[str, Exact]) -> Exact:
        try:
            value = self.of.at(values)
        except Undefined:
            return Fraction(0)
        return value if is_number(value) else Fraction(0)


@dataclass(frozen=True)
class Needed(Axial):
    """A number that every member must have; ``what`` begins the message where there is none."""

    of: Axial
    what: str

    @property
    def parts(self) -> tuple[Axial, ...]:
        return (self.of,)

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset([NUMBER])

    def at(self, values: Mapping[str, Exact]) -> Exact:
        try:
            value = self.of.at(values)
            if is_number(value):
                return value
        except Undefined:
            pass
        place = ", ".join(f"{name}={shown(values[name])}" for name in sorted(self.names))
        raise DefinitionError(f"{self.what} has no value at {place}")


def of_axis(axis: Axis) -> OfAxis:
    """The value of an axis, with what is known of its values."""
    types = set(map(type, axis.values))
    kinds = frozenset(KINDS[each] for each in types)
    numbers = [abs(value) for value in axis.values if type(value) in (int, float)]
    ends = (
        [Fraction(str(number)) for number in (max(numbers), min(filter(None, numbers), default=1))]
        if numbers
        else []
    )
    digits = 60 if float in types else 1  # those that a float has beyond its size
    return OfAxis(axis.name, kinds, digits + max(map(size_of, ends), default=1))


KINDS: dict[type, str] = {
    int: NUMBER,
    float: NUMBER,
    Fraction: NUMBER,
    bool: TRUTH,
    str: TEXT,
    type(None): NONE,
    tuple: TUPLE,
}


def kind_of(value: Exact) -> str:
    """What a value is."""
    return KINDS[type(value)]


def is_number(value: object) -> bool:
    """Whether a value is a number; what is true is none."""
    return isinstance(value, Fraction | int) and not isinstance(value, bool)


def size_of(number: Fraction) -> int:
    """How many binary digits a number has, above the line or below it."""
    return max(number.numerator.bit_length(), number.denominator.bit_length())


def same(a: Exact, b: Exact) -> bool:
    """Whether two values are equal; what is true is not 1."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and a == b


def shown(value: Exact) -> str:
    """An exact value in a message."""
    return str(value) if isinstance(value, Fraction) else typed(value)

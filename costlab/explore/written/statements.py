"""What is true or false of the axes of one member of a space."""

import operator
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from costlab.explore.written.axial import TRUTH, Axial, Undefined, is_number, same
from costlab.explore.written.axis import Exact

ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Statement(Axial):
    """What is true or false, and never undefined."""

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset([TRUTH])

    @cached_property
    def fails(self) -> bool:
        return False

    @abstractmethod
    def at(self, values: Mapping[str, Exact]) -> bool: ...


@dataclass(frozen=True)
class Comparison(Statement):
    """Two values compared; a comparison that cannot be made does not hold."""

    sign: str
    left: Axial
    right: Axial

    @property
    def parts(self) -> tuple[Axial, ...]:
        return (self.left, self.right)

    def at(self, values: Mapping[str, Exact]) -> bool:
        try:
            left, right = self.left.at(values), self.right.at(values)
        except Undefined:
            return False
        if self.sign in ("==", "!="):
            return same(left, right) == (self.sign == "==")
        return is_number(left) and is_number(right) and ORDERS[self.sign](left, right)


@dataclass(frozen=True)
class Membership(Statement):
    """Whether a value is one of several, or with ``wanted`` False none of them."""

    value: Axial
    several: tuple[Axial, ...]
    wanted: bool

    @property
    def parts(self) -> tuple[Axial, ...]:
        return (self.value, *self.several)

    def at(self, values: Mapping[str, Exact]) -> bool:
        try:
            value = self.value.at(values)
            several = [each.at(values) for each in self.several]
        except Undefined:
            return False
        return any(same(value, each) for each in several) == self.wanted


@dataclass(frozen=True)
class Not(Statement):
    """The opposite of a statement."""

    of: Axial

    @property
    def parts(self) -> tuple[Axial, ...]:
        return (self.of,)

    def at(self, values: Mapping[str, Exact]) -> bool:
        return not self.of.at(values)


@dataclass(frozen=True)
class Every(Statement):
    """Whether all of several statements are true."""

    of: tuple[Axial, ...]

    @property
    def parts(self) -> tuple[Axial, ...]:
        return self.of

    def at(self, values: Mapping[str, Exact]) -> bool:
        return all(each.at(values) for each in self.of)


@dataclass(frozen=True)
class Some(Statement):
    """Whether one of several statements is true."""

    of: tuple[Axial, ...]

    @property
    def parts(self) -> tuple[Axial, ...]:
        return self.of

    def at(self, values: Mapping[str, Exact]) -> bool:
        return any(each.at(values) for each in self.of)


@dataclass(frozen=True)
class Defined(Statement):
    """Whether all of several expressions have a value, and it is a number."""

    of: tuple[Axial, ...]

    @property
    def parts(self) -> tuple[Axial, ...]:
        return self.of

    def at(self, values: Mapping[str, Exact]) -> bool:
        try:
            return all(is_number(each.at(values)) for each in self.of)
        except Undefined:
            return False


def opposite(statement: Axial) -> Axial:
    """What is true where a statement is not."""
    return statement.of if isinstance(statement, Not) else Not(statement)


def some(statements: Iterable[Axial]) -> Axial:
    """Whether one of the statements is true, as one statement."""
    several = tuple(dict.fromkeys(statements))
    return several[0] if len(several) == 1 else Some(several)


def every(statements: Iterable[Axial]) -> Axial:
    """Whether all of the statements are true, as one statement."""
    several = tuple(dict.fromkeys(statements))
    return several[0] if len(several) == 1 else Every(several)

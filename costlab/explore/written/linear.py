"""Sums of quantities with coefficients over the axes, and quotients of two such sums."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from typing import NamedTuple, TypeAlias

from costlab.explore.written.axial import ARITHMETIC, NUMBER, Arithmetic, Axial, Value
from costlab.explore.written.axis import Exact

CONSTANT = ""
"""The name of the term that no quantity is in."""
ZERO = Value(Fraction(0))
ONE = Value(Fraction(1))


class NotLinearError(ValueError):
    """What comes out is no sum of quantities, each times what axes and numbers give."""


@dataclass(frozen=True)
class Linear:
    """A sum of quantities, each times an `Axial`, and of one that stands alone."""

    items: tuple[tuple[str, Axial], ...]

    @cached_property
    def terms(self) -> Mapping[str, Axial]:
        """The coefficients by quantity; ``""`` is the constant's."""
        return dict(self.items)

    @property
    def quantities(self) -> frozenset[str]:
        """The quantities in it."""
        return frozenset(self.terms) - {CONSTANT}

    @property
    def names(self) -> frozenset[str]:
        """The axes in its coefficients."""
        return frozenset[str]().union(*(each.names for _, each in self.items))

    @property
    def failing(self) -> tuple[Axial, ...]:
        """The coefficients that have no value for some members."""
        return tuple(each for _, each in self.items if each.fails or each.kinds != {NUMBER})

    def at(self, values: Mapping[str, Exact], totals: Mapping[str, int]) -> Fraction:
        """Its value for the member with these values of the axes and these totals."""
        numbers = ((name, each.at(values)) for name, each in self.items)
        return sum((Fraction(n) * totals.get(name, 1) for name, n in numbers), Fraction(0))  # type: ignore[arg-type]  # a coefficient is a number

    def with_failing(self, made: Callable[[Axial], Axial]) -> "Linear":
        """The same with other coefficients where they have no value for some members."""
        failing = self.failing
        return Linear(tuple((name, made(each) if each in failing else each) for name, each in self.items))

    def negative(self) -> "Linear":
        """The same with the opposite sign."""
        return Linear(tuple((name, _opposite(each)) for name, each in self.items))

    def reduced(self) -> "Linear":
        """The same times what makes it whole numbers without a common divisor, where all are constant."""
        numbers = [each.value for _, each in self.items if isinstance(each, Value)]
        fractions = [number for number in numbers if isinstance(number, Fraction)]
        if len(fractions) < len(self.items) or not fractions:
            return self
        scale = Fraction(lcm(*(n.denominator for n in fractions)))
        scale /= gcd(*(int(n * scale) for n in fractions)) or 1
        scaled = zip(self.items, fractions, strict=True)
        return Linear(tuple((name, Value(number * scale)) for (name, _), number in scaled))

    @property
    def constants(self) -> Mapping[str, Fraction] | None:
        """The coefficients, if they depend on no axis."""
        found = {n: each.value for n, each in self.items if isinstance(each, Value)}
        numbers = {n: each for n, each in found.items() if isinstance(each, Fraction)}
        return numbers if len(numbers) == len(self.items) else None

    @property
    def never_negative(self) -> bool:
        """Whether it surely is not: quantities never are."""
        constants = self.constants
        return constants is not None and all(number >= 0 for number in constants.values())


class Quotient(NamedTuple):
    """A sum of quantities divided by another."""

    number: Linear
    divisor: Linear


WORDS = {
    "number": "a number",
    "truth": "true or false",
    "text": "a text",
    "none": "none",
    "tuple": "several values",
}
Quantity: TypeAlias = Axial | Linear | Quotient


def kinds_of(quantity: Quantity) -> frozenset[str]:
    """What the values of a quantity are: those that are no `Axial` are numbers."""
    return quantity.kinds if isinstance(quantity, Axial) else frozenset([NUMBER])


def in_words(quantity: Quantity) -> str:
    """What the values of a quantity are, for a message."""
    return " or ".join(WORDS[kind] for kind in sorted(kinds_of(quantity)))


def arithmetic(sign: str, left: Axial, right: Axial) -> Axial:
    """Two axial numbers put together; worked out where both are written out."""
    if isinstance(left, Value) and isinstance(right, Value):
        return Value(Fraction(ARITHMETIC[sign](left.value, right.value)))
    made = Arithmetic(sign, left, right)
    if sign == "*" and ONE in (left, right):
        other = right if left == ONE else left
    elif sign in "+-" and right == ZERO:
        other = left
    elif sign == "+" and left == ZERO:
        other = right
    else:
        return made
    return other if other.kinds == {NUMBER} else made


def linear(quantity: Axial | Linear) -> Linear:
    """What is over axes alone as the constant of a sum."""
    return quantity if isinstance(quantity, Linear) else _sum([(CONSTANT, quantity)])


def combined(sign: str, left: Quantity, right: Quantity) -> Quantity:
    """Two quantities with one of ``+ - * /`` between them.

    Raises:
        NotLinearError: what comes out is no sum of quantities, and no quotient of two.
    """
    if isinstance(left, Axial) and isinstance(right, Axial):
        return arithmetic(sign, left, right)
    if sign == "*":
        return _times(left, right) if isinstance(right, Axial) else _times(right, left)
    if sign == "/":
        return _divided(left, right)
    if sign in "+-":
        return _added(sign, left, right)
    raise NotLinearError


def _opposite(number: Axial) -> Axial:
    if isinstance(number, Arithmetic) and number.sign == "-" and number.left == ZERO and not number.fails:
        return number.right
    return arithmetic("-", ZERO, number)


def _times(quantity: Quantity, factor: Quantity) -> Quantity:
    if not isinstance(factor, Axial) or isinstance(quantity, Axial):
        raise NotLinearError
    if isinstance(quantity, Quotient):
        return Quotient(_scaled(quantity.number, "*", factor), quantity.divisor)
    return _scaled(quantity, "*", factor)


def _divided(left: Quantity, right: Quantity) -> Quantity:
    if isinstance(right, Quotient):
        raise NotLinearError
    if isinstance(right, Linear):
        if isinstance(left, Quotient):
            raise NotLinearError
        return Quotient(linear(left), right)
    if isinstance(left, Quotient):
        return Quotient(_scaled(left.number, "/", right), left.divisor)
    return _scaled(linear(left), "/", right)


def _added(sign: str, left: Quantity, right: Quantity) -> Quantity:
    if not isinstance(left, Quotient) and not isinstance(right, Quotient):
        return _plus(sign, linear(left), linear(right))
    divisors = [each.divisor for each in (left, right) if isinstance(each, Quotient)]
    if any(each != divisors[0] for each in divisors):
        raise NotLinearError
    numbers = [_over(each, divisors[0]) for each in (left, right)]
    return Quotient(_plus(sign, *numbers), divisors[0])


def _over(quantity: Quantity, divisor: Linear) -> Linear:
    """What stands above the line if a quantity is written over ``divisor``."""
    if isinstance(quantity, Quotient):
        return quantity.number
    if isinstance(quantity, Linear):
        raise NotLinearError
    return _scaled(divisor, "*", quantity)


def _scaled(quantity: Linear, sign: str, factor: Axial) -> Linear:
    return _sum((name, arithmetic(sign, each, factor)) for name, each in quantity.items)


def _plus(sign: str, left: Linear, right: Linear) -> Linear:
    terms = dict(left.items)
    for name, each in right.items:
        terms[name] = arithmetic(sign, terms.get(name, ZERO), each)
    return _sum(terms.items())


def _sum(terms: Iterable[tuple[str, Axial]]) -> Linear:
    return Linear(tuple(sorted((term for term in terms if term[1] != ZERO), key=lambda term: term[0])))

"""What a publication states, and what a recomputed value makes of it: arithmetic, never a matter of taste."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import floor
from operator import ge, gt, le, lt
from typing import Any, Literal, NamedTuple, TypeAlias

Value: TypeAlias = Any
"""A whole number, a fraction, or an expression; None where nothing can be computed."""


class Verdict(StrEnum):
    """What becomes of a stated figure, from the strongest to the weakest."""

    EXACT = "exact"
    HOLDS = "holds"
    CLOSE = "close"
    NOT_COUNTABLE = "not countable"
    DIFFERS = "differs"

    @property
    def verified(self) -> bool:
        """Whether the figure stands as it is stated."""
        return self in (Verdict.EXACT, Verdict.HOLDS)

    @property
    def rank(self) -> int:
        """0 for the strongest."""
        return list(Verdict).index(self)


class Unit(NamedTuple):
    """What stands behind the number of a figure, and what one of it is."""

    suffix: str = ""
    size: Fraction = Fraction(1)


NUMBER = Unit()
PERCENT = Unit("%", Fraction(1, 100))
TIMES = Unit("x")
MILLION = Unit(" million", Fraction(10**6))
BILLION = Unit(" billion", Fraction(10**9))
ABOUT = Fraction(15, 100)
"""What a word like "about" admits in either direction."""


@dataclass(frozen=True)
class Stated(ABC):
    """One figure of a claim; ``name`` says of what.

    With ``reported``, it is held against figures that the paper itself reports, and nothing is counted.
    """

    name: str
    reported: bool = field(default=False, kw_only=True)

    @property
    @abstractmethod
    def text(self) -> str:
        """The figure as it is stated, with the tolerance that the claim declares for it."""

    @abstractmethod
    def verdict(self, value: Value) -> Verdict:
        """What a recomputed value makes of the figure."""

    def deviation(self, value: Value) -> Fraction | None:
        """How far the value is from the figure, by the figure; None where that means nothing."""
        return None


@dataclass(frozen=True)
class _Numeric(Stated):
    """A number in a unit, ``digits`` as printed."""

    digits: str
    unit: Unit = NUMBER

    @property
    def value(self) -> Fraction:
        """The number that is stated."""
        return Fraction(self.digits) * self.unit.size

    def deviation(self, value: Value) -> Fraction | None:
        return Fraction(value) / self.value - 1 if self.value else None


@dataclass(frozen=True)
class Printed(_Numeric):
    """A number with as many digits as printed; ``within`` is the tolerance for a word like "about"."""

    within: Fraction | None = None

    @property
    def text(self) -> str:
        return f"{self.digits}{self.unit.suffix}{_tolerance(self.within)}"

    def verdict(self, value: Value) -> Verdict:
        """Exact if the value, rounded to the last digit (halves up), is the number."""
        last = Fraction(1, 10 ** len(self.digits.partition(".")[2])) * self.unit.size
        if floor(Fraction(value) / last + Fraction(1, 2)) * last == self.value:
            return Verdict.EXACT
        return _within(self.deviation(value), self.within)


@dataclass(frozen=True)
class Exactly(_Numeric):
    """A number that is meant as such and not rounded, as the factor of a law; ``within`` as of `Printed`."""

    within: Fraction | None = None

    @property
    def text(self) -> str:
        return f"{self.digits}{self.unit.suffix}{_tolerance(self.within)}"

    def verdict(self, value: Value) -> Verdict:
        return Verdict.EXACT if value == self.value else _within(self.deviation(value), self.within)


@dataclass(frozen=True)
class Bound(_Numeric):
    """An inequality: the value is ``relation`` the number.

    Where the paper has ``words`` and no number, the number is what the audit takes them to mean.
    """

    relation: Literal["<", "<=", ">", ">="] = "<"
    words: str = ""

    @property
    def text(self) -> str:
        told = f"{self.relation} {self.digits}{self.unit.suffix}"
        return f"{self.words}: {told}" if self.words else told

    def verdict(self, value: Value) -> Verdict:
        holds = {"<": lt, "<=": le, ">": gt, ">=": ge}[self.relation](Fraction(value), self.value)
        return Verdict.HOLDS if holds else Verdict.DIFFERS


@dataclass(frozen=True)
class Formula(Stated):
    """A formula in symbols, in Python's notation."""

    formula: str

    @property
    def text(self) -> str:
        return self.formula

    def verdict(self, value: Value) -> Verdict:
        """Exact if both are the same expression."""
        import sympy

        found = sympy.sympify(value)
        names = {str(symbol): symbol for symbol in found.free_symbols}
        same = sympy.simplify(found - sympy.sympify(self.formula, locals=names)) == 0
        return Verdict.EXACT if same else Verdict.DIFFERS


@dataclass(frozen=True)
class Trained(Stated):
    """What only training could show; ``shown_by`` says which variants would have to be trained."""

    figure: str
    shown_by: str

    @property
    def text(self) -> str:
        return self.figure

    def verdict(self, value: Value) -> Verdict:
        return Verdict.NOT_COUNTABLE


def _within(deviation: Fraction | None, tolerance: Fraction | None) -> Verdict:
    near = tolerance is not None and deviation is not None and abs(deviation) <= tolerance
    return Verdict.CLOSE if near else Verdict.DIFFERS


def _tolerance(within: Fraction | None) -> str:
    return "" if within is None else f" ±{float(100 * within):g}%"

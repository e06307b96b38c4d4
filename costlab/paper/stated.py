"""The figures that a publication states, and the verdict on each by a recomputed value."""

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
    """The verdict on a stated figure, from the strongest to the weakest."""

    EXACT = "exact"
    HOLDS = "holds"
    CLOSE = "close"
    NOT_COUNTABLE = "not countable"
    DIFFERS = "differs"

    @property
    def verified(self) -> bool:
        """Whether the figure is right as stated."""
        return self in (Verdict.EXACT, Verdict.HOLDS)

    @property
    def rank(self) -> int:
        """0 for the strongest."""
        return list(Verdict).index(self)


class Unit(NamedTuple):
    """A unit: the text after the number, and its size."""

    suffix: str = ""
    size: Fraction = Fraction(1)


NUMBER = Unit()
PERCENT = Unit("%", Fraction(1, 100))
TIMES = Unit("x")
MILLION = Unit(" million", Fraction(10**6))
BILLION = Unit(" billion", Fraction(10**9))
ABOUT = Fraction(15, 100)
"""The tolerance, in either direction, for a word like "about"."""


@dataclass(frozen=True)
class Stated(ABC):
    """One figure of a claim; ``name`` says which.

    With ``reported``, it is compared with figures that the paper itself reports, and nothing is counted.
    """

    name: str
    reported: bool = field(default=False, kw_only=True)

    @property
    @abstractmethod
    def text(self) -> str:
        """The figure as stated, with its tolerance."""

    @abstractmethod
    def verdict(self, value: Value) -> Verdict:
        """The verdict on the figure, given a recomputed value."""

    def deviation(self, value: Value) -> Fraction | None:
        """``value / figure - 1``; None if the figure is no number or 0."""
        return None


@dataclass(frozen=True)
class _Numeric(Stated):
    """A number in a unit, ``digits`` as printed."""

    digits: str
    unit: Unit = NUMBER

    @property
    def value(self) -> Fraction:
        """The stated number."""
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
        """Exact if the value rounds to the number, in its last digit (halves up)."""
        last = Fraction(1, 10 ** len(self.digits.partition(".")[2])) * self.unit.size
        if floor(Fraction(value) / last + Fraction(1, 2)) * last == self.value:
            return Verdict.EXACT
        return _within(self.deviation(value), self.within)


@dataclass(frozen=True)
class Exactly(_Numeric):
    """An exact number, such as a factor in a law; ``within`` as in `Printed`."""

    within: Fraction | None = None

    @property
    def text(self) -> str:
        return f"{self.digits}{self.unit.suffix}{_tolerance(self.within)}"

    def verdict(self, value: Value) -> Verdict:
        return Verdict.EXACT if value == self.value else _within(self.deviation(value), self.within)


@dataclass(frozen=True)
class Bound(_Numeric):
    """An inequality: the value is ``relation`` the number.

    If the paper has ``words`` instead of a number, the number is how the audit understands them.
    """

    relation: Literal["<", "<=", ">", ">="] = "<"
    words: str = ""

    @property
    def text(self) -> str:
        inequality = f"{self.relation} {self.digits}{self.unit.suffix}"
        return f"{self.words}: {inequality}" if self.words else inequality

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
        """Exact if both expressions are equal."""
        import sympy

        expression = sympy.sympify(value)
        names = {str(symbol): symbol for symbol in expression.free_symbols}
        same = sympy.simplify(expression - sympy.sympify(self.formula, locals=names)) == 0
        return Verdict.EXACT if same else Verdict.DIFFERS


@dataclass(frozen=True)
class Trained(Stated):
    """A figure that only training could show; ``shown_by`` names the variants to train.

    ``tried_as`` are the claims of costlab's experiments, by their keys in `costlab.train.experiments.CLAIMS`,
    that try it with a reduced network; there are none where nothing does.
    """

    figure: str
    shown_by: str
    tried_as: tuple[str, ...] = ()

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

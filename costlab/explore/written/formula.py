"""What has to hold, as a formula over bounds of quantities and statements about axes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from costlab.explore.written.axial import Axial, OrZero, Value
from costlab.explore.written.axis import Exact
from costlab.explore.written.linear import CONSTANT, ZERO, Linear, Quantity, Quotient, combined, linear
from costlab.explore.written.statements import Comparison, Defined, every, opposite, some

Values: TypeAlias = Mapping[str, Exact]
"""The exact values of a member's axes."""
Totals: TypeAlias = Mapping[str, int]
"""The quantities of a member."""


@dataclass(frozen=True)
class Bound:
    """A sum of quantities is at most 0."""

    linear: Linear

    @property
    def quantities(self) -> frozenset[str]:
        return self.linear.quantities

    def holds(self, values: Values, totals: Totals) -> bool:
        return self.linear.at(values, totals) <= 0


@dataclass(frozen=True)
class Truth:
    """A statement about axes is true."""

    statement: Axial

    @property
    def quantities(self) -> frozenset[str]:
        return frozenset()

    def holds(self, values: Values, totals: Totals) -> bool:
        return self.statement.at(values) is True


@dataclass(frozen=True)
class Negated:
    """A formula does not hold."""

    of: "Formula"

    @property
    def quantities(self) -> frozenset[str]:
        return self.of.quantities

    def holds(self, values: Values, totals: Totals) -> bool:
        return not self.of.holds(values, totals)


@dataclass(frozen=True)
class And:
    """All of several formulas hold."""

    of: tuple["Formula", ...]

    @property
    def quantities(self) -> frozenset[str]:
        return frozenset[str]().union(*(part.quantities for part in self.of))

    def holds(self, values: Values, totals: Totals) -> bool:
        return all(part.holds(values, totals) for part in self.of)


@dataclass(frozen=True)
class Or:
    """One of several formulas holds."""

    of: tuple["Formula", ...]

    @property
    def quantities(self) -> frozenset[str]:
        return frozenset[str]().union(*(part.quantities for part in self.of))

    def holds(self, values: Values, totals: Totals) -> bool:
        return any(part.holds(values, totals) for part in self.of)


@dataclass(frozen=True)
class Cases:
    """Formulas for cases, of which exactly one is given: each with the formula that decides in it."""

    of: tuple[tuple["Formula", "Formula"], ...]

    @property
    def quantities(self) -> frozenset[str]:
        return frozenset[str]().union(*(part.quantities for case in self.of for part in case))

    def holds(self, values: Values, totals: Totals) -> bool:
        return any(case.holds(values, totals) and decided.holds(values, totals) for case, decided in self.of)


Formula: TypeAlias = Bound | Truth | Negated | And | Or | Cases
HOLDS = Truth(Value(True))
NEVER = Truth(Value(False))
MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def negated(formula: Formula) -> Formula:
    """What holds where a formula does not."""
    if isinstance(formula, Truth):
        return Truth(opposite(formula.statement))
    return formula.of if isinstance(formula, Negated) else Negated(formula)


def all_of(formulas: Iterable[Formula]) -> Formula:
    """All of them: what is about axes alone as one statement."""
    rest, statements = _parted(formulas)
    first = [Truth(every(statements))] if statements else []
    parts = (*first, *rest)
    return parts[0] if len(parts) == 1 else And(parts)


def any_of(formulas: Iterable[Formula]) -> Formula:
    """One of them: what is about axes alone as one statement."""
    rest, statements = _parted(formulas)
    first = [Truth(some(statements))] if statements else []
    parts = (*first, *rest)
    return parts[0] if len(parts) == 1 else Or(parts)


def _parted(formulas: Iterable[Formula]) -> tuple[list[Formula], list[Axial]]:
    several = list(formulas)
    rest: list[Formula] = [each for each in several if not isinstance(each, Truth)]
    return rest, [each.statement for each in several if isinstance(each, Truth)]


def compared(sign: str, left: Quantity, right: Quantity) -> Formula:
    """Two quantities compared; where a coefficient or a quotient has no value, it does not hold.

    Raises:
        NotLinearError: it cannot be written with sums of quantities.
    """
    if isinstance(left, Axial) and isinstance(right, Axial):
        return Truth(Comparison(sign, left, right))
    difference = combined("-", left, right)
    if isinstance(difference, Quotient):
        number, divisor = (each.with_failing(OrZero).reduced() for each in difference)
        failing = (*difference.number.failing, *difference.divisor.failing)
        decided = _quotient_with_zero(sign, number, divisor)
    else:
        whole = linear(difference)
        failing = whole.failing
        decided = _with_zero(sign, whole.with_failing(OrZero).reduced())
    if not failing:
        return decided
    defined = Truth(Defined(failing))
    return Cases(((defined, decided), (negated(defined), NEVER)))


def _with_zero(sign: str, whole: Linear) -> Formula:
    """A sum of quantities compared with 0."""
    if not whole.quantities:
        return Truth(Comparison(sign, whole.terms.get(CONSTANT, ZERO), ZERO))
    under, over = Bound(whole), Bound(whole.negative())
    if sign in ("==", "!="):
        at, off = (HOLDS, NEVER) if sign == "==" else (NEVER, HOLDS)
        return Cases(((And((under, over)), at), (negated(under), off), (negated(over), off)))
    found: dict[str, Formula] = {"<=": under, ">": negated(under), ">=": over, "<": negated(over)}
    return found[sign]


def _quotient_with_zero(sign: str, number: Linear, divisor: Linear) -> Formula:
    """A quotient compared with 0: what is above the line is, the other way round for a negative divisor."""
    above = (_with_zero(">", divisor), _with_zero(sign, number))
    if divisor.never_negative:
        return Cases((above, (_with_zero("<=", divisor), NEVER)))
    below = (_with_zero("<", divisor), _with_zero(MIRRORED.get(sign, sign), number))
    return Cases((above, below, (_with_zero("==", divisor), NEVER)))

"""Intervals of exact numbers, with what says where they end."""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from costlab.explore.written.linear import CONSTANT

Direction: TypeAlias = tuple[tuple[str, Fraction], ...]
"""Quantities with constant coefficients, of which the first is 1."""


class End(NamedTuple):
    """An end of an interval, whether it lies outside, and the number of what says so; 0 for none."""

    at: Fraction
    outside: bool
    leaf: int = 0


class Interval(NamedTuple):
    """What a number lies between, as far as is known."""

    low: End | None = None
    high: End | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no number lies in it."""
        low, high = self
        if low is None or high is None:
            return False
        return low.at > high.at or (low.at == high.at and (low.outside or high.outside))

    def narrowed(self, end: End, *, is_high: bool) -> "Interval":
        """The interval with a further end, where that makes it narrower."""
        low, high = self
        if is_high:
            narrower = high is None or (end.at, not end.outside) < (high.at, not high.outside)
            return self._replace(high=end) if narrower else self
        narrower = low is None or (end.at, end.outside) > (low.at, low.outside)
        return self._replace(low=end) if narrower else self


def end_of(constants: Mapping[str, Fraction], number: int) -> tuple[Direction, End, bool]:
    """Of a sum at most 0, or above it for a negative number: its direction, where it ends, and if above."""
    names = sorted(constants.keys() - {CONSTANT})
    first = constants[names[0]]
    sums = tuple((name, constants[name] / first) for name in names)
    end = End(-constants.get(CONSTANT, Fraction(0)) / first, number < 0, number)
    return sums, end, (first > 0) == (number > 0)

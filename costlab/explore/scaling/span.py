"""Spans: the numbers on a line that give one and the same network, exactly, and as floats."""

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from costlab.algebra.ratio import Scaled

HALF = Fraction(1, 2)
NARROW = Fraction(1, 10**12)


class Span(NamedTuple):
    """From ``low``, which is in it, to ``high``, which is not, or without an end.

    With ``ends_in`` it is the other way round: ``low`` is out, ``high`` in.
    """

    low: Fraction
    high: Fraction | None
    ends_in: bool = False

    def holds(self, number: Fraction) -> bool:
        """Whether the number is in it."""
        if self.ends_in:
            return self.low < number and (self.high is None or number <= self.high)
        return self.low <= number and (self.high is None or number < self.high)

    def within(self, other: "Span") -> "Span":
        """What is in both, which end on the same side."""
        ends = [end for end in (self.high, other.high) if end is not None]
        return Span(max(self.low, other.low), min(ends, default=None), self.ends_in)

    def __str__(self) -> str:
        opening, closing = "(]" if self.ends_in else "[)"
        return f"{opening}{self.low}, {'...' if self.high is None else self.high}{closing}"

    @property
    def short(self) -> Fraction:
        """The number in it with the fewest decimals, of several that which is nearest to the middle."""
        digits = 0
        while True:
            one = 10**digits
            first = math.floor(self.low * one) + 1
            if not self.ends_in and self.low > 0 and self.low * one == first - 1:
                first -= 1
            if self.high is None:
                return Fraction(first, one)
            last = math.floor(self.high * one) if self.ends_in else math.ceil(self.high * one) - 1
            if first <= last:
                middle = math.floor((self.low + self.high) / 2 * one + HALF)
                short = Fraction(min(max(middle, first), last), one)
                beside = self.is_narrow and not self.holds(Fraction(float(short)))
                return Fraction(self.first) if beside else short
            digits += 1

    @property
    def is_narrow(self) -> bool:
        """Whether it has few floats, so that a decimal in it may be typed as a float beside it."""
        return self.high is not None and self.high - self.low < self.high * NARROW

    @property
    def is_one_float(self) -> bool:
        """Whether just one float is in it."""
        return self.is_narrow and self.high == Fraction(math.nextafter(self.first, math.inf))

    @property
    def first(self) -> float:
        """The smallest float in it, above 0."""
        return ceil_float(self.low) if self.low > 0 else math.nextafter(0.0, 1.0)

    @property
    def last(self) -> float:
        """The largest float in it, which has an end."""
        assert self.high is not None
        nearest = float(self.high)
        return nearest if Fraction(nearest) < self.high else math.nextafter(nearest, 0.0)


EVERYWHERE = Span(Fraction(0), None)


def ceil_float(number: Fraction) -> float:
    """The smallest float that is not below the number."""
    nearest = float(number)
    return nearest if Fraction(nearest) >= number else math.nextafter(nearest, math.inf)


def floor_float(number: Fraction) -> float:
    """The largest float that is not above the number."""
    nearest = float(number)
    return nearest if Fraction(nearest) <= number else math.nextafter(nearest, -math.inf)


def decimal(number: Fraction) -> str:
    """A number that ends as a decimal, as it is written; another as the float next to it."""
    rest, digits = number.denominator, 0
    while rest % 10 == 0 or rest % 5 == 0 or rest % 2 == 0:
        rest //= 10 if rest % 10 == 0 else 5 if rest % 5 == 0 else 2
        digits += 1
    if rest != 1 or digits > 17:
        return repr(float(number))
    whole = str(int(number * 10**digits)).rjust(digits + 1, "0")
    return f"{whole[:-digits]}.{whole[-digits:]}".rstrip("0").rstrip(".") if digits else whole


def of_scalings(made: Iterable[Scaled]) -> Span:
    """Where channels that were scaled by one width stay what they are: each c is rounded to k.

    That is from (2k - 1) / 2c, or from 0 where k is 1, to (2k + 1) / 2c.
    """
    span = EVERYWHERE
    for scaled in made:
        channels, result = int(scaled.channels), int(scaled.result)
        low = Fraction(2 * result - 1, 2 * channels) if result > 1 else Fraction(0)
        span = span.within(Span(low, Fraction(2 * result + 1, 2 * channels)))
    return span


def of_float(number: Fraction) -> Span:
    """The one float that a number is read as."""
    here = float(number)
    return Span(Fraction(here), Fraction(math.nextafter(here, math.inf)))


def of_ceilings(numbers: Iterable[int], factor: Fraction) -> Span:
    """Where a factor, times each of the numbers and rounded up, stays what it is there."""
    span = EVERYWHERE._replace(ends_in=True)
    for number in numbers:
        result = math.ceil(number * factor)
        span = span.within(Span(Fraction(result - 1, number), Fraction(result, number), ends_in=True))
    return span

"""Lines: networks in the order of one number, each network on a span of that number."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from costlab.algebra.dim import DIM_MAX
from costlab.algebra.ratio import Scaled, scale
from costlab.explore.scaling.span import (
    HALF,
    Span,
    ceil_float,
    decimal,
    floor_float,
    of_ceilings,
    of_float,
    of_scalings,
)
from costlab.explore.scaling.subject import Values

MANY = 50_000
"""As many networks as are counted in one go; of more, some."""
SOME = 16_384
TINY = Fraction(1, 2**40)


class Typed(NamedTuple):
    """A number on a line as people are shown it, and the settings and the input's side to type for it."""

    number: str
    settings: Mapping[str, str] = {}
    side: int | None = None


class Positions(NamedTuple):
    """Numbers on a line, in order, one for each network that there is, or if not ``whole`` for some."""

    numbers: Any
    whole: bool = True

    def __len__(self) -> int:
        return len(self.numbers)


class Line(ABC):
    """The networks that one number leads to. ``now`` is that of the target, ``least`` the lowest number."""

    arrays = False
    whole_numbers = False
    least = TINY
    limit = Fraction(DIM_MAX)

    def __init__(self, name: str, now: Fraction | None) -> None:
        self.name = name
        self.now = now

    @abstractmethod
    def values(self, number: Fraction) -> Values:
        """The settings and the input at a number."""

    @abstractmethod
    def span(self, number: Fraction, values: Values, made: Sequence[Scaled]) -> Span:
        """The numbers that give the same network, where ``made`` was scaled to make it."""

    @abstractmethod
    def typed(self, number: Fraction, span: Span, own: Sequence[Scaled]) -> Typed:
        """How a number of the span is typed."""

    def many(self, numbers: Any) -> Values:
        """The settings and the input for an array of numbers, on a line of ``arrays``."""
        raise NotImplementedError

    def positions(self, low: Fraction, high: Fraction, bases: frozenset[int]) -> Positions | None:
        """The networks from ``low`` to below ``high``, where ``bases`` are scaled; None if unknown."""
        return None

    def own(self, values: Values, made: Sequence[Scaled]) -> list[Scaled]:
        """What was scaled by the number itself."""
        return []

    def ends(self, span: Span, own: Sequence[Scaled]) -> tuple[Fraction, ...]:
        """The first and the last number of a span that can be typed, where others lie between them."""
        return ()

    def above(self, span: Span) -> Fraction:
        """A number of the network above."""
        assert span.high is not None
        return span.high

    def between(self, low: Fraction, high: Fraction) -> Fraction:
        """A number near the middle."""
        return (low + high) / 2

    def further(self, number: Fraction, ratio: float) -> Fraction:
        """A number so far up that what grows as its square does has grown by more than ``ratio``."""
        return number * Fraction(min(max(2.0, 1.25 * math.sqrt(ratio)), 1000.0))

    def beyond(self, number: Fraction) -> Fraction:
        """A number above one that is over the budget, up to which networks are looked at."""
        return max(2 * number, number + 1) if self.whole_numbers else 2 * number

    def shown_now(self) -> str:
        """The number of the target."""
        return "" if self.now is None else decimal(self.now)


class Multiplier(Line):
    """A `Ratio`: between two widths at which a product is rounded otherwise the network is the same."""

    arrays = True

    def values(self, number: Fraction) -> Values:
        return Values({self.name: float(number)})

    def own(self, values: Values, made: Sequence[Scaled]) -> list[Scaled]:
        width = values.settings[self.name]
        return [scaled for scaled in made if scaled.width is width]

    def span(self, number: Fraction, values: Values, made: Sequence[Scaled]) -> Span:
        own = self.own(values, made)
        span = of_scalings(own) if own else of_float(number)
        return span if span.high is None or span.high <= self.limit else span._replace(high=None)

    def typed(self, number: Fraction, span: Span, own: Sequence[Scaled]) -> Typed:
        shown = decimal(span.short)
        return Typed(shown, {self.name: shown})

    def many(self, numbers: Any) -> Values:
        return Values({self.name: numbers})

    def ends(self, span: Span, own: Sequence[Scaled]) -> tuple[Fraction, ...]:
        if span.high is None:
            return (Fraction(span.first),)
        last = span.last
        while last > span.first and any(scale(each.channels, last) != each.result for each in own):
            last = math.nextafter(last, 0.0)  # the product is rounded up, as a float
        return Fraction(span.first), Fraction(last)

    def above(self, span: Span) -> Fraction:
        assert span.high is not None
        return Fraction(ceil_float(span.high))

    def positions(self, low: Fraction, high: Fraction, bases: frozenset[int]) -> Positions | None:
        """The middles of the spans; the breakpoints are (2k + 1) / 2c for each c that is scaled."""
        import numpy as np

        if not bases:
            return None
        if sum((high - low) * base for base in bases) > MANY:
            steps = np.arange(SOME) + 0.5
            return Positions(float(low) + float(high - low) / SOME * steps, whole=False)
        common = math.lcm(*(2 * base for base in bases))
        marks: set[Fraction | int] = {low * common, high * common}
        for base in bases:
            first = max(1, math.floor(low * base + HALF))
            last = math.ceil(high * base - HALF)
            step = common // (2 * base)
            marks.update((2 * k + 1) * step for k in range(first, last))
        ends = sorted(mark for mark in marks if low * common <= mark <= high * common)
        middles = [float((a + b) / Fraction(2 * common)) for a, b in pairwise(ends)]
        return Positions(np.array(middles))


class AnyMultiplier(Multiplier):
    """A `Ratio` that is used in other ways than `scale` does: each float may be a network of its own."""

    arrays = False

    def span(self, number: Fraction, values: Values, made: Sequence[Scaled]) -> Span:
        return of_float(number)

    def between(self, low: Fraction, high: Fraction) -> Fraction:
        return Fraction(floor_float((low + high) / 2))

    def positions(self, low: Fraction, high: Fraction, bases: frozenset[int]) -> Positions | None:
        return None


class Whole(Line):
    """A parameter that is a whole number: with arrays a `Dim`, else an ``int``."""

    whole_numbers = True

    def __init__(self, name: str, now: Fraction | None, least: int, *, arrays: bool) -> None:
        super().__init__(name, now)
        self.least = Fraction(least)
        self.arrays = arrays

    def values(self, number: Fraction) -> Values:
        return Values({self.name: math.floor(number)})

    def span(self, number: Fraction, values: Values, made: Sequence[Scaled]) -> Span:
        return Span(Fraction(math.floor(number)), Fraction(math.floor(number) + 1))

    def typed(self, number: Fraction, span: Span, own: Sequence[Scaled]) -> Typed:
        return Typed(str(span.low), {self.name: str(span.low)})

    def many(self, numbers: Any) -> Values:
        return Values({self.name: numbers})

    def positions(self, low: Fraction, high: Fraction, bases: frozenset[int]) -> Positions | None:
        import numpy as np

        first, last = math.floor(low), math.ceil(high)
        if last - first > MANY:
            return Positions(np.linspace(first, last - 1, SOME).round().astype("int64"), whole=False)
        return Positions(np.arange(first, last))

    def between(self, low: Fraction, high: Fraction) -> Fraction:
        return Fraction((low + high) // 2)

    def further(self, number: Fraction, ratio: float) -> Fraction:
        return max(Fraction(math.ceil(super().further(number, ratio))), number + 1)


class Side(Whole):
    """The height and the width of the input, which are one number."""

    def __init__(self, name: str, now: Fraction, shape: str, square: bool) -> None:
        super().__init__(name, now, 1, arrays=True)
        self.shape = "" if square else shape

    def values(self, number: Fraction) -> Values:
        return Values(side=math.floor(number))

    def typed(self, number: Fraction, span: Span, own: Sequence[Scaled]) -> Typed:
        return Typed(str(span.low), {}, int(span.low))

    def many(self, numbers: Any) -> Values:
        return Values(side=numbers)

    def shown_now(self) -> str:
        return self.shape or super().shown_now()


class Depth(Line):
    """A factor of all parameters that repeat a part; what it gives is rounded up, as EfficientNet does."""

    def __init__(self, name: str, repeats: Mapping[str, int], limit: int) -> None:
        super().__init__(name, Fraction(1))
        self.repeats = {key: number for key, number in repeats.items() if number}
        most: int = max(self.repeats.values())
        self.limit = Fraction(limit, most)

    def values(self, number: Fraction) -> Values:
        return Values({key: math.ceil(each * number) for key, each in self.repeats.items()})

    def span(self, number: Fraction, values: Values, made: Sequence[Scaled]) -> Span:
        return of_ceilings(self.repeats.values(), number)

    def typed(self, number: Fraction, span: Span, own: Sequence[Scaled]) -> Typed:
        texts = {key: str(value) for key, value in self.values(span.short).settings.items()}
        return Typed(decimal(span.short), texts)

    def above(self, span: Span) -> Fraction:
        assert span.high is not None
        ends = [Fraction(math.floor(span.high * each) + 1, each) for each in self.repeats.values()]
        return min(ends)

    def positions(self, low: Fraction, high: Fraction, bases: frozenset[int]) -> Positions | None:
        ends = {
            Fraction(k, each)
            for each in self.repeats.values()
            for k in range(math.floor(low * each) + 1, math.ceil(high * each) + 1)
        }
        return Positions(sorted(ends))

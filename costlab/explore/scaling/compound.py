"""Compound scaling: width, depth and input together, by the rule of EfficientNet.

Source: M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML
2019, equation 3: depth alpha^phi, width beta^phi, resolution gamma^phi, with alpha * beta^2 * gamma^2 near 2;
a grid search on EfficientNet-B0 gave alpha = 1.2, beta = 1.1, gamma = 1.15.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from costlab.algebra.ratio import Scaled
from costlab.errors import DefinitionError
from costlab.explore.scaling.line import Depth, Line, Multiplier, Side, Typed
from costlab.explore.scaling.span import HALF, Span, of_float, of_scalings
from costlab.explore.scaling.subject import Values

LARGEST = 10.0
"""The largest coefficient."""
DOUBLINGS = 40
"""As many times as the cost is doubled or halved at most."""


class Compound(NamedTuple):
    """The coefficients of depth, width and resolution; by default EfficientNet's."""

    alpha: float = 1.2
    beta: float = 1.1
    gamma: float = 1.15

    @property
    def growth(self) -> float:
        """What one more phi multiplies the cost by, about: depth once, width and resolution squared."""
        return self.alpha * self.beta**2 * self.gamma**2

    def refuse_malformed(self) -> None:
        """Refuse coefficients that shrink a network, or leave it as it is.

        Raises:
            DefinitionError: one is not from 1 to 10, or all are 1.
        """
        for name, value in self._asdict().items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (number and 1 <= value <= LARGEST):
                raise DefinitionError(f"{name}={value} must be a number from 1 to 10")
        if self.growth <= 1:
            raise DefinitionError("alpha, beta and gamma are all 1, by which nothing is scaled")


EFFICIENTNET = Compound()


class CompoundLine(Line):
    """The networks that phi leads to; what a coefficient of 1 leaves as it is needs no line."""

    def __init__(
        self, rule: Compound, depth: Depth | None, width: Multiplier | None, side: Side | None
    ) -> None:
        super().__init__("phi", Fraction(0))
        self.rule = rule
        self.depth, self.width, self.side = depth, width, side
        limits = [DOUBLINGS * math.log(2) / math.log(rule.growth)]
        if depth is not None:
            limits.append(math.log(depth.limit) / math.log(rule.alpha))
        self.limit = Fraction(min(limits))
        self.least = -self.limit

    def _numbers(self, phi: Fraction) -> list[tuple[Line, Fraction, float]]:
        """Each line with its number, and the coefficient by which it comes from phi."""
        found: list[tuple[Line, Fraction, float]] = []
        for line, base in (
            (self.depth, self.rule.alpha),
            (self.width, self.rule.beta),
            (self.side, self.rule.gamma),
        ):
            if line is not None and line.now is not None:
                number = line.now * Fraction(base ** float(phi)) if phi else line.now
                if line is self.side:
                    number = Fraction(max(1, math.floor(number + HALF)))
                found.append((line, number, base))
        return found

    def values(self, number: Fraction) -> Values:
        values = [line.values(at) for line, at, _ in self._numbers(number)]
        settings = {name: value for each in values for name, value in each.settings.items()}
        return Values(settings, next((each.side for each in values if each.side is not None), None))

    def own(self, values: Values, made: Sequence[Scaled]) -> list[Scaled]:
        return self.width.own(values, made) if self.width else []

    def span(self, number: Fraction, values: Values, made: Sequence[Scaled]) -> Span:
        span = Span(-self.limit, self.limit)
        for line, at, base in self._numbers(number):
            part = line.span(at, values, made)
            if line is self.side:
                part = Span(part.low - HALF, part.low + HALF)
            assert line.now is not None
            low, high = (_phi(end, line.now, base) for end in (part.low, part.high))
            span = span.within(Span(span.low if low is None else low, high))
        if span.holds(number):
            return span
        low = span.low if number == span.high else number  # where repetitions are whole, that ends in it
        return Span(low, of_float(number).high)

    def typed(self, number: Fraction, span: Span, own: Sequence[Scaled]) -> Typed:
        parts = []
        for line, at, _ in self._numbers(number):
            part = of_scalings(own) if line is self.width else line.span(at, Values(), ())
            parts.append(line.typed(at, part, own))
        settings = {name: text for each in parts for name, text in each.settings.items()}
        side = next((each.side for each in parts if each.side is not None), None)
        return Typed(f"{float(span.short):.6g}", settings, side)

    def beyond(self, number: Fraction) -> Fraction:
        return number + 1

    def between(self, low: Fraction, high: Fraction) -> Fraction:
        return Fraction(float((low + high) / 2))

    def further(self, number: Fraction, ratio: float) -> Fraction:
        """A phi at which the cost is about ``ratio`` times as large, and somewhat more."""
        return number + Fraction(math.log(max(2.0, 1.25 * ratio)) / math.log(self.rule.growth))


def _phi(number: Fraction | None, now: Fraction, base: float) -> Fraction | None:
    """The phi that leads to a number, next to it as a float."""
    if number is None or number <= 0:
        return None
    return Fraction(math.log(number / now) / math.log(base))

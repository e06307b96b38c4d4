"""Spans of numbers that give one network: exact ends, short decimals, floats beside fractions."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costlab.algebra import scale
from costlab.algebra.ratio import Scaled
from costlab.explore.scaling.span import Span, ceil_float, decimal, floor_float, of_ceilings, of_scalings


@given(st.lists(st.integers(1, 2048), min_size=1, max_size=4), st.floats(0.001, 8))
def test_channels_stay_what_they_are_between_the_ends_and_change_at_them(
    bases: list[int], width: float
) -> None:
    span = of_scalings(Scaled(base, width, scale(base, width)) for base in bases)
    assert span.high is not None
    made = [scale(base, width) for base in bases]

    def at(number: float) -> list[object]:
        return [scale(base, number) for base in bases]

    assert at(span.first) == made
    assert at(float(span.short)) == made
    assert at(ceil_float(span.high)) != made
    if span.low > 0:
        assert at(float(span.low) * (1 - 1e-12)) != made


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.fractions(Fraction(1, 50), 4))
def test_repetitions_are_rounded_up(numbers: list[int], factor: Fraction) -> None:
    span = of_ceilings(numbers, factor)
    made = [math.ceil(number * factor) for number in numbers]
    assert span.holds(factor)
    assert span.high is not None
    assert [math.ceil(number * span.high) for number in numbers] == made
    assert [math.ceil(number * span.short) for number in numbers] == made
    assert [math.ceil(number * span.low) for number in numbers] != made
    assert [math.ceil(number * (span.high + Fraction(1, 10**9))) for number in numbers] != made


@pytest.mark.parametrize(
    ("low", "high", "ends_in", "short"),
    [
        ("837/896", "299/320", False, "0.9343"),
        ("1/2", "2/3", True, "0.6"),
        ("1/2", "1", False, "0.8"),
        ("1/2", "1", True, "1"),
        ("1", "5/4", False, "1"),
        ("1", "5/4", True, "1.1"),
        ("0", "3/2000", False, "0.001"),
    ],
)
def test_the_shortest_decimal(low: str, high: str, ends_in: bool, short: str) -> None:
    span = Span(Fraction(low), Fraction(high), ends_in)
    assert decimal(span.short) == short
    assert span.holds(span.short)


@given(st.fractions(Fraction(1, 10**9), 10**9))
def test_floats_beside_a_fraction(number: Fraction) -> None:
    below, above = floor_float(number), ceil_float(number)
    assert Fraction(below) <= number <= Fraction(above)
    assert above in (below, math.nextafter(below, math.inf))

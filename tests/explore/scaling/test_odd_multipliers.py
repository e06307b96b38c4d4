"""Multipliers that are used in every other way than to scale once, held against counts one by one."""

import math
from fractions import Fraction
from random import Random
from typing import Any

import pytest

import costlab
from costlab import Block, Conv2d, Definition, Ratio, block, scale, seq
from costlab.errors import DefinitionError

WIDTHS = sorted(
    {
        width
        for base in (6, 7, 8, 12, 14, 16, 32, 48)
        for k in range(3 * base)
        for end in [(2 * k + 1) / (2 * base)]
        for width in (math.nextafter(end, 0), end, math.nextafter(end, 9), end + 1 / 97)
    }
)


@block(input="3x8x8")
def twice(width: Ratio = 1.0) -> Block:
    """Scaled, and scaled again."""
    return seq(Conv2d(scale(16, width), 3), Conv2d(scale(scale(12, width), width), 1))


@block(input="3x8x8")
def squared(width: Ratio = 1.0) -> Block:
    """By the square of it."""
    factor: Any = width
    return seq(Conv2d(scale(12, factor * factor), 3), Conv2d(8, 1))


@block(input="3x8x8")
def truncated(width: Ratio = 1.0) -> Block:
    """Scaled, and cut off."""
    factor: Any = width
    return seq(Conv2d(scale(12, width), 3), Conv2d(max(1, int(7 * factor)), 1))


@block(input="3x8x8")
def doubled(width: Ratio = 1.0) -> Block:
    """Scaled, and scaled by twice as much."""
    return seq(Conv2d(scale(12, width), 3), Conv2d(scale(7, 2 * width), 1))


@block(input="3x8x8")
def by_eight(width: Ratio = 1.0) -> Block:
    """Rounded to multiples of eight, as MobileNet's are."""

    factor: Any = width

    def rounded(channels: int) -> int:
        made = max(8, int(channels * factor + 4) // 8 * 8)
        return made + 8 if made < 0.9 * channels * factor else made

    return seq(Conv2d(rounded(32), 3), Conv2d(rounded(48), 1))


@block(input="3x8x8")
def clamped(width: Ratio = 1.0) -> Block:
    """No wider than nine."""
    channels: Any = scale(6, width)
    return seq(Conv2d(min(channels, 9), 1), Conv2d(20, 1))


@block(input="3x8x8")
def refusing(width: Ratio = 1.0) -> Block:
    """No wider than it wants to be."""
    factor: Any = width
    if factor > 1.45:
        raise ValueError("too wide")
    return seq(Conv2d(scale(12, width), 3), Conv2d(scale(7, width), 1))


@block(input="3x8x8")
def with_holes(width: Ratio = 1.0) -> Block:
    """Only where three divides its channels."""
    channels: Any = scale(12, width)
    if channels % 3:
        raise ValueError("no multiple of three")
    return seq(Conv2d(scale(12, width), 3), Conv2d(scale(7, width), 1))


RISING = (twice, squared, truncated, doubled, by_eight, clamped, refusing, with_holes)


def total(definition: Definition[...], width: float) -> int | None:
    try:
        return int(costlab.count(definition, width=width).multiply_adds)
    except (ValueError, DefinitionError):
        return None


@pytest.mark.parametrize("definition", RISING, ids=lambda each: each.name)
def test_the_largest_its_whole_interval_and_the_next_above(definition: Definition[...]) -> None:
    random = Random(definition.name)
    sample = random.sample(WIDTHS, 200)
    totals = {width: found for width in sample if (found := total(definition, width)) is not None}
    budgets = [random.choice(list(totals.values())) for _ in range(3)]
    budgets += [round(random.choice(list(totals.values())) * random.uniform(1, 1.2)) for _ in range(3)]
    for budget in budgets:
        scaled = costlab.scale_to(definition, budget)
        best, above = scaled.best, scaled.above
        assert best is not None
        assert best.low is not None
        assert total(definition, float(best.number)) == best.total <= budget
        assert best.total >= max(each for each in totals.values() if each <= budget)
        inside = [width for width in sample if best.low * (1 + EPSILON) < width < _end(best.high)]
        assert {total(definition, width) for width in inside} <= {best.total}
        assert total(definition, float(best.low * (1 - EPSILON)) or 1e-300) != best.total or best.low == 0
        if best.high is not None:
            assert total(definition, float(best.high * (1 + EPSILON))) != best.total
        if above is not None:
            assert total(definition, float(above.number)) == above.total > budget
            assert best.high is not None
            assert above.low is not None
            between = [width for width in totals if _end(above.low) > width > best.high * (1 + EPSILON)]
            assert all(totals[width] <= budget for width in between)


EPSILON = Fraction(1, 10**12)


def _end(number: Fraction | None) -> Fraction:
    return Fraction(10**9) if number is None else number * (1 - EPSILON)


@pytest.mark.parametrize("tiny", [1e-9, 1e-6, 0.001])
def test_a_target_that_is_as_narrow_as_can_be_is_widened(tiny: float) -> None:
    plain = costlab.scale_to("vgg16", "1e9")
    narrow = costlab.scale_to(f"vgg16:width={tiny!r}", "1e9")
    assert plain.best is not None
    assert narrow.best is not None
    assert (narrow.best.interval, narrow.best.total) == (plain.best.interval, plain.best.total)


@pytest.mark.parametrize("budget", [10**6, 10**9, 10**30])
def test_where_the_cost_ceases_to_rise_all_beyond_is_one_network(budget: int) -> None:
    scaled = costlab.scale_to(clamped, budget)
    assert scaled.best is not None
    assert scaled.above is None
    assert scaled.best.high is None
    assert scaled.best.low == pytest.approx(Fraction(17, 12))
    assert scaled.best.total == total(clamped, 1.5)


@block(input="3x8x8")
def sawtooth(n: int = 30) -> Block:
    """Wider, and every seventh time narrower again."""
    return seq(Conv2d(1 + 3 * (n % 7) + n // 2, 3))


@pytest.mark.parametrize("budget", [5_000, 20_000, 43_000, 100_000])
def test_where_costs_fall_all_whole_numbers_are_looked_at(budget: int) -> None:
    scaled = costlab.scale_to(sawtooth, budget, axis="n")
    assert scaled.best is not None
    assert scaled.every
    assert scaled.falls
    totals = [int(costlab.count(sawtooth, n=n).multiply_adds) for n in range(int(scaled.up_to))]
    assert scaled.best.total == max(each for each in totals if each <= budget)
    assert scaled.looked_at == len(totals)


@block(input="3x8x8")
def falling(width: Ratio = 1.0) -> Block:
    """Narrower, where it is scaled by more."""
    factor: Any = width
    return seq(Conv2d(scale(6, width), 1), Conv2d(scale(20, 1 / factor), 1))


@block(input="3x8x8")
def looking(width: Ratio = 1.0) -> Block:
    """Another network from some width on."""
    factor: Any = width
    return seq(Conv2d(scale(12, width), 3), Conv2d(2 if factor > 0.9 else 30, 1))


def test_it_is_not_claimed_that_all_were_looked_at_where_the_definition_looks_at_the_number() -> None:
    for definition in (falling, looking, truncated):
        scaled = costlab.scale_to(definition, int(costlab.count(definition).multiply_adds))
        assert not scaled.every
    with pytest.raises(DefinitionError, match=r"falling: even width=.*, the least of those looked at, has"):
        costlab.scale_to(falling, 100)

"""Two samples held against SciPy and all permutations."""

from itertools import combinations, pairwise
from math import comb, inf, isnan, nan, sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp, ttest_ind  # type: ignore[import-untyped]  # it has no types

from costlab.errors import DefinitionError
from costlab.train.two_samples import (
    compare_errors,
    critical_gap,
    distribution,
    largest_gap,
    mean_difference,
    members_to_tell,
)

FEW = st.lists(st.integers(0, 4).map(float), min_size=1, max_size=5)
SAMPLES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def gap_of(first: list[float], second: list[float]) -> float:
    """The statistic by its definition."""

    def share(errors: list[float], value: float) -> float:
        return sum(each <= value for each in errors) / len(errors)

    return max(abs(share(first, value) - share(second, value)) for value in first + second)


def dealt(pooled: list[float], first: int) -> list[float]:
    """The gaps of all ways to deal the values to two samples."""
    everything = range(len(pooled))
    gaps = []
    for chosen in combinations(everything, first):
        rest = [pooled[i] for i in everything if i not in chosen]
        gaps.append(gap_of([pooled[i] for i in chosen], rest))
    return gaps


@given(SAMPLES, st.floats(-0.5, 1.5))
def test_a_distribution_counts_what_is_at_most_as_large(errors: list[float], value: float) -> None:
    found = distribution(errors)
    assert found.share(value) == sum(each <= value for each in errors) / len(errors)
    assert list(found.values) == sorted(set(errors))
    assert [found.share(each) for each in found.values] == list(found.shares)
    assert found.shares[-1] == 1
    assert found.size == len(errors)


def test_a_gap_by_hand() -> None:
    # At 0.3 three of four lie below, and one of five.
    found = largest_gap([0.1, 0.2, 0.3, 0.9], [0.3, 0.4, 0.5, 0.6, 0.7])
    assert found.gap == pytest.approx(0.75 - 0.2)
    assert (found.at, found.shares, found.sizes) == (0.3, (0.75, 0.2), (4, 5))
    # Of the 6 ways to deal four values in pairs, two put both of the lower ones together.
    assert largest_gap([1, 2], [3, 4])[:2] == (1.0, 2 / 6)
    assert largest_gap([1, 3], [2, 4])[:2] == (0.5, 1.0)
    # 0, 1, 1, 1: whoever has the 0, the gap is a half.
    assert largest_gap([0, 1], [1, 1])[:2] == (0.5, 1.0)
    assert largest_gap([1, 1], [1, 1]) == (0.0, 1.0, 1.0, (1.0, 1.0), (2, 2))
    assert largest_gap([1], [2]) == (1.0, 1.0, 1.0, (1.0, 0.0), (1, 1))


@pytest.mark.parametrize("seed", range(40))
def test_the_test_against_scipy_without_ties(seed: int) -> None:
    random = Random(seed)
    a = [random.random() for _ in range(random.randint(1, 40))]
    b = [random.random() ** random.choice((1, 3)) for _ in range(random.randint(1, 40))]
    theirs = ks_2samp(a, b, method="exact")
    found = largest_gap(a, b)
    assert found[:2] == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)
    assert found.at == theirs.statistic_location or gap_of(a, b) == pytest.approx(
        abs(found.shares[0] - found.shares[1])
    )


@settings(deadline=None, max_examples=60)
@given(FEW, FEW)
def test_the_test_against_all_permutations_with_ties(first: list[float], second: list[float]) -> None:
    gaps = dealt(first + second, len(first))
    found = largest_gap(first, second)
    assert found.gap == pytest.approx(gap_of(first, second))
    assert found.p == pytest.approx(sum(gap > found.gap - 1e-9 for gap in gaps) / len(gaps))


@given(SAMPLES, SAMPLES)
def test_the_gap_has_no_side_and_lies_where_it_says(first: list[float], second: list[float]) -> None:
    here, there = largest_gap(first, second), largest_gap(second, first)
    assert here[:3] == there[:3]
    assert (here.shares, here.sizes) == (there.shares[::-1], there.sizes[::-1])
    assert 0 <= here.gap <= 1
    assert 0 < here.p <= 1
    assert (here.gap == 0) == (distribution(first)[:2] == distribution(second)[:2])
    assert here.shares == (distribution(first).share(here.at), distribution(second).share(here.at))
    assert abs(here.shares[0] - here.shares[1]) == pytest.approx(here.gap)


@given(SAMPLES, SAMPLES)
def test_what_keeps_the_order_keeps_the_gap(first: list[float], second: list[float]) -> None:
    ranks = {value: rank for rank, value in enumerate(sorted({*first, *second}))}
    here = largest_gap(first, second)
    moved = largest_gap([ranks[each] ** 3 for each in first], [ranks[each] ** 3 for each in second])
    assert (moved.gap, moved.p, moved.shares) == (here.gap, here.p, here.shares)
    assert moved.at == ranks[here.at] ** 3
    turned = largest_gap([-each for each in first], [-each for each in second])
    assert turned[:2] == here[:2]


@given(st.integers(1, 12), st.integers(1, 12))
def test_p_falls_as_the_gap_grows(first: int, second: int) -> None:
    # All of one sample lies between two of the other: the deeper inside, the smaller the gap.
    found = [
        largest_gap([0.5 + k / 100 for k in range(first)], [float(k >= split) for k in range(second)])
        for split in range(second + 1)
    ]
    found.sort()
    for less, more in pairwise(found):
        assert (more.p < less.p) if more.gap > less.gap + 1e-9 else more.gap == pytest.approx(less.gap)


def test_samples_of_thousands_have_tiny_p_values() -> None:
    below, above = [k / 1e4 for k in range(1000)], [1 + k / 1e4 for k in range(1500)]
    found = largest_gap(below, above)  # p is 2 / comb(2500, 1000)
    assert found[:2] == (1.0, 0.0)
    assert (found.at, found.shares, found.sizes) == (0.0999, (1.0, 0.0), (1000, 1500))
    assert largest_gap(below[:400], above[:500]).p == 2 / comb(900, 400)
    theirs = ks_2samp(range(300), [k + 60.5 for k in range(300)], method="exact")
    found = largest_gap(range(300), [k + 60.5 for k in range(300)])
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-9)


@pytest.mark.parametrize(
    ("first", "second", "steps"),
    [
        # Of comb(m + n, n) ways to deal, 2 set all of one sample below the other: 2 / 70 and 2 / 56.
        (4, 4, 1.0),
        (3, 5, 1.0),
        # 2 / 20, 2 / 21 and 2 / 31 are too many, and 2 / 40 is not below 5%.
        (1, 39, None),
        (1, 40, 1.0),
        (3, 3, None),
        (2, 5, None),
        (1, 30, None),
    ],
)
def test_the_least_gap_that_tells_by_hand(first: int, second: int, steps: float | None) -> None:
    assert critical_gap(first, second) == critical_gap(second, first) == steps


@pytest.mark.parametrize("first", range(2, 8))
@pytest.mark.parametrize("second", range(3, 6))
def test_the_least_gap_that_tells_is_the_least_of_all_that_there_are(first: int, second: int) -> None:
    gaps = dealt([float(k) for k in range(first + second)], first)
    for significance in (0.05, 0.2):
        telling = [
            gap
            for gap in set(gaps)
            if sum(each > gap - 1e-9 for each in gaps) < significance * len(gaps) - 1e-9
        ]
        least = critical_gap(first, second, significance)
        assert least == (pytest.approx(min(telling)) if telling else None)


@pytest.mark.parametrize(("first", "second"), [(24, 24), (24, 30), (24, 31), (60, 40), (90, 89)])
def test_the_least_gap_that_tells_is_where_scipys_p_passes_5_percent(first: int, second: int) -> None:
    below, least = critical_gap(first, second), critical_gap(first, second, 0.06)
    assert below is not None
    assert least is not None
    assert least <= below
    seen = set()
    for place in range(first + 1):
        # The second sample lies together between two of the first: the gap is the larger part of the first.
        a, b = [float(k) for k in range(first)], [place - 0.5 + k / 1000 for k in range(second)]
        found, theirs = largest_gap(a, b), ks_2samp(a, b, method="exact")
        assert (theirs.pvalue < 0.05) == (found.gap >= below - 1e-12)
        seen.add(theirs.pvalue < 0.05)
    for shift in range(0, first, 3):
        a, b = [k / first for k in range(first)], [(k + 0.37) / second + shift / first for k in range(second)]
        found, theirs = largest_gap(a, b), ks_2samp(a, b, method="exact")
        assert (theirs.pvalue < 0.05) == (found.gap >= below - 1e-12)
        seen.add(theirs.pvalue < 0.05)
    assert seen == {True, False}


@pytest.mark.parametrize("gap", [1.0, 0.9, 0.75, 0.5, 0.4, 0.3, 0.2])
def test_the_members_that_tell_a_gap_are_the_fewest(gap: float) -> None:
    found = members_to_tell(gap)
    assert found is not None
    for members in range(1, found + 1):
        least = critical_gap(members, members)
        # The least gap of so many members that is at least as large.
        seen = next(k / members for k in range(1, members + 1) if k / members >= gap - 1e-12)
        assert (least is not None and seen >= least - 1e-12) == (members == found)


def test_more_members_than_the_limit() -> None:
    assert members_to_tell(0.001) is None
    assert members_to_tell(0.5, limit=12) is None
    assert members_to_tell(0.5, limit=13) == members_to_tell(0.5) == 13


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=8, unique=True),
    st.lists(st.floats(0, 1), min_size=2, max_size=8, unique=True),
)
def test_a_difference_of_means_against_scipy(first: list[float], second: list[float]) -> None:
    found = mean_difference(first, second, 10**9)
    theirs = ttest_ind(first, second, equal_var=False).confidence_interval()
    assert found.mean == pytest.approx(sum(first) / len(first) - sum(second) / len(second))
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), rel=1e-6, abs=1e-8)
    back = mean_difference(second, first, 10**9)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))
    assert found.count == min(len(first), len(second))


def test_which_errors_are_lower_by_hand() -> None:
    low, high = [0.20 + 0.01 * i for i in range(5)], [0.40 + 0.01 * i for i in range(5)]
    # All of one below the other: 2 of the comb(10, 5) = 252 ways; of three and three, 2 of 20.
    assert compare_errors(low, high, 1000)[2:] == (True, 0)
    assert compare_errors(high, low, 1000)[2:] == (True, 1)
    assert compare_errors(low[:3], high[:3], 1000)[2:] == (False, None)
    # 15 of 21 are lower, and the mean is not.
    crossing = [*low, *low, *low, *[0.9] * 6]
    assert compare_errors(crossing, [0.25] * 20, 1000)[2:] == (True, None)


def test_errors_are_known_to_one_image_only() -> None:
    # Both have the deviation of rounding: t of 2 degrees of freedom, times sqrt(2 / (12 * 1000**2) / 2).
    found = mean_difference([0.5, 0.5], [0.4, 0.4], 1000)
    half = 4.302652729749462 * sqrt(1 / 12) / 1000
    assert found == pytest.approx((0.1, 0.1 - half, 0.1 + half, 2))
    assert mean_difference([0.5], [0.1, 0.2], 1000) == pytest.approx((0.35, -inf, inf, 1))


@pytest.mark.slow
def test_welchs_interval_holds_the_difference_of_skewed_errors() -> None:
    """Log-normal tails of two shapes, 24 members each: how often the interval holds the true difference."""
    random = Random(7)
    held, times = 0, 1000

    def errors(spread: float) -> list[float]:
        return [0.3 + 0.05 * random.lognormvariate(0, spread) for _ in range(24)]

    true = 0.05 * (2.718281828459045 ** (0.6**2 / 2) - 2.718281828459045 ** (0.3**2 / 2))
    for _ in range(times):
        found = mean_difference(errors(0.6), errors(0.3), 5000)
        held += found.low <= true <= found.high
    assert held / times == pytest.approx(0.94, abs=0.025)


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_errors_that_are_no_numbers(bad: float) -> None:
    for call in (
        lambda: distribution([0.1, bad]),
        lambda: largest_gap([0.1], [bad]),
        lambda: mean_difference([bad, 0.1], [0.1, 0.2], 100),
    ):
        with pytest.raises(DefinitionError, match="must be a finite number"):
            call()


def test_what_cannot_be_compared() -> None:
    for call in (lambda: distribution([]), lambda: largest_gap([], [0.1]), lambda: largest_gap([0.1], [])):
        with pytest.raises(DefinitionError, match="at least one error"):
            call()
    for sizes in ((0, 3), (3, 0)):
        with pytest.raises(DefinitionError, match="members=0 must be at least 1"):
            critical_gap(*sizes)
    for gap in (0.0, -0.5, 1.5, nan):
        with pytest.raises(DefinitionError, match=r"gap=.* must be above 0"):
            members_to_tell(gap)
    for significance in (0.0, 1.0, nan):
        assert isnan(significance) or significance in (0.0, 1.0)
        with pytest.raises(DefinitionError, match=r"significance=.* must be between"):
            critical_gap(5, 5, significance)
        with pytest.raises(DefinitionError, match=r"significance=.* must be between"):
            members_to_tell(0.5, significance)

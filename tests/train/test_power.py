"""Power held against SciPy's noncentral t distribution, printed tables, simulated runs, and its own laws."""

from math import inf, isnan, nan, sqrt
from random import Random
from statistics import fmean, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]  # it has no types

from costlab.errors import DefinitionError
from costlab.train.power import least_effect, power, prospect, seeds_to_tell, spread_factor
from costlab.train.statistics import Interval, interval, paired_difference


@pytest.mark.parametrize("seeds", [2, 3, 4, 5, 8, 20, 100, 1000, 10_000])
def test_power_against_scipy(seeds: int) -> None:
    beyond, compared = stats.t.ppf(0.975, seeds - 1), 0
    for effect in (0.0, 0.001, 0.02, 0.1, 0.3, 1.0, 2.0, 5.0):
        shift = effect * sqrt(seeds)
        theirs = stats.nct.sf(beyond, seeds - 1, shift) + stats.nct.cdf(-beyond, seeds - 1, shift)
        if not isnan(theirs):  # it is where the chance is nearly 1
            assert power(effect, seeds) == pytest.approx(theirs, abs=2e-8)
            compared += 1
    assert compared >= 4


@pytest.mark.parametrize("seeds", [2, 3, 5, 24, 500])
def test_a_difference_of_0_is_told_as_often_as_a_test_errs(seeds: int) -> None:
    assert power(0.0, seeds) == pytest.approx(0.05, abs=1e-12)


@pytest.mark.parametrize("effect", [0.05, 0.2, 0.5, 0.8, 1.0, 1.5, 3.0])
def test_the_seeds_that_tell_are_the_fewest_by_scipy(effect: float) -> None:
    def theirs(seeds: int) -> float:
        return float(stats.nct.sf(stats.t.ppf(0.975, seeds - 1), seeds - 1, effect * sqrt(seeds)))

    found = seeds_to_tell(effect, 1.0)
    assert found is not None
    assert theirs(found) >= 0.8 > theirs(found - 1)


def test_the_seeds_that_tell_medium_effects() -> None:
    # The sizes that G*Power and textbooks give for a paired t test at 5% and 80%: 199, 34 and 15.
    assert [seeds_to_tell(effect, 1.0) for effect in (0.2, 0.5, 0.8)] == [199, 34, 15]


@pytest.mark.slow
@pytest.mark.parametrize(("effect", "seeds"), [(3.264, 3), (1.682, 5), (0.8, 15)])
def test_power_by_simulated_runs(effect: float, seeds: int) -> None:
    random, told, times = Random(3), 0, 4000
    for _ in range(times):
        values = [random.gauss(effect, 1.0) for _ in range(seeds)]
        half = stats.t.ppf(0.975, seeds - 1) * stdev(values) / sqrt(seeds)
        told += abs(fmean(values)) > half
    assert told / times == pytest.approx(power(effect, seeds), abs=0.02)  # three standard errors


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 5), st.floats(0, 5), st.integers(2, 300))
def test_power_rises_with_the_effect_and_the_seeds(one: float, other: float, seeds: int) -> None:
    less, more = sorted((one, other))
    assert 0.05 - 1e-12 <= power(less, seeds) <= power(more, seeds) + 1e-12 <= 1 + 2e-12
    assert power(less, seeds) <= power(less, seeds + 1) + 1e-12
    assert power(-less, seeds) == power(less, seeds)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 2000))
def test_the_least_effect_is_told_and_falls_with_the_seeds(seeds: int) -> None:
    effect = least_effect(seeds)
    assert power(effect, seeds) == pytest.approx(0.8, abs=1e-9)
    assert least_effect(seeds + 1) < effect
    assert seeds_to_tell(effect, 1.0) == seeds
    assert seeds_to_tell(effect * (1 - 1e-9), 1.0) == seeds + 1


@settings(deadline=None, max_examples=40)
@given(st.floats(0.001, 1.0), st.floats(0.001, 0.2), st.integers(-5, 5))
def test_seeds_hang_on_the_ratio_alone(difference: float, spread: float, power_of_2: int) -> None:
    found = seeds_to_tell(difference, spread)
    scale = 2.0**power_of_2
    assert found == seeds_to_tell(-difference, spread) == seeds_to_tell(difference * scale, spread * scale)


def test_more_seeds_than_the_limit() -> None:
    assert seeds_to_tell(0.0, 0.01) is None
    assert seeds_to_tell(1e-300, 0.01) is None
    assert seeds_to_tell(0.001, 0.5) is None
    assert seeds_to_tell(0.5, 1.0, limit=34) == 34
    assert seeds_to_tell(0.5, 1.0, limit=33) is None
    assert seeds_to_tell(0.5, 1.0, limit=2) is None
    assert seeds_to_tell(1e9, 1e-9) == 2
    edge = least_effect(10_000)
    assert seeds_to_tell(edge, 1.0) == 10_000
    assert seeds_to_tell(edge * 0.9999, 1.0) is None


@pytest.mark.parametrize("seeds", [2, 3, 5, 10, 100, 2000])
def test_how_much_larger_a_spread_may_be(seeds: int) -> None:
    theirs = sqrt((seeds - 1) / stats.chi2.ppf(0.05, seeds - 1))
    assert spread_factor(seeds) == pytest.approx(theirs, rel=1e-9)


def test_a_prospect_by_hand() -> None:
    # +0.01, -0.01 and +0.03: a mean of 0.01 and a deviation of 0.02.
    found = prospect(interval([0.01, -0.01, 0.03]))
    assert found is not None
    assert found[:3] == pytest.approx((3, 0.01, 0.02))
    assert found.largest_spread == pytest.approx(0.02 * sqrt(2 / 0.102586589), rel=1e-6)
    # 3.264 deviations: 1 - P(T < 4.303) of the noncentral t distribution of 3.264 * sqrt(3) is 80%.
    assert found.told == pytest.approx(0.06528, abs=1e-5)
    # Half a deviation takes 34, as a table has it; and the difference is 1 point itself.
    assert (found.for_point, found.for_seen) == (34, 34)
    assert found.for_point_at_most == seeds_to_tell(0.01, found.largest_spread) == 615


def test_equal_differences_have_the_spread_of_rounding() -> None:
    found = prospect(paired_difference({0: 0.5, 1: 0.6}, {0: 0.5, 1: 0.6}, 1000))
    assert found is not None
    assert found.difference == 0.0
    assert found.spread == pytest.approx(1 / (sqrt(6) * 1000))
    assert found.for_seen is None
    assert found.for_point == 2  # 1 point is 24.5 of these deviations, and two seeds tell 11.55


def test_too_few_seeds_have_no_prospect() -> None:
    assert prospect(interval([0.1])) is None
    assert prospect(interval([])) is None
    assert prospect(Interval(0.1, -inf, inf, 1)) is None


def test_what_has_no_power() -> None:
    for seeds in (-1, 0, 1):
        for call in (lambda n: power(0.1, n), least_effect, spread_factor):
            with pytest.raises(DefinitionError, match=f"seeds={seeds} must be at least 2"):
                call(seeds)
    with pytest.raises(DefinitionError, match="effect=nan must be a number"):
        power(nan, 3)
    for spread in (0.0, -1.0, inf, nan):
        with pytest.raises(DefinitionError, match=r"spread=.* must be above 0"):
            seeds_to_tell(0.01, spread)
    for difference in (inf, -inf, nan):
        with pytest.raises(DefinitionError, match=r"difference=.* must be a finite number"):
            seeds_to_tell(difference, 0.01)

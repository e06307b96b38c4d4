"""Statistics of seeds against published tables, closed forms, hand arithmetic and simulation."""

from dataclasses import replace
from math import inf, isnan, pi, sqrt, tan
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costlab.errors import DefinitionError
from costlab.train.experiment import Expectation
from costlab.train.statistics import (
    Interval,
    accuracy_interval,
    interval,
    judge,
    multiply_adds_per_second,
    paired_difference,
    student_t,
)
from tests.train.records import arm, run, sample, timing

CLAIM = Expectation("a is no worse than b", "a", "b", "no figure", "nowhere")


@pytest.mark.parametrize(
    ("freedom", "confidence", "printed"),
    [
        # NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: upper critical values of Student's t.
        (1, 0.95, "12.706"),
        (2, 0.95, "4.303"),
        (3, 0.95, "3.182"),
        (4, 0.95, "2.776"),
        (9, 0.95, "2.262"),
        (30, 0.95, "2.042"),
        (100, 0.95, "1.984"),
        (1, 0.99, "63.657"),
        (4, 0.90, "2.132"),
        (30, 0.998, "3.385"),
    ],
)
def test_the_quantile_against_a_published_table(freedom: int, confidence: float, printed: str) -> None:
    assert f"{student_t(freedom, confidence):.3f}" == printed


@settings(deadline=None, max_examples=40)
@given(st.floats(0.01, 0.9999))
def test_the_quantile_against_closed_forms(confidence: float) -> None:
    assert student_t(1, confidence) == pytest.approx(tan(pi * confidence / 2), rel=1e-9)
    assert student_t(2, confidence) == pytest.approx(confidence * sqrt(2 / (1 - confidence**2)), rel=1e-9)


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 200), st.floats(0.05, 0.999))
def test_the_quantile_falls_with_freedom_and_rises_with_confidence(freedom: int, confidence: float) -> None:
    here = student_t(freedom, confidence)
    assert student_t(freedom + 1, confidence) < here < student_t(freedom, (1 + confidence) / 2)


@pytest.mark.parametrize(
    ("freedom", "confidence"), [(0, 0.95), (3, 0.0), (3, 1.0), (3, 1.5), (3, float("nan"))]
)
def test_what_is_no_quantile(freedom: int, confidence: float) -> None:
    with pytest.raises(DefinitionError, match=r"must be"):
        student_t(freedom, confidence)


def test_an_interval_by_hand() -> None:
    # Deviations of 1, 2, 3 from their mean are -1, 0, 1: the standard deviation is 1.
    found = interval([1.0, 2.0, 3.0])
    half = 4.302652729749462 / sqrt(3)
    assert found == pytest.approx((2.0, 2.0 - half, 2.0 + half, 3))
    # Two values that are 2 apart: t is 12.7062, the deviation sqrt(2), the root sqrt(2).
    assert interval([0.0, 2.0]) == pytest.approx((1.0, 1 - 12.706204736, 1 + 12.706204736, 2))
    assert interval([0.0, 2.0], confidence=0.5) == pytest.approx((1.0, 0.0, 2.0, 2))


def test_fewer_than_two_values_bound_nothing() -> None:
    assert interval([0.7]) == Interval(0.7, -inf, inf, 1)
    none = interval([])
    assert isnan(none.mean)
    assert none[1:] == (-inf, inf, 0)
    assert not none.known
    assert not interval([0.7]).known
    assert interval([0.7, 0.7]).known


def test_an_interval_holds_the_mean_as_often_as_it_says() -> None:
    random = Random(1)
    held, times = 0, 4000
    for _ in range(times):
        found = interval([random.gauss(0.7, 0.02) for _ in range(5)])
        held += found.low <= 0.7 <= found.high
    # The standard error is sqrt(0.95 * 0.05 / 4000) = 0.0034.
    assert held / times == pytest.approx(0.95, abs=0.012)


def test_accuracies_are_within_what_they_can_be_and_known_to_one_image() -> None:
    found = accuracy_interval((0.85, 0.87), 1000)
    assert found == pytest.approx((0.86, 0.86 - 0.12706204736, 0.86 + 0.12706204736, 2))
    assert accuracy_interval((0.95, 0.99), 1000).high == 1.0
    assert accuracy_interval((0.01, 0.05), 1000).low == 0.0
    same = accuracy_interval((0.5, 0.5), 1000)  # 12.70620 / sqrt(2) / (sqrt(12) * 1000)
    assert same == pytest.approx((0.5, 0.5 - 0.00259364, 0.5 + 0.00259364, 2), abs=1e-7)
    assert accuracy_interval((0.5,), 10) == (0.5, -inf, inf, 1)


def test_differences_are_paired_by_the_seeds_that_both_have() -> None:
    # Seeds differ by much, the two arms by 0.01 and 0.03 on every one of them.
    a, b = {0: 0.51, 1: 0.93, 2: 0.2}, {1: 0.9, 0: 0.5, 7: 0.1}
    found = paired_difference(a, b, 10**6)
    assert found == pytest.approx((0.02, 0.02 - 0.12706204736, 0.02 + 0.12706204736, 2))
    assert paired_difference(a, {7: 0.1}, 100).count == 0
    assert paired_difference(a, {2: 0.1}, 100) == pytest.approx((0.1, -inf, inf, 1))


@pytest.mark.parametrize(
    ("better", "worse", "verdict"),
    [
        ((0.72, 0.73, 0.74), (0.70, 0.71, 0.715), "same direction"),
        ((0.70, 0.71, 0.715), (0.72, 0.73, 0.74), "opposite"),
        ((0.71, 0.71, 0.74), (0.70, 0.72, 0.71), "not distinguishable"),
        ((0.7, 0.8, 0.9), (0.7, 0.8, 0.9), "not distinguishable"),
        ((0.75, 0.5), (0.5, 0.25), "same direction"),
        (
            (0.753, 0.503),
            (0.75, 0.5),
            "not distinguishable",
        ),  # 3 of 1,000 images, twice: 3.7 could be rounding
        ((0.754, 0.504), (0.75, 0.5), "same direction"),
        ((0.5, 0.25), (0.75, 0.5), "opposite"),
        ((0.9,), (0.1,), "not distinguishable"),  # a single seed says nothing, however far
        ((0.9, None), (0.1, 0.1), "not distinguishable"),
        ((0.9, None), (None, 0.1), "not distinguishable"),  # no seed in common
        ((None, None), (0.1, 0.1), "not distinguishable"),
        ((), (), "not distinguishable"),
    ],
)
def test_verdicts(better: tuple[float | None, ...], worse: tuple[float | None, ...], verdict: str) -> None:
    found = judge(CLAIM, run([arm("a", "mini:width=0.1")], {"a": better, "b": worse}))
    assert found.claim == CLAIM
    assert found.verdict == verdict


def test_an_interval_that_touches_0_shows_no_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    import costlab.train.statistics as module

    for low, high in ((0.0, 0.1), (-0.1, 0.0), (0.0, 0.0)):
        touching = Interval(0.05, low, high, 3)
        monkeypatch.setattr(module, "paired_difference", lambda *_, found=touching: found)
        assert judge(CLAIM, sample()).verdict == "not distinguishable"


def test_a_difference_by_hand() -> None:
    found = judge(sample().claims[0], sample()).difference
    # +0.01, -0.01 and +0.03: the deviations from 0.01 are 0, -0.02 and 0.02.
    assert found == pytest.approx((0.01, 0.01 - 0.04968275, 0.01 + 0.04968275, 3), abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=2, max_size=8),
)
def test_a_claim_turned_round_has_the_verdict_turned_round(pairs: list[tuple[int, int]]) -> None:
    accuracies = {"a": [a / 1000 for a, _ in pairs], "b": [b / 1000 for _, b in pairs]}
    made = run([arm("a", "mini:width=0.1")], accuracies)
    there = judge(CLAIM, made)
    back = judge(replace(CLAIM, better="b", worse="a"), made)
    turned = {"same direction": "opposite", "opposite": "same direction"}
    assert back.verdict == turned.get(there.verdict, there.verdict)
    if all(a == b for a, b in pairs):
        assert there.verdict == "not distinguishable"


def test_what_a_step_achieves() -> None:
    made = replace(arm("a", "mini:width=0.1"), step_multiply_adds=1_000, timing=timing(0.5, batch_size=64))
    assert multiply_adds_per_second(made) == 128_000
    assert multiply_adds_per_second(replace(made, timing=None)) is None

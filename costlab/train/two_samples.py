"""Two samples of errors: their empirical distribution functions, and whether one distribution gave both.

Members drawn from two spaces are compared by the whole distributions of their errors: the largest gap
between the empirical distribution functions is the statistic of Kolmogorov and Smirnov, its p-value exact.

Sources: I. Radosavovic, J. Johnson, S. Xie, W.-Y. Lo and P. Dollár, "On Network Design Spaces for Visual
Recognition", ICCV 2019, which compares spaces so; N. V. Smirnov, "On the estimation of the
discrepancy between empirical curves of distribution for two independent samples", Bulletin of Moscow
University 2, 1939; J. L. Hodges, "The significance probability of the Smirnov two-sample test", Arkiv för
Matematik 3, 1958.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, groupby
from math import ceil, comb, floor, gcd, inf, isfinite, lcm, log, sqrt
from operator import add, mul
from statistics import fmean, variance
from typing import NamedTuple

from costlab.errors import DefinitionError
from costlab.train.statistics import CONFIDENCE, Interval, student_t

SIGNIFICANCE = 0.05
MOST_MEMBERS = 10_000
"""The largest samples that a plan is made for."""


class Distribution(NamedTuple):
    """An empirical distribution function: the share of a sample that is at most as large as a value.

    ``values`` ascend, each once; ``shares`` are those at them, the last one 1. It is constant in between.
    """

    values: tuple[float, ...]
    shares: tuple[float, ...]
    size: int

    def share(self, value: float) -> float:
        """The share of the sample that is at most ``value``."""
        place = bisect_right(self.values, value)
        return self.shares[place - 1] if place else 0.0


class LargestGap(NamedTuple):
    """The largest gap between two empirical distribution functions, and how likely one so large is.

    ``gap`` is the statistic D of Kolmogorov and Smirnov; ``p`` the share of all ways to deal the pooled
    values to samples of these ``sizes`` that have a gap at least as large. ``at`` is the least value at
    which the gap is that large, and ``shares`` are the shares of either sample that are at most ``at``.
    No p is 0: one that is shown so is below 1e-323.
    """

    gap: float
    p: float
    at: float
    shares: tuple[float, float]
    sizes: tuple[int, int]


class ComparedErrors(NamedTuple):
    """Two samples of errors: the test, the difference of their means, and the place of the lower ones.

    ``lower`` is None where they do not differ by the test, or differ without a direction.
    """

    test: LargestGap
    difference: Interval
    differ: bool
    lower: int | None


def distribution(errors: Iterable[float]) -> Distribution:
    """The empirical distribution function of a sample: ``F(e) = count(errors <= e) / count(errors)``.

    Raises:
        DefinitionError: there is no error, or one is not a finite number.
    """
    found = _sample(errors)
    groups = [(value, len(tuple(same))) for value, same in groupby(found)]
    counts = accumulate(count for _, count in groups)
    return Distribution(
        tuple(value for value, _ in groups), tuple(count / len(found) for count in counts), len(found)
    )


def largest_gap(first: Iterable[float], second: Iterable[float]) -> LargestGap:
    """The two-sided two-sample test of Kolmogorov and Smirnov, ``D = max |F_first(e) - F_second(e)|``.

    The p-value is exact, counted in integers, and holds for ties too: it is that of the permutations of the
    pooled values as they are, so that nothing lies between two equal ones. Accuracies are whole numbers of
    images and do tie; without heed of it, p would be too large. Without ties it is the classical one.

    Raises:
        DefinitionError: a sample has no error, or one is not a finite number.
    """
    a, b = _sample(first), _sample(second)
    unit = lcm(len(a), len(b))
    ends, furthest, at, shares = [], -1, 0.0, (0, 0)
    i = j = 0
    pooled = sorted([*((value, 0) for value in a), *((value, 1) for value in b)])
    for value, same in groupby(pooled, key=lambda each: each[0]):
        drawn = [which for _, which in same]
        i, j = i + drawn.count(0), j + drawn.count(1)
        ends.append(i + j)
        distance = abs(i * unit // len(a) - j * unit // len(b))
        if distance > furthest:
            furthest, at, shares = distance, value, (i, j)
    return LargestGap(
        furthest / unit,
        _p_value(furthest, len(a), len(b), ends),
        at,
        (shares[0] / len(a), shares[1] / len(b)),
        (len(a), len(b)),
    )


def compare_errors(first: Iterable[float], second: Iterable[float], images: int) -> ComparedErrors:
    """Which of two samples of errors on so many images has the lower ones, by `largest_gap`; 0, 1 or neither.

    They differ only where p is below `SIGNIFICANCE`. One of them is lower only where its distribution
    function is above at the largest gap, and its mean error the smaller one, too: else they cross.

    Raises:
        DefinitionError: a sample has no error, or one is not a finite number.
    """
    a, b = _sample(first), _sample(second)
    test, difference = largest_gap(a, b), mean_difference(a, b, images)
    differ, lower = test.p < SIGNIFICANCE, int(difference.mean > 0)
    above = test.shares[lower] > test.shares[1 - lower]
    return ComparedErrors(test, difference, differ, lower if differ and above and difference.mean else None)


@lru_cache
def critical_gap(first: int, second: int, significance: float = SIGNIFICANCE) -> float | None:
    """The least gap that tells two samples of so many members apart, if no errors are equal.

    It is the least D that two such samples can have with a p-value below ``significance``. None if there is
    no such gap: the samples are too small for anything to be told.

    Raises:
        DefinitionError: a sample has no member, or ``significance`` is not between 0 and 1.
    """
    for members in (first, second):
        if members < 1:
            raise DefinitionError(f"members={members} must be at least 1")
    _significance(significance)
    unit, everywhere = lcm(first, second), range(1, first + second + 1)

    def tells(distance: int) -> bool:
        return _p_value(distance, first, second, everywhere) < significance

    if not tells(unit):
        return None
    likely = sqrt(-log(significance / 2) / 2 * (first + second) / (first * second)) * unit
    high = min(ceil(likely), unit)
    while not tells(high):
        high = min(ceil(1.1 * high), unit)
    low = int(0.9 * high)
    while low > 0 and tells(low):
        low, high = int(0.9 * low), low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if tells(middle) else (middle, high)
    # Not every multiple of 1 / unit is a difference of shares: the next one that is.
    a, b = unit // first, unit // second
    reached = (i * a - (i * a - high) // b * b for i in range(first + 1) if i * a >= high)
    return min(reached) / unit


@lru_cache
def members_to_tell(gap: float, significance: float = SIGNIFICANCE, limit: int = MOST_MEMBERS) -> int | None:
    """The fewest members of either of two samples of one size that a gap of ``gap`` tells apart.

    ``p = 2 * sum((-1)**(k + 1) * comb(2 * n, n - k * h) for k = 1, 2, ...) / comb(2 * n, n)`` for a gap of
    h / n between samples of n members, which has to be below ``significance``. That is a gap that is seen: a
    true one of that size can be seen as a smaller one, and is then not told. None for more than ``limit``.

    Raises:
        DefinitionError: ``gap`` is not above 0 and at most 1, or ``significance`` not between 0 and 1.

    Source: B. V. Gnedenko and V. S. Korolyuk, "On the maximum discrepancy between two empirical
    distributions", Doklady Akademii Nauk SSSR 80, 1951.
    """
    _significance(significance)
    if not 0 < gap <= 1:
        raise DefinitionError(f"gap={gap} must be above 0 and at most 1")
    exactly, below = Fraction(str(float(gap))), Fraction(str(significance))
    likely = -log(significance / 2) / gap**2
    # A gap of h / n is told more easily the fewer the members: n is the least whose gap takes h members.
    for steps in range(ceil(exactly * Fraction(likely) / 2), ceil(exactly * limit) + 1):
        members = floor((steps - 1) / exactly) + 1
        if members <= limit and _of_equal_sizes(steps, members, below):
            return members
    return None


def _of_equal_sizes(steps: int, members: int, below: Fraction) -> bool:
    """Whether a gap of ``steps / members`` between two samples of that size has a p-value below this."""
    bound, outside = below * comb(2 * members, members), 0
    for k in range(1, members // steps + 1):
        term = 2 * comb(2 * members, members - k * steps)
        outside += term if k % 2 else -term
        # Terms alternate and fall: the sum lies between the last two of its parts.
        if k % 2 == 0 and outside >= bound:
            return False
        if k % 2 and outside < bound:
            return True
    return outside < bound


def mean_difference(first: Iterable[float], second: Iterable[float], images: int) -> Interval:
    """The interval of the mean of ``first`` less that of ``second``, errors on ``images`` images, by Welch.

    The mean is what a member drawn at random is expected to have. Errors are skewed, with a tail of bad
    members, and two spaces differ in spread and in shape: of all the usual intervals this one asks only that
    the means be about normal, and not that one distribution be the other one moved, as those of permutations
    and of ranks do. The count is that of the smaller sample; with less than two members it is not known.

    Raises:
        DefinitionError: a sample has no error, or one is not a finite number.

    Source: B. L. Welch, "The generalization of 'Student's' problem when several different population
    variances are involved", Biometrika 34, 1947.
    """
    a, b = _sample(first), _sample(second)
    difference, count = fmean(a) - fmean(b), min(len(a), len(b))
    if count < 2:
        return Interval(difference, -inf, inf, count)
    rounding = 1 / (12 * images**2)
    of_a, of_b = (max(variance(each), rounding) / len(each) for each in (a, b))
    freedom = (of_a + of_b) ** 2 / (of_a**2 / (len(a) - 1) + of_b**2 / (len(b) - 1))
    half = student_t(freedom, CONFIDENCE) * sqrt(of_a + of_b)
    return Interval(difference, difference - half, difference + half, count)


def _p_value(distance: int, first: int, second: int, ends: Sequence[int]) -> float:
    """The share of the ways to deal first + second values whose gap is at least ``distance`` anywhere.

    A way is a path from (0, 0) to (first, second), by a step in one direction for each value in ascending
    order. ``ends`` are the numbers of steps after which the gap counts, where no equal value follows;
    ``distance`` is in units of ``1 / lcm(first, second)``. The paths that stay nearer are counted from
    either end to the middle, where they meet.
    """
    if distance <= 0:
        return 1.0
    size = first + second
    middle = size // 2
    there, i = back, j = _paths(distance, first, second, frozenset(ends), middle)
    if len(ends) < size or size % 2:
        back, j = _paths(distance, first, second, frozenset(size - end for end in ends), size - middle)
    # A path of i steps in the first direction goes on with the first - i of one that comes from the end.
    start, stop = max(i, first - j - len(back) + 1), min(i + len(there), first - j + 1)
    from_end = back[first - j - stop + 1 : first - j - start + 1]
    within = sum(map(mul, there[start - i : stop - i], reversed(from_end))) if stop > start else 0
    everything = comb(size, first)
    return (everything - within) / everything


def _paths(distance: int, first: int, second: int, ends: frozenset[int], steps: int) -> tuple[list[int], int]:
    """How many paths of so many steps stay nearer, by their steps in the first direction; and the least."""
    common = gcd(first, second)
    a, b = second // common, first // common
    counts, least = [1], 0
    for k in range(1, steps + 1):
        counts = list(map(add, [*counts, 0], [0, *counts]))
        low, high = max(least, k - second), min(least + len(counts) - 1, first)
        if k in ends:
            # |i * a - (k - i) * b| < distance
            low = max(low, (k * b - distance) // (a + b) + 1)
            high = min(high, -((-k * b - distance) // (a + b)) - 1)
        counts, least = counts[low - least : max(high, low - 1) + 1 - least], low
    return counts, least


def _sample(errors: Iterable[float]) -> list[float]:
    found = sorted(map(float, errors))
    for each in found:
        if not isfinite(each):
            raise DefinitionError(f"error={each} must be a finite number")
    if not found:
        raise DefinitionError("a sample must have at least one error")
    return found


def _significance(significance: float) -> None:
    if not 0 < significance < 1:
        raise DefinitionError(f"significance={significance} must be between 0 and 1")

"""Power: what a number of seeds tells, and how many seeds tell a difference.

A difference of two arms, paired by seed, is told if the interval of its mean lies on one side of 0. For
differences that are normally distributed with mean ``d`` and standard deviation ``s``, the chance of that
is the power of Student's two-sided test.

Source: J. Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd edition, 1988, chapter 2.
"""

from collections.abc import Iterator
from functools import lru_cache
from math import erfc, exp, inf, isnan, sqrt
from statistics import NormalDist
from typing import NamedTuple

from costlab.errors import DefinitionError
from costlab.train.statistics import CONFIDENCE, Interval, student_t

POWER = 0.8
"""The chance with which a difference is told that a plan is made for."""
MOST_SEEDS = 10_000
"""The most seeds that a plan is made of."""
POINT = 0.01
BELL_STEP = 0.35
"""The step of a sum over a bell curve, in its deviations, at which the sum is the integral in a float."""
LONGEST_STEP = 0.12
"""The longest step over the logarithm of a deviation: ``exp(-pi**2 / (2 * step))`` is what is off."""


class Prospect(NamedTuple):
    """What ``seeds`` seeds tell at a spread of the paired differences that was seen, and how many tell more.

    ``told`` is the least true difference that so many seeds tell with a chance of `POWER`. ``for_point``
    seeds tell one of a point, ``for_point_at_most`` if the spread is ``largest_spread``, an upper bound at
    95%; ``for_seen`` tell the ``difference`` that was seen, if it is the true one. No number of seeds is
    None where it is above `MOST_SEEDS`. Differences are fractions.
    """

    seeds: int
    difference: float
    spread: float
    largest_spread: float
    told: float
    for_point: int | None
    for_point_at_most: int | None
    for_seen: int | None


def prospect(difference: Interval) -> Prospect | None:
    """What would tell a difference paired by seed; None for fewer than two seeds: no spread is known."""
    seeds = difference.count
    if not difference.known:
        return None
    spread = (difference.high - difference.low) / 2 * sqrt(seeds) / student_t(seeds - 1)
    largest = spread * spread_factor(seeds)
    return Prospect(
        seeds,
        difference.mean,
        spread,
        largest,
        spread * least_effect(seeds),
        seeds_to_tell(POINT, spread),
        seeds_to_tell(POINT, largest),
        seeds_to_tell(difference.mean, spread),
    )


def power(effect: float, seeds: int) -> float:
    """The chance that so many seeds tell a true difference of ``effect`` standard deviations.

    That the interval lies on one side of 0, on either: ``P(|T| > t)`` where T has the noncentral t
    distribution of ``effect * sqrt(seeds)``.

    Raises:
        DefinitionError: there are fewer than two seeds, or ``effect`` is no number.
    """
    _enough(seeds)
    if isnan(effect):
        raise DefinitionError(f"effect={effect} must be a number")
    return _power(abs(effect) * sqrt(seeds), seeds - 1)


@lru_cache(maxsize=1024)
def least_effect(seeds: int) -> float:
    """The least true difference that so many seeds tell with a chance of `POWER`, in standard deviations.

    Raises:
        DefinitionError: there are fewer than two seeds.
    """
    _enough(seeds)
    low, high = 0.0, 2 * student_t(seeds - 1) + 3
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (low, middle) if _power(middle, seeds - 1) >= POWER else (middle, high)
    return high / sqrt(seeds)


def seeds_to_tell(difference: float, spread: float, limit: int = MOST_SEEDS) -> int | None:
    """The fewest seeds that tell a true difference with a chance of at least `POWER`.

    ``spread`` is the standard deviation of the differences paired by seed, in the same unit. None for more
    than ``limit``, as for a difference of 0, which no number of seeds tells.

    Raises:
        DefinitionError: ``spread`` is not above 0, or ``difference`` is no finite number.
    """
    if not 0 < spread < inf:
        raise DefinitionError(f"spread={spread} must be above 0")
    if not abs(difference) < inf:
        raise DefinitionError(f"difference={difference} must be a finite number")
    effect, normal = abs(difference) / spread, NormalDist()
    # Without the uncertainty of the spread: fewer than it takes, and close where they are many.
    about = normal.inv_cdf((1 + CONFIDENCE) / 2) + normal.inv_cdf(POWER)
    if effect * sqrt(limit + 1) < about:
        return None
    seeds = max(2, int((about / effect) ** 2))
    while seeds <= limit and least_effect(seeds) > effect:
        seeds += 1
    while seeds > 2 and least_effect(seeds - 1) <= effect:
        seeds -= 1
    return seeds if seeds <= limit else None


@lru_cache(maxsize=1024)
def spread_factor(seeds: int) -> float:
    """How many times as large as the standard deviation that so many seeds show the true one may be.

    An upper bound at 95%, one-sided: ``sqrt((seeds - 1) / q)``, q the quantile of 5% of chi-square.

    Raises:
        DefinitionError: there are fewer than two seeds.
    """
    _enough(seeds)
    from mpmath import gammainc, mpf  # type: ignore[import-untyped]  # it has no types

    half, low, high = mpf(seeds - 1) / 2, 0.0, 1.0  # the median is below the mean, and so this quantile
    while (middle := (low + high) / 2) not in (low, high):
        below = gammainc(half, 0, half * middle**2, regularized=True) < 1 - CONFIDENCE
        low, high = (middle, high) if below else (low, middle)
    return 1 / high


def _power(shift: float, freedom: int) -> float:
    """``P(|T| > t)`` for T of the noncentral t distribution: the normal one's, summed over the deviations.

    ``T = (Z + shift) / W`` with Z standard normal and ``freedom * W**2`` of chi-square, so that it is the
    mean of ``P(|Z + shift| > t * W)``. Over the logarithm of W, equal steps sum up to a float's precision.
    """
    t = student_t(freedom)
    shift = min(shift, 10 * t + 40)  # from there on the chance is 1 in a float
    step = min(BELL_STEP / max(sqrt(2 * freedom), shift), LONGEST_STEP)
    everything = beyond = 0.0
    for w, weight in _deviations(freedom, step):
        everything += weight
        beyond += weight * (erfc((t * w - shift) / sqrt(2)) + erfc((t * w + shift) / sqrt(2))) / 2
    return beyond / everything


def _deviations(freedom: int, step: float) -> Iterator[tuple[float, float]]:
    """The values of W in equal steps of their logarithm, with their weights, ``(w * exp(-w**2 / 2))**f``."""
    for direction, first in ((1, 0), (-1, 1)):
        k = first
        while True:
            u = direction * k * step
            w = exp(u)
            log_weight = freedom * (u - (w * w - 1) / 2)
            if log_weight < -40:
                break
            yield w, exp(log_weight)
            k += 1


def _enough(seeds: int) -> None:
    if seeds < 2:
        raise DefinitionError(f"seeds={seeds} must be at least 2")

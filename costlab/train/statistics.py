"""Statistics over seeds: intervals of means, differences paired by seed, and verdicts on claims.

Intervals are Student's, which assumes that values are normally distributed over seeds. Seeds change the
training and not the images, so an interval is about training again on the same images.

Source: Student (W. S. Gosset), "The probable error of a mean", Biometrika 6, 1908.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import inf, nan, sqrt
from statistics import NormalDist, fmean, stdev
from typing import Literal, NamedTuple

from costlab.errors import DefinitionError
from costlab.train.experiment import Expectation
from costlab.train.record import ArmRecord, Run

CONFIDENCE = 0.95
DIGITS = 30
EXACT = 1e-18
"""The relative step at which Newton's method has come to its end, in a float."""
Verdict = Literal["same direction", "opposite", "not distinguishable"]


class Interval(NamedTuple):
    """The mean of ``count`` values, and the confidence interval of the true mean.

    With fewer than two values it reaches from -inf to inf; the mean of no values is NaN.
    """

    mean: float
    low: float
    high: float
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs of an interval

    @property
    def known(self) -> bool:
        """Whether there are enough values for an interval."""
        return self.count > 1


class JudgedClaim(NamedTuple):
    """A claim, the measured accuracy of ``better`` less that of ``worse``, and the verdict."""

    claim: Expectation
    difference: Interval
    verdict: Verdict


def interval(values: Iterable[float], confidence: float = CONFIDENCE, least: float = 0.0) -> Interval:
    """The two-sided confidence interval of a mean: ``mean ± t * standard deviation / sqrt(count)``.

    ``least`` is a lower bound of the standard deviation, for values that are rounded.

    Raises:
        DefinitionError: ``confidence`` is not between 0 and 1.
    """
    values = tuple(values)
    if len(values) < 2:
        return Interval(values[0] if values else nan, -inf, inf, len(values))
    mean = fmean(values)
    half = student_t(len(values) - 1, confidence) * max(stdev(values), least) / sqrt(len(values))
    return Interval(mean, mean - half, mean + half, len(values))


def accuracy_interval(values: Iterable[float], images: int) -> Interval:
    """The interval of the mean of accuracies on ``images`` images, within 0 and 1.

    An accuracy is a whole number of images: rounding has a deviation of ``1 / (sqrt(12) * images)``.
    """
    mean = interval(values, least=1 / (sqrt(12) * images))
    return mean._replace(low=max(mean.low, 0.0), high=min(mean.high, 1.0)) if mean.known else mean


def paired_difference(a: Mapping[int, float], b: Mapping[int, float], images: int) -> Interval:
    """The interval of the mean of ``a - b``, accuracies on ``images`` images, over the seeds that both have.

    Rounding of both has a deviation of ``1 / (sqrt(6) * images)``, which is taken as the least deviation of
    the differences, even if all are equal.
    """
    differences = (a[seed] - b[seed] for seed in sorted(a.keys() & b.keys()))
    return interval(differences, least=1 / (sqrt(6) * images))


@lru_cache
def student_t(freedom: float, confidence: float = CONFIDENCE) -> float:
    """The two-sided quantile of Student's t distribution for ``freedom`` degrees of freedom.

    What lies outside of ``-t`` to t is ``I(freedom / 2, 1 / 2)`` at ``freedom / (freedom + t**2)``, the
    regularized incomplete beta function, here ``1 - confidence``. It falls and is convex: from the quantile
    of the normal distribution, which is smaller, Newton's steps lead up to t.

    Raises:
        DefinitionError: ``freedom`` is less than 1, or ``confidence`` not between 0 and 1.

    Source: M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 1964, 26.7.1 and 26.5.27.
    """
    if not freedom >= 1:
        raise DefinitionError(f"freedom={freedom} must be at least 1")
    if not 0 < confidence < 1:
        raise DefinitionError(f"confidence={confidence} must be between 0 and 1")
    from mpmath import betainc, gammaprod, mpf, pi, workdps  # type: ignore[import-untyped]  # has no types

    with workdps(DIGITS):
        inside, v, half = mpf(confidence), mpf(freedom), mpf(1) / 2
        t = mpf(-NormalDist().inv_cdf((1 - confidence) / 2))
        scale = 2 * gammaprod([(v + 1) / 2], [v / 2]) / (v * pi) ** half
        while True:
            x = v / (v + t**2)
            if x > half:  # of the two that give 1 together, the one whose digits count
                missing = inside - betainc(half, v / 2, 0, t**2 / (v + t**2), regularized=True)
            else:
                missing = betainc(v / 2, half, 0, x, regularized=True) - (1 - inside)
            step = missing / (scale * x ** ((v + 1) / 2))
            t += step
            if step < EXACT * t:
                return float(t)


def judge(claim: Expectation, run: Run) -> JudgedClaim:
    """The verdict of a run on a claim: a direction only if the whole interval lies on one side of 0."""
    difference = paired_difference(run.top_1(claim.better), run.top_1(claim.worse), run.data.validation)
    verdict: Verdict = "not distinguishable"
    if difference.low > 0:
        verdict = "same direction"
    elif difference.high < 0:
        verdict = "opposite"
    return JudgedClaim(claim, difference, verdict)


def multiply_adds_per_second(arm: ArmRecord) -> float | None:
    """Multiply-adds per second in a training step, ``step_multiply_adds * batch_size / seconds``.

    None for an arm that was not timed.
    """
    timing = arm.timing
    return arm.step_multiply_adds * timing.batch_size / timing.seconds if timing else None

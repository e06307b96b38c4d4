"""What seeds can tell: intervals of means, differences paired by seed, and what they say of a claim.

An interval is Student's: it takes values to be spread about normally, from one seed to the next. Seeds
change the training and not the images, so that it holds for training anew on the same images.

Source: Student (W. S. Gosset), "The probable error of a mean", Biometrika 6, 1908.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import inf, nan, sqrt
from statistics import fmean, stdev
from typing import Literal, NamedTuple

from costlab.errors import DefinitionError
from costlab.train.experiment import Expectation
from costlab.train.record import ArmRecord, Run

CONFIDENCE = 0.95
DIGITS = 40
Verdict = Literal["same direction", "opposite", "not distinguishable"]


class Interval(NamedTuple):
    """A mean and the interval that holds the true one with some confidence, from ``count`` values.

    Fewer than two values bound nothing: then it reaches from -inf to inf. The mean of none is NaN.
    """

    mean: float
    low: float
    high: float
    count: int  # type: ignore[assignment]  # no one counts ends in an interval, as tuples would

    @property
    def known(self) -> bool:
        """Whether there are values enough for an interval."""
        return self.count > 1


class Judged(NamedTuple):
    """A claim, the accuracy of ``better`` less that of ``worse`` as it was found, and what that says."""

    claim: Expectation
    difference: Interval
    verdict: Verdict


def interval(values: Iterable[float], confidence: float = CONFIDENCE, least: float = 0.0) -> Interval:
    """The two-sided interval of a mean: ``mean ± t * standard deviation / sqrt(count)``.

    The deviation is taken to be at ``least`` so much, where values are only known to some grain.

    Raises:
        DefinitionError: ``confidence`` is not between 0 and 1.
    """
    values = tuple(values)
    if len(values) < 2:
        return Interval(values[0] if values else nan, -inf, inf, len(values))
    mean = fmean(values)
    half = t_quantile(len(values) - 1, confidence) * max(stdev(values), least) / sqrt(len(values))
    return Interval(mean, mean - half, mean + half, len(values))


def accuracy(values: Iterable[float], images: int) -> Interval:
    """The interval of the mean of accuracies on so many ``images``, within 0 and 1.

    Each is a whole number of images; what is rounded away has a deviation of ``1 / (sqrt(12) * images)``.
    """
    found = interval(values, least=1 / (sqrt(12) * images))
    return found._replace(low=max(found.low, 0.0), high=min(found.high, 1.0)) if found.known else found


def paired(a: Mapping[int, float], b: Mapping[int, float], images: int) -> Interval:
    """The interval of ``a - b``, accuracies on so many ``images``, over the seeds that both have.

    Each is a whole number of images: what is rounded away from both has a deviation of
    ``1 / (sqrt(6) * images)``, and the differences are not taken to be spread less, even if all are equal.
    """
    differences = (a[seed] - b[seed] for seed in sorted(a.keys() & b.keys()))
    return interval(differences, least=1 / (sqrt(6) * images))


@lru_cache
def t_quantile(freedom: int, confidence: float = CONFIDENCE) -> float:
    """The t that Student's distribution stays within, on both sides, with this confidence.

    ``t = sqrt(freedom * (1 / x - 1))``, where the regularized incomplete beta function
    ``I(freedom / 2, 1 / 2)`` is ``1 - confidence`` at x.

    Raises:
        DefinitionError: ``freedom`` is less than 1, or ``confidence`` not between 0 and 1.

    Source: M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 1964, 26.7.1 and 26.5.27.
    """
    if freedom < 1:
        raise DefinitionError(f"freedom={freedom} must be at least 1")
    if not 0 < confidence < 1:
        raise DefinitionError(f"confidence={confidence} must be between 0 and 1")
    from mpmath import betainc, findroot, mpf, workdps  # type: ignore[import-untyped]  # it has no types

    with workdps(DIGITS):
        outside, a, b = 1 - mpf(confidence), mpf(freedom) / 2, mpf(1) / 2
        x = findroot(lambda x: betainc(a, b, 0, x, regularized=True) - outside, (0, 1), solver="bisect")
        return float((freedom * (1 / x - 1)) ** b)


def judged(claim: Expectation, run: Run) -> Judged:
    """What a run says of a claim: a direction only where the whole interval lies on one side of 0."""
    difference = paired(run.top_1(claim.better), run.top_1(claim.worse), run.data.validation)
    verdict: Verdict = "not distinguishable"
    if difference.low > 0:
        verdict = "same direction"
    elif difference.high < 0:
        verdict = "opposite"
    return Judged(claim, difference, verdict)


def achieved(arm: ArmRecord) -> float | None:
    """Multiply-adds per second in a training step, ``step_multiply_adds * batch_size / seconds``.

    None for an arm that was not timed.
    """
    timing = arm.timing
    return arm.step_multiply_adds * timing.batch_size / timing.seconds if timing else None

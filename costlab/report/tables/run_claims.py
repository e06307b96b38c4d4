"""The table of the verdicts of a training run on claims, and the formatting of intervals."""

from math import ceil, floor

from costlab.report.cell import Column, plural
from costlab.report.table import Table
from costlab.train.record import Run
from costlab.train.statistics import CONFIDENCE, Interval, JudgedClaim, judge

WITHIN = f"{CONFIDENCE:.0%} interval"
COLUMNS = (
    Column("claim", "claim"),
    Column("reported", "reported there"),
    Column("source", "source"),
    Column("better", "said to be no worse"),
    Column("worse", "than"),
    Column("difference", "difference, points", "printed", empty="-"),
    Column("interval", WITHIN, "printed", empty="-"),
    Column("verdict", "verdict"),
    Column("excluded", "excluded at this scale"),
)
ROUNDED = (
    "Intervals are rounded outward, the lower end down and the upper end up, to two digits of a point; to "
    "more where an end would come to lie on 0 that does not."
)
BUILT_IN = (
    "What generated images say of resolution is partly built in: their patterns repeat after 4.5 to 7.5 of "
    "96 pixels, which is less than two pixels at a side of 24: there they can hardly be told apart."
)


def claims_table(run: Run) -> Table:
    """Each claim with the difference found, the verdict, and what can be excluded."""
    judged_claims = [judge(claim, run) for claim in run.claims]
    known = sum(judged.difference.known for judged in judged_claims)
    rows = tuple(
        (
            judged.claim.claim,
            judged.claim.reported,
            judged.claim.source,
            judged.claim.better,
            judged.claim.worse,
            points(judged.difference.mean) if judged.difference.count else None,
            span(judged.difference),
            judged.verdict,
            excluded(judged),
        )
        for judged in judged_claims
    )
    return Table(
        "Claims and verdicts",
        COLUMNS,
        rows,
        notes=(
            "Differences are paired by seed: the accuracy of what is said to be no worse, less the other's. "
            "A verdict is a direction only where the whole interval lies on one side of 0. Where it does "
            "not, nothing is shown: not that there is a difference, and not that there is none.",
            f"{ROUNDED} What is excluded is rounded up.",
            *([by_chance(known, "claim", "verdicts of a direction")] if known else []),
            *([BUILT_IN] if run.data.synthetic and len({arm.side for arm in run.arms}) > 1 else []),
            "Verdicts are about these networks, at this scale, trained on these images; what is reported is "
            "of the networks and the images of the source.",
        ),
    )


def excluded(judged: JudgedClaim) -> str:
    """What the interval of an undecided claim excludes, in words; empty for a decided one."""
    interval = judged.difference
    if judged.verdict != "not distinguishable":
        return ""
    if not interval.known:
        return "nothing: too few seeds for an interval"
    beyond = [
        f"a {what} of more than {size:.2f} points"
        for what, size in (
            ("loss", _outward(-interval.low, 2, up=True)),
            ("gain", _outward(interval.high, 2, up=True)),
        )
        if size < 100
    ]
    return " and ".join(beyond) or "nothing"


def points(value: float) -> str:
    """A difference of fractions in percentage points, with its sign."""
    return _signed(100 * value, 2)


def rounded_up(value: float) -> str:
    """A fraction in percentage points, to two digits and not less than it is."""
    return f"{_outward(value, 2, up=True):.2f}"


def span(interval: Interval, signed: bool = True) -> str | None:
    """The ends of an interval in points, rounded outward, but never onto 0; None where there is none."""
    if not interval.known:
        return None
    for digits in range(2, 9):
        low, high = _outward(interval.low, digits, up=False), _outward(interval.high, digits, up=True)
        if (low > 0) == (interval.low > 0) and (high < 0) == (interval.high < 0):
            break
    ends = [_signed(end, digits) if signed else f"{end:.{digits}f}" for end in (low, high)]
    return " to ".join(ends)


def _outward(value: float, digits: int, *, up: bool) -> float:
    """A fraction in percentage points with so many digits, rounded up or down."""
    tick: int = 10**digits
    scaled = round(100 * value * tick, 6)  # further digits are rounding errors
    return (ceil(scaled) if up else floor(scaled)) / tick


def _signed(value: float, digits: int) -> str:
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text


def by_chance(number: int, what: str, false: str) -> str:
    """A note on how many of so many comparisons would show something by chance alone."""
    error = 1 - CONFIDENCE
    return (
        f"{plural(number, what)} at {CONFIDENCE:.0%} each: if nothing differed at all, {error:.2f} x "
        f"{number} = {error * number:.2f} {false} would be expected by chance."
    )

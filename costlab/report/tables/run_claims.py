"""The table of claims that a training run was held against, and how intervals are told."""

from math import ceil, floor

from costlab.report.cell import Column
from costlab.report.table import Table
from costlab.train.record import Run
from costlab.train.statistics import CONFIDENCE, Interval, JudgedClaim, judge

WITHIN = f"{CONFIDENCE:.0%} interval"
CLAIMED = (
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
BUILT_IN = (
    "What generated images say of resolution is partly built in: their patterns repeat after 4.5 to 7.5 of "
    "96 pixels, which is less than two pixels at a side of 24: there they can hardly be told apart."
)


def claims_table(run: Run) -> Table:
    """Each claim with the difference found, the verdict, and what can be excluded."""
    found = [judge(claim, run) for claim in run.claims]
    known = sum(each.difference.known for each in found)
    rows = tuple(
        (
            each.claim.claim,
            each.claim.reported,
            each.claim.source,
            each.claim.better,
            each.claim.worse,
            points(each.difference.mean) if each.difference.count else None,
            span(each.difference),
            each.verdict,
            excluded(each),
        )
        for each in found
    )
    return Table(
        "Claims and verdicts",
        CLAIMED,
        rows,
        notes=(
            "Differences are paired by seed: the accuracy of what is said to be no worse, less the other's. "
            "A verdict is a direction only where the whole interval lies on one side of 0. Where it does "
            "not, nothing is shown: not that there is a difference, and not that there is none.",
            *([by_chance(known, "claim", "verdicts of a direction")] if known else []),
            *([BUILT_IN] if run.data.synthetic and len({arm.side for arm in run.arms}) > 1 else []),
            "Verdicts are about these networks, at this scale, trained on these images; what is reported is "
            "of the networks and the images of the source.",
        ),
    )


def excluded(each: JudgedClaim) -> str:
    """What the interval of a claim that is not decided leaves out; nothing to say of one that is."""
    found = each.difference
    if each.verdict != "not distinguishable":
        return ""
    if not found.known:
        return "nothing: too few seeds for an interval"
    beyond = [
        f"a {what} of more than {size:.2f} points"
        for what, size in (
            ("loss", _outward(-found.low, 2, up=True)),
            ("gain", _outward(found.high, 2, up=True)),
        )
        if size < 100
    ]
    return " and ".join(beyond) or "nothing"


def points(value: float) -> str:
    """A difference of parts of 1 in points of a hundred, with its sign."""
    return _signed(100 * value, 2)


def span(found: Interval, signed: bool = True) -> str | None:
    """The ends of an interval in points, rounded outward, but never onto 0; None where there is none."""
    if not found.known:
        return None
    for digits in range(2, 9):
        low, high = _outward(found.low, digits, up=False), _outward(found.high, digits, up=True)
        if (low > 0) == (found.low > 0) and (high < 0) == (found.high < 0):
            break
    told = [_signed(each, digits) if signed else f"{each:.{digits}f}" for each in (low, high)]
    return " to ".join(told)


def _outward(value: float, digits: int, *, up: bool) -> float:
    """A part of 1 in hundredths with so many digits, rounded up or down."""
    tick: int = 10**digits
    scaled = round(100 * value * tick, 6)  # what is beyond is rounding of what was reckoned before
    return (ceil(scaled) if up else floor(scaled)) / tick


def _signed(value: float, digits: int) -> str:
    told = f"{value:+.{digits}f}"
    return told[1:] if float(told) == 0 else told


def by_chance(number: int, what: str, false: str) -> str:
    """What is to be expected by chance alone of so many comparisons."""
    error, several = 1 - CONFIDENCE, "s" * (number != 1)
    return (
        f"{number} {what}{several} at {CONFIDENCE:.0%} each: if nothing differed at all, {error:.2f} x "
        f"{number} = {error * number:.2f} {false} would be expected by chance."
    )

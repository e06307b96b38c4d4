"""The table of what would tell the claims that a training run leaves open."""

from math import ceil

from costlab.report.cell import Column, plural
from costlab.report.table import Table
from costlab.report.tables.run_claims import points, rounded_up
from costlab.train.power import MOST_SEEDS, POWER, Prospect, prospect, spread_factor
from costlab.train.record import Run
from costlab.train.statistics import CONFIDENCE, judge

CHANCE = f"{POWER:.0%}"
COLUMNS = (
    Column("better", "said to be no worse"),
    Column("worse", "than"),
    Column("seeds", "seeds", "size"),
    Column("spread", "spread, points", "printed"),
    Column("largest_spread", "spread at most, points", "printed"),
    Column("told", "difference that they tell, points", "printed"),
    Column("for_point", "seeds that tell 1 point", "printed"),
    Column("for_point_at_most", "if the spread is the most", "printed"),
    Column("difference", "difference seen, points", "printed"),
    Column("for_seen", "seeds that tell it, if it is true", "printed"),
)
MEANING = (
    "Of the claims that are not distinguishable: how large a true difference has to be so that, at the "
    f"spread that was seen, {CHANCE} of all runs with the seeds of this one would show its direction, and "
    "how many seeds, in all, a run needs to show a smaller one as often. By the power of Student's paired "
    "test, which takes differences to be normally distributed over seeds."
)
SEEN = (
    "Plan for a difference that would matter, such as 1 point, and not for the one that was seen: that one "
    "is as uncertain as its interval says, and its seeds are right only if it happens to be the true one."
)
NOT_LISTED = (
    "Claims with fewer than two seeds are not listed: their spread is not known, and nothing is planned."
)
NEVER = "no number"


def prospects_table(run: Run) -> Table | None:
    """What this run could tell of each claim that it leaves open, and how many seeds would tell more.

    None where it leaves none open of which it knows a spread.
    """
    judged_claims = [judge(claim, run) for claim in run.claims]
    undecided = [each for each in judged_claims if each.verdict == "not distinguishable"]
    found = [(each.claim, prospect(each.difference)) for each in undecided]
    known = [(claim, each) for claim, each in found if each]
    if not known:
        return None
    rows = tuple((claim.better, claim.worse, *_cells(each)) for claim, each in known)
    seeds = sorted({each.seeds for _, each in known})
    return Table(
        "What would tell",
        COLUMNS,
        rows,
        notes=(MEANING, _spread(seeds), SEEN, *([NOT_LISTED] if len(known) < len(found) else [])),
    )


def _cells(found: Prospect) -> tuple[int | str, ...]:
    return (
        found.seeds,
        f"{100 * found.spread:.2f}",
        rounded_up(found.largest_spread),
        rounded_up(found.told),
        _number(found.for_point),
        _number(found.for_point_at_most),
        points(found.difference),
        _number(found.for_seen) if found.difference else NEVER,
    )


def _spread(seeds: list[int]) -> str:
    """What is known of a spread that few seeds show."""
    factors = [
        f"{ceil(100 * spread_factor(count)) / 100:.2f} times what {plural(count, 'seed')} show"
        for count in seeds
    ]
    return (
        "The spread is the standard deviation of the differences paired by seed. It is an estimate, too, and "
        f"of few seeds a rough one: with {CONFIDENCE:.0%} confidence the true one is at most "
        f"{' and '.join(factors)}. The seeds that are needed grow with its square: those for 1 point are "
        "given for the spread seen and for the most."
    )


def _number(seeds: int | None) -> str:
    return f"more than {MOST_SEEDS:,}" if seeds is None else f"{seeds:,}"

"""The tables of the errors in design spaces: each by itself, and pairs of them by a two-sample test."""

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean, median

from costlab.report.cell import Column, plural
from costlab.report.table import Table
from costlab.report.tables.run_claims import ROUNDED, WITHIN, by_chance, points, span
from costlab.report.trained_members import TrainedNetwork, baseline_of, errors_in, members_of, space_names
from costlab.train.record import Run
from costlab.train.two_samples import (
    SIGNIFICANCE,
    ComparedErrors,
    compare_errors,
    critical_gap,
    members_to_tell,
)

ERROR_COLUMNS = (
    Column("space", "space"),
    Column("members", "members with a result", "size"),
    Column("least", "least error, %", "printed", empty="-"),
    Column("median", "median, %", "printed", empty="-"),
    Column("mean", "mean, %", "printed", empty="-"),
    Column("most", "largest, %", "printed", empty="-"),
    Column("better", "below the baseline's", "printed", empty="-"),
)
COMPARISON_COLUMNS = (
    Column("first", "space"),
    Column("second", "against"),
    Column("sizes", "members", "printed"),
    Column("gap", "largest gap D", "printed", empty="-"),
    Column("at", "at error, %", "printed", empty="-"),
    Column("shares", "shares there", "printed", empty="-"),
    Column("p", "p", "printed", empty="-"),
    Column("critical", "least D that is told", "printed", empty="none"),
    Column("enough", "members of each, to tell this D", "size", empty="-"),
    Column("difference", "difference of mean errors, points", "printed", empty="-"),
    Column("interval", WITHIN, "printed", empty="-"),
    Column("verdict", "verdict"),
)
LEVEL = f"{SIGNIFICANCE:.0%}"
SMALLEST_P = 1e-9
TEST = (
    "D is the largest gap between the curves of two spaces, the shares of members with at most some error "
    "(the statistic of Kolmogorov and Smirnov); p is exact, the part of all ways to deal these errors to "
    "samples of these sizes that have such a gap. Spaces are told apart only where p is below "
    f"{LEVEL}. Where it is not, nothing is shown: not that they differ, and not that they are alike. The "
    "least D that is told is that of samples of these sizes without equal errors."
)
DIRECTION = (
    "The space with the lower errors is the one whose curve is above at the largest gap, if its mean error "
    "is the lower one, too; where it is not, the curves cross, and the spaces differ without a direction."
)
ENOUGH_PLACE = [column.key for column in COMPARISON_COLUMNS].index("enough")
ENOUGH = (
    "To tell a D of the size that was seen, each sample would need as many members as are given beside it. "
    "That does not plan for a true gap of that size, which can be seen as a smaller one and is then not told."
)
NO_TEST, ALIKE, CROSSING = "too few results", "not distinguishable", "differ, but neither is lower"


def verdict(names: tuple[str, str], found: ComparedErrors) -> str:
    """The verdict on the errors in two spaces, in words."""
    if not found.differ:
        return ALIKE
    return CROSSING if found.lower is None else f"{names[found.lower]} has the lower errors"


def errors_table(run: Run) -> Table:
    """The least, median, mean and largest error in each space."""
    members, baseline = members_of(run), baseline_of(run)
    bar = baseline.error if baseline else None
    rows = []
    for place, name in enumerate(space_names(run)):
        errors = errors_in(members, place)
        summary = (min(errors), median(errors), fmean(errors), max(errors)) if errors else (None,) * 4
        below = None if bar is None or not errors else sum(error < bar for error in errors)
        rows.append(
            (
                name,
                len(errors),
                *(None if each is None else f"{100 * each:.2f}" for each in summary),
                None if below is None else f"{below:,} of {len(errors):,}",
            )
        )
    said = (
        [f"The baseline, {baseline.label}, has an error of {100 * bar:.2f}%."]
        if baseline and bar is not None
        else []
    )
    return Table("Top-1 errors of the members", ERROR_COLUMNS, tuple(rows), notes=tuple(said))


def comparison_table(run: Run) -> Table:
    """Each two spaces by the distributions of their errors."""
    members = members_of(run)
    pairs = list(combinations(range(len(run.spaces)), 2))
    rows = tuple(_row(run, members, *pair) for pair in pairs)
    tested = sum(row[3] is not None for row in rows)
    # The test is exact, and p takes few values: an error is a little less likely than its level.
    level = [by_chance(tested, "comparison", "verdicts of a difference at most")] if tested > 1 else []
    return Table(
        "Spaces compared by the distributions of their errors",
        COMPARISON_COLUMNS,
        rows,
        notes=(
            TEST,
            DIRECTION,
            *([ENOUGH] if any(row[ENOUGH_PLACE] for row in rows) else []),
            *level,
            f"The difference is that of the means, with Welch's interval, which is of these alone. {ROUNDED}",
            _assumed(run, members),
        ),
    )


def _row(run: Run, members: Sequence[TrainedNetwork], first: int, second: int) -> tuple[object, ...]:
    every = space_names(run)
    names = (every[first], every[second])
    a, b = errors_in(members, first), errors_in(members, second)
    sizes = f"{len(a):,} and {len(b):,}"
    if not a or not b:
        return (*names, sizes, *[None] * 8, NO_TEST)
    found = compare_errors(a, b, run.data.validation)
    test = found.test
    critical = critical_gap(*test.sizes)
    return (
        *names,
        sizes,
        f"{test.gap:.3f}",
        f"{100 * test.at:.2f}" if test.gap > 0 else None,
        f"{test.shares[0]:.1%} and {test.shares[1]:.1%}" if test.gap > 0 else None,
        probability(test.p),
        None if critical is None else f"{critical:.3f}",
        None if found.differ or test.gap <= 0 else members_to_tell(test.gap),
        points(found.difference.mean),
        span(found.difference),
        verdict(names, found),
    )


def probability(p: float) -> str:
    """A p-value in three digits, or more where it would come to lie on the other side of `SIGNIFICANCE`."""
    if p < SMALLEST_P:
        return f"below {SMALLEST_P:g}"
    for digits in range(3, 18):
        shown = f"{p:.{digits}g}"
        if (float(shown) < SIGNIFICANCE) == (p < SIGNIFICANCE):
            break
    return shown


def _assumed(run: Run, members: Sequence[TrainedNetwork]) -> str:
    """What the test takes for granted, and what of it does not hold here."""
    once = "once each" if run.seeds == 1 else f"on {run.seeds} seeds each, of which the mean is taken"
    said = [
        "The test takes members for drawn at random, those of one space without heed of the other's. They "
        f"were trained {once}: the errors are those of such trainings, and a curve is spread by the noise "
        "of training as well as by the networks."
    ]
    shared = sum(len(each.spaces) > 1 for each in members)
    if shared:
        said.append(
            f"{plural(shared, 'member')} stood in more than one sample, of which the test knows nothing."
        )
    names = [*zip(space_names(run), run.spaces, strict=True)]
    if matched := [
        f"{a} and {b}" for (a, its), (b, other) in combinations(names, 2) if its.seed == other.seed
    ]:
        said.append(
            f"Drawn with one seed, the samples of {', of '.join(matched)} can go together member by member, "
            "of which the test knows nothing either."
        )
    if any(each.error is None for each in members):
        said.append("Members without a result are left out, as if they had not been drawn.")
    whole = [name for name, space in names if len(space.drawn) == space.among]
    if whole:
        said.append(f"Of {' and '.join(whole)} every member that there is was trained.")
    return " ".join(said)

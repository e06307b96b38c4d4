"""The page of exploration: spaces around Inception v3, what a budget buys, and choices at equal cost."""

from collections.abc import Callable, Sequence
from typing import Any

from costlab.counting.count import count
from costlab.explore.member import Member
from costlab.explore.scale import scale_to
from costlab.explore.space import Space
from costlab.report.cell import Column
from costlab.report.page import Page, page
from costlab.report.pictures.equal_cost import MEASURES, EqualCost, equal_cost, equal_cost_picture
from costlab.report.pictures.space import space_picture
from costlab.report.pictures.within_budget import BUDGET, NETWORK, within_budget_picture
from costlab.report.table import Table
from costlab.report.tables.count import TITLES
from costlab.report.tables.scale import scale_table

NAME = "exploration"
LIMIT = 25
"""Millions: the paper's abstract says "less than 25 million parameters"."""
MULTIPLY_ADDS_WITHIN, PARAMETERS_WITHIN = f"multiply_adds <= {BUDGET // 10**9}e9", f"parameters < {LIMIT}e6"
CHOICES: dict[str, list[Any]] = {
    "branch_5x5": ["5x5", "3x3+3x3", "3x3"],
    "pair_3x3": ["3x3+3x3", "5x5"],
    "kernel_7x7": ["1x7+7x1", "7x7"],
    "n": [3, 5, 7, 9, 11],
    "split_3x3": [True, False],
    "reductions": ["parallel", "pool+conv", "conv+pool"],
    "stem_kernel": ["3x3", "7x7"],
    "modules_35": [1, 2, 3, 4, 5],
    "modules_17": [2, 3, 4, 5, 6],
    "modules_8": [1, 2, 3],
}
WIDTHS, SIDES = "0.5:1.5:0.05", "203:395:32"
MODULES = "modules_35 + modules_17 + modules_8"
ABOUT = (
    "Each network here is a target that `costlab count` takes. The numbers are exact, and are about all "
    "members of a space, which `costlab explore` does not count one by one. Nothing here was trained, and "
    "nothing is said about accuracy."
)
TOGETHER = {
    "the most multiply-adds": ("multiply_adds",),
    "the most parameters": ("parameters",),
    "the most activations": ("activations",),
    "the largest input": ("input", "width", "parameters"),
    "the widest": ("width", "input", "parameters"),
    "the deepest": (MODULES, "input", "width", "parameters"),
}
"""What there is most of, and what of among equals."""


def exploration_page(report: Callable[[str], None]) -> Page:
    """The neighbourhood of the released network, what 5 billion multiply-adds buy, and equal costs."""
    report("exploration: the neighbourhood")
    neighbours = Space(NETWORK, SIDES, width=WIDTHS, **CHOICES)
    within = neighbours.where(f"{MULTIPLY_ADDS_WITHIN} and {PARAMETERS_WITHIN}")
    counts, density = _counts_table(neighbours), space_picture(within, "neighbourhood")
    report("exploration: the budget")
    scaled = scale_to(NETWORK, BUDGET)
    alone = scale_table(scaled, scaled.alternatives)
    together = _together_table(neighbours.where(MULTIPLY_ADDS_WITHIN))
    lines = within_budget_picture()
    report("exploration: equal cost")
    equal = equal_cost()
    best = max(equal.choices, key=lambda each: each.gain("width"))
    released = count(NETWORK)
    return page(
        NAME,
        "Exploring around Inception v3",
        f"{neighbours.size:,} networks around the released one, and how many of them are within the paper's "
        f"budgets; what {BUDGET:,} multiply-adds buy; what each choice of the paper allows at equal cost: "
        f"{best.label}, a network {float(100 * best.gain('width')):.1f}% wider.",
        (
            ABOUT,
            "## The neighbourhood of the released network",
            f"Every network along {len(neighbours.axes)} axes, the released one among them.",
            _axes_table(neighbours),
            counts,
            "Budgets are dashed: the paper speaks of 5 billion multiply-adds, and of less than "
            f"{LIMIT} million "
            f"parameters. The released network has {int(released.multiply_adds):,} and "
            f"{int(released.parameters):,}: it is above the first.",
            density,
            "## What 5 billion multiply-adds buy",
            f"Not the released network, which has {int(released.multiply_adds) - BUDGET:,} more. Where one "
            "axis alone is turned down, all else as released, this is the most of it that is within them.",
            alone,
            f"With everything varied at once, these are the extremes of the {neighbours.size:,} networks "
            "within them. Among those with the largest input the widest is shown, among the widest that with "
            "the largest input, among those with the most modules the widest of the largest input, and among "
            "equals still that with the most parameters.",
            together,
            "Width and input are exchanged for each other, for depth, and for the factorizations:",
            lines,
            "## Which choices buy most at equal cost",
            "For each choice there are two networks, with it and without it, all else as released. Both are "
            "given the largest width with which they have at most the released network's "
            f"{equal.most:,} multiply-adds; each has at least {float(100 * equal.least_used):.2f}% of them. "
            "What the choice buys is how much farther the width goes with it than without it, to the end of "
            "the widths that give the network, and how many more parameters and activations there are. It "
            "says how much network there is for the cost, and not how well it learns: a larger n sees "
            "farther for what it costs here.",
            equal_cost_picture(),
            _equal_table(equal),
        ),
    )


def _axes_table(space: Space) -> Table:
    rows = tuple(
        (axis.name, len(axis.values), axis.text(0), axis.text(len(axis.values) - 1)) for axis in space.axes
    )
    columns = (
        Column("axis", "axis", "name"),
        Column("values", "values", "size"),
        Column("first", "from"),
        Column("last", "to"),
    )
    return Table("The axes of the neighbourhood", columns, rows)


def _counts_table(space: Space) -> Table:
    """How many members there are, fit, and are within each budget."""
    released = count(NETWORK)
    counted = {
        "exist": space.size,
        "fit their input": space.count(),
        f"at most {BUDGET:,} multiply-adds": space.where(MULTIPLY_ADDS_WITHIN).count(),
        f"less than {LIMIT} million parameters": space.where(PARAMETERS_WITHIN).count(),
        "both": space.where(MULTIPLY_ADDS_WITHIN, PARAMETERS_WITHIN).count(),
        "no more of either than the released network": space.where(
            f"multiply_adds <= {released.multiply_adds} and parameters <= {released.parameters}"
        ).count(),
    }
    columns = (
        Column("networks", "networks"),
        Column("members", "members", "size"),
        Column("share", "share", "share"),
    )
    return Table(
        "How many networks there are",
        columns,
        tuple((name, many, many / space.size) for name, many in counted.items()),
    )


MEMBER_COLUMNS = (
    Column("target", "target"),
    Column("input", "input"),
    *(Column(name, title, "size") for name, title in TITLES.items()),
)


def _member(member: Member | None) -> tuple[Any, ...]:
    if member is None:
        return ("none", "", *[None] * len(TITLES))
    side = member.variant.shape()
    return (member.target, str(side), *(member.sizes[name] for name in TITLES))


def _released_row() -> tuple[Any, ...]:
    counted = count(NETWORK)
    return (NETWORK, str(counted.input), *(int(counted.size(name)) for name in TITLES))


def _together_table(space: Space) -> Table:
    rows = [("the released network", *_released_row())]
    rows += [(label, *_member(_extreme(space, by))) for label, by in TOGETHER.items()]
    title = f"Extremes within {BUDGET:,} multiply-adds"
    return Table(title, (Column("extreme", "extreme"), *MEMBER_COLUMNS), tuple(rows))


def _extreme(space: Space, by: Sequence[str]) -> Member | None:
    """The member with the most of the first, among equals with the most of the next, and so on."""
    found = None
    for key in by:
        found = space.max(key)
        if found is not None:
            value = space.value(space.quantity(key), found)
            space = space.where(f"{key} >= {value.numerator / value.denominator!r}")
    return found


def _equal_table(data: EqualCost) -> Table:
    rows = tuple(
        (
            each.label,
            each.having.target,
            each.lacking.target,
            each.lacking.interval,
            each.lacking.multiply_adds,
            *(each.gain(measure) for measure in MEASURES),
        )
        for each in data.choices
    )
    columns = (
        Column("choice", "choice"),
        Column("having", "with it"),
        Column("lacking", "without it"),
        Column("interval", "its widths"),
        Column("multiply_adds", "its multiply-adds", "size"),
        *(Column(measure, f"more {measure}", "deviation") for measure in MEASURES),
    )
    return Table("The widest networks with each choice and without it", columns, rows)

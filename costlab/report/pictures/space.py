"""The picture of a space: where its members lie, by multiply-adds and parameters."""

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import log10
from typing import TYPE_CHECKING, Any, NamedTuple

from costlab.errors import CostlabError, DefinitionError
from costlab.explore.region import together
from costlab.explore.space import Space
from costlab.explore.written.linear import CONSTANT
from costlab.report.cell import human
from costlab.report.figure import (
    BEHIND,
    COLORS,
    INK,
    SMALL,
    WIDTH,
    Picture,
    add_title,
    format_sizes,
    wrap_text,
)
from costlab.report.labels import Point, label_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEW = 500
"""The most members of which each is drawn as a point."""
COUNTED = 50_000_000
"""The most members that are all counted into cells: of more, some are drawn at random."""
COUNTED_WIDE = 1_000_000
"""The same where 64 bits do not suffice for a total."""
DRAWN = 10_000
CELLS = (64, 40)
"""Columns and rows."""
AXES = ("multiply_adds", "parameters")
NEAR = 2
"""A budget is shown if it is at most by this factor beyond all members."""
MARGIN = Fraction(1, 20)
"""The room between the members and the ends of an axis, in lengths of what they take."""
LOGARITHMIC = 3
"""The ratio of the most to the least from which on an axis is logarithmic."""
BUDGET = COLORS[3]
BESIDE = 26
"""Letters in a line of the baseline's label."""

Pair = tuple[int, int]


class Density(NamedTuple):
    """The data: how many members have at least an edge, and less than the next, by column and row.

    Of few members there are ``points`` in place of cells. ``limits`` are budgets of both quantities,
    ``front`` the members with more parameters than any that have no more multiply-adds, among those that meet
    the conditions, ``baseline`` the network at its defaults. ``drawn`` is how many members the cells hold.
    """

    title: str
    members: int
    drawn: int
    logarithmic: tuple[bool, bool]
    edges: tuple[tuple[int, ...], tuple[int, ...]]
    cells: tuple[tuple[int, ...], ...]
    points: tuple[Pair, ...]
    limits: tuple[tuple[int, ...], tuple[int, ...]]
    front: tuple[Pair, ...]
    baseline: tuple[str, int, int] | None


def density_of(space: Space) -> Density:
    """The data of the picture, of all members that fit, or of some that are drawn where there are many.

    Raises:
        DefinitionError: no member fits.
    """
    from costlab.explore.query.density import drawn, ends, front

    whole = space.unconditional()
    members = whole.count()
    if members > COUNTED:  # of those that are drawn: all extremes of so many take minutes
        some = drawn(whole, AXES, DRAWN)
        found = [(int(each.min()), int(each.max())) for each in some]
    else:
        found = [between for name in AXES if (between := ends(whole, name))]
    if not found:
        raise DefinitionError(f"{space.variant.label}: no member fits, and there is nothing to draw")
    baseline = _baseline(space)
    limits = [_limits(space, name, between) for name, between in zip(AXES, found, strict=True)]
    own = baseline[1:] if baseline else None
    best = front(space, *AXES)
    known = [
        [*between, *near, *([own[place]] if own else []), *(each[place] for each in best)]
        for place, (between, near) in enumerate(zip(found, limits, strict=True))
    ]
    scales = [min(each) > 0 and max(each) >= LOGARITHMIC * min(each) for each in known]
    edges = [
        _edges(min(each), max(each), many, logarithmic)
        for each, many, logarithmic in zip(known, CELLS, scales, strict=True)
    ]
    points: list[Pair] = []
    cells: Any = ()
    if members <= FEW:
        points = sorted((int(x), int(y)) for x, y in drawn(whole, AXES, FEW).T)
    else:
        cells = _cells(whole, members, (edges[0], edges[1]), max(found[0][1], found[1][1]))
    return Density(
        _title(space, members),
        members,
        len(points) or int(sum(map(sum, cells))),
        (scales[0], scales[1]),
        (edges[0], edges[1]),
        cells,
        tuple(points),
        (limits[0], limits[1]),
        best,
        baseline,
    )


def _title(space: Space, members: int) -> str:
    title = f"{space.variant.label}: {members:,} {'member' if members == 1 else 'members'}"
    if not space.stated:
        return title
    return f"{title}\n{space.count():,} with {together(space.stated)}"


def _cells(
    space: Space, members: int, edges: tuple[tuple[int, ...], tuple[int, ...]], most: int
) -> tuple[tuple[int, ...], ...]:
    """Members by column and row."""
    from costlab.explore.query.density import density, drawn

    if members <= (COUNTED if most < 2**60 else COUNTED_WIDE):
        return tuple(tuple(map(int, column)) for column in density(space, AXES, edges))
    cells = [[0] * (len(edges[1]) - 1) for _ in edges[0][1:]]
    for x, y in drawn(space, AXES, DRAWN).T:
        cells[bisect_right(edges[0], int(x)) - 1][bisect_right(edges[1], int(y)) - 1] += 1
    return tuple(map(tuple, cells))


def _edges(least: int, most: int, many: int, logarithmic: bool) -> tuple[int, ...]:
    """Whole numbers from below the least to above the most, about evenly."""
    if logarithmic:
        low, high = log10(least), log10(most)
        margin = (high - low) * float(MARGIN)
        step = (high - low + 2 * margin) / many
        found = {round(10 ** (low - margin + step * k)) for k in range(many + 1)}
    else:
        beyond = max(1, round((most - least) * MARGIN) if most > least else most // 10)
        step = -(
            -(most - least + 2 * beyond) // (many - 1)
        )  # an odd number: a single value lies in the middle
        found = {*range(least - beyond, most + beyond + step, step)}
    return tuple(sorted(found | {min(least, *found), max(most + 1, *found)}))


def _limits(space: Space, quantity: str, between: Pair) -> tuple[int, ...]:
    """The budgets for one quantity alone among the conditions, as far as they are near to the members."""
    found = []
    for bound in space.bounds():
        constants = bound.constants
        if constants and set(constants) - {CONSTANT} == {quantity} and constants[quantity]:
            limit = round(-constants.get(CONSTANT, 0) / constants[quantity])
            if between[0] <= NEAR * limit and limit <= NEAR * between[1]:
                found.append(limit)
    return tuple(found)


def _baseline(space: Space) -> tuple[str, int, int] | None:
    from costlab.counting.count import count

    try:
        counted = count(space.variant)
    except CostlabError:  # it needs what is varied, or does not fit
        return None
    return (counted.shown, int(counted.multiply_adds), int(counted.parameters))


def space_picture(space: Space, name: str = "") -> Picture[Density]:
    """A map of members by multiply-adds and parameters, with budgets, the front and the baseline."""
    data = density_of(space)
    what = "points" if data.points else "darker where there are more"
    alt = f"Map: members of {space.variant.label} by multiply-adds and parameters, {what}"
    return Picture(name, alt, data, draw_density, (WIDTH, 5.8))


def draw_density(figure: "Figure", data: Density) -> None:
    """Draw the density, and on it what else there is."""
    add_title(figure, data.title)
    axes = figure.subplots()
    scales = ["log" if logarithmic else "linear" for logarithmic in data.logarithmic]
    axes.set(xscale=scales[0], yscale=scales[1])
    across, up = ((float(each[0]), float(each[-1])) for each in data.edges)
    axes.set(xlim=across, ylim=up)
    for axis, scale, edges, name in zip(
        (axes.xaxis, axes.yaxis), scales, data.edges, ("multiply-adds", "parameters"), strict=True
    ):
        _ticks(axis, edges, logarithmic=scale == "log")
        axis.set_label_text(f"{name}, logarithmic" if scale == "log" else name)
    if data.points:
        look: Any = {"linestyle": "none", "marker": "o", "markersize": 4, "alpha": 0.7}
        axes.plot(*_columns(data.points), color=COLORS[0], label="members", **look)
    else:
        _draw_cells(figure, axes, data)
    _draw_budgets(axes, data.limits)
    if data.front:
        axes.plot(
            *_columns(data.front),
            drawstyle="steps-post",
            color=COLORS[1],
            linewidth=1.6,
            marker="." if len(data.front) < 2 else "",
            label="the most parameters for the multiply-adds",
        )
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=3)
    if data.baseline:
        name, (x, y) = data.baseline[0], map(float, data.baseline[1:])
        axes.plot(x, y, "D", color=INK, markersize=6, markeredgecolor="white", markeredgewidth=0.8)
        front = list(zip(*_columns(data.front), strict=True))
        corners = [place for (_, low), (at, high) in pairwise(front) for place in ((at, low), (at, high))]
        stairs = [*front[:1], *corners]
        point = Point(x, y, wrap_text(name, BESIDE), INK)
        for label in label_points(axes, [point], [stairs], zip(*_columns(data.points), strict=True)):
            label.set_bbox({**BEHIND, "alpha": 0.8})


def _columns(pairs: Sequence[Pair]) -> tuple[list[float], list[float]]:
    """Both numbers of all pairs, as matplotlib takes them: whole ones of any size are none of NumPy's."""
    return [float(x) for x, _ in pairs], [float(y) for _, y in pairs]


def _ticks(axis: Any, edges: Sequence[int], *, logarithmic: bool) -> None:
    """Ticks that can be told apart, and are some on any range."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

    format_sizes(axis)
    if logarithmic and edges[-1] < 300 * max(1, edges[0]):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    elif not logarithmic:
        axis.set_major_locator(MaxNLocator(5, integer=True))
        if edges[-1] - edges[0] < 0.02 * edges[-1]:
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(value):,}"))


def _draw_cells(figure: "Figure", axes: "Axes", data: Density) -> None:
    """The cells that have members, and what their shades mean."""
    import numpy as np
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap, LogNorm

    shades = ListedColormap(colormaps["Blues"](np.linspace(0.2, 1, 256)))
    cells = np.ma.masked_equal(np.array(data.cells).T, 0)
    most = int(cells.max())
    edges = [np.array(each, dtype=float) for each in data.edges]
    mesh = axes.pcolormesh(*edges, cells, cmap=shades, norm=LogNorm(1, max(2, most)), rasterized=True)
    of = "" if data.drawn == data.members else f", of {data.drawn:,} drawn at random"
    bar = figure.colorbar(mesh, ax=axes, label=f"members in a cell{of}", pad=0.02)
    _ticks(bar.ax.yaxis, (1, most), logarithmic=True)


def _draw_budgets(axes: "Axes", limits: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """A line at each budget, with its amount."""
    look: Any = {"color": BUDGET, "linewidth": 1.3, "linestyle": (0, (4, 3))}
    words: Any = {"color": BUDGET, "fontsize": SMALL, "bbox": BEHIND}
    above, beside = axes.get_xaxis_transform(), axes.get_yaxis_transform()
    for limit in limits[0]:
        axes.axvline(limit, **look)
        axes.text(limit, 1, human(limit), transform=above, ha="center", va="top", **words)
    for limit in limits[1]:
        axes.axhline(limit, **look)
        axes.text(1, limit, human(limit), transform=beside, ha="right", va="center", **words)

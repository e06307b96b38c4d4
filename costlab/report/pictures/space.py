"""The picture of a space: where its members lie, by multiply-adds and parameters."""

from collections.abc import Sequence
from math import log10
from typing import TYPE_CHECKING, Any, NamedTuple

from costlab.explore.linear import CONSTANT
from costlab.explore.space import Space
from costlab.report.cell import human
from costlab.report.figure import (
    COLORS,
    INK,
    SMALL,
    WIDTH,
    Picture,
    add_title,
    format_sizes,
)
from costlab.report.labels import Point, label_points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAWN = 10_000
"""How many members are drawn at random where there are more."""
COLUMNS, ROWS = 64, 40
AXES = ("multiply_adds", "parameters")


class Density(NamedTuple):
    """The data: how many members are in each cell of a grid; its ends are powers of ten.

    ``limits`` are budgets of both quantities, ``front`` members with more parameters than any that have no
    more multiply-adds, ``baseline`` the network at its defaults.
    """

    title: str
    members: int
    drawn: int
    ends: tuple[tuple[float, float], tuple[float, float]]
    cells: tuple[tuple[int, ...], ...]
    limits: tuple[tuple[int, ...], tuple[int, ...]]
    front: tuple[tuple[int, int], ...]
    baseline: tuple[str, int, int] | None


def density_of(space: Space) -> Density:
    """The data of the picture, of all members that fit, or of some that are drawn where there are many."""
    whole = space.unconditional()
    members = whole.count()
    if members <= DRAWN:
        frames = list(whole.frames())
        points = [
            (int(x), int(y)) for frame in frames for x, y in zip(*(frame[name] for name in AXES), strict=True)
        ]
    else:
        points = [(each.multiply_adds, each.parameters) for each in whole.sample(DRAWN)]
    front = [(each.multiply_adds, each.parameters) for each in space.front("multiply_adds", "-parameters")]
    baseline = _baseline(space)
    known = [*points, *front, *([baseline[1:]] if baseline else [])]
    ends = tuple(
        (log10(max(1, min(each))) - 0.03, log10(max(1, *each)) + 0.03) for each in zip(*known, strict=True)
    )
    return Density(
        f"{space.variant.label}: {members:,} members",
        members,
        len(points),
        (ends[0], ends[1]),
        _cells(points, ends),
        (_limits(space, AXES[0]), _limits(space, AXES[1])),
        tuple(front),
        baseline,
    )


def _cells(points: Sequence[tuple[int, int]], ends: Any) -> tuple[tuple[int, ...], ...]:
    """Members by row and column."""
    cells = [[0] * COLUMNS for _ in range(ROWS)]
    for point in points:
        column, row = (
            min(many - 1, int((log10(max(1, value)) - low) / (high - low) * many))
            for value, (low, high), many in zip(point, ends, (COLUMNS, ROWS), strict=True)
        )
        cells[row][column] += 1
    return tuple(map(tuple, cells))


def _limits(space: Space, quantity: str) -> tuple[int, ...]:
    """The budgets for one quantity alone among the conditions."""
    found = []
    for bound in space.bounds():
        constants = bound.constants
        if constants and set(constants) - {CONSTANT} == {quantity} and constants[quantity]:
            found.append(round(-constants.get(CONSTANT, 0) / constants[quantity]))
    return tuple(found)


def _baseline(space: Space) -> tuple[str, int, int] | None:
    from costlab.counting.count import count

    try:
        counted = count(space.variant)
    except Exception:  # it needs what is varied, or does not fit
        return None
    return (space.variant.label, int(counted.multiply_adds), int(counted.parameters))


def space_picture(space: Space) -> Picture[Density]:
    """A map of members by multiply-adds and parameters, with budgets, the front and the baseline."""
    alt = "Map: members of a space by multiply-adds and parameters, darker where there are more"
    return Picture("", alt, density_of(space), draw_density, (WIDTH, 5.6))


def draw_density(figure: "Figure", density: Density) -> None:
    """Draw the density, and on it what else there is."""
    import numpy as np
    from matplotlib.colors import LogNorm

    axes = figure.subplots()
    edges = [np.logspace(*ends, many + 1) for ends, many in zip(density.ends, (COLUMNS, ROWS), strict=True)]
    cells = np.ma.masked_equal(np.array(density.cells), 0)
    mesh = axes.pcolormesh(
        *edges, cells, cmap="Blues", norm=LogNorm(0.3, max(2, cells.max())), rasterized=True
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    for limits, line in zip(density.limits, (axes.axvline, axes.axhline), strict=True):
        for limit in limits:
            line(limit, color=COLORS[3], linewidth=1.2, linestyle="--")
    if density.limits[0]:
        for limit in density.limits[0]:
            axes.text(
                limit,
                1.0,
                human(limit),
                transform=axes.get_xaxis_transform(),
                color=COLORS[3],
                fontsize=SMALL,
                ha="center",
                va="bottom",
            )
    for limit in density.limits[1]:
        axes.text(
            1.0,
            limit,
            f" {human(limit)}",
            transform=axes.get_yaxis_transform(),
            color=COLORS[3],
            fontsize=SMALL,
            ha="left",
            va="center",
        )
    if density.front:
        axes.step(
            *zip(*density.front, strict=True),
            where="post",
            color=COLORS[1],
            linewidth=1.4,
            label="most parameters for the multiply-adds",
        )
    if density.baseline:
        name, x, y = density.baseline
        axes.plot(x, y, "o", color=INK, markersize=5)
        label_points(axes, [Point(x, y, name, INK)])
    format_sizes(axes.xaxis)
    format_sizes(axes.yaxis)
    axes.set_xlabel("multiply-adds (MACs)")
    axes.set_ylabel("parameters")
    if density.front:
        axes.legend(loc="lower right")
    of = "members" if density.drawn == density.members else f"members of {density.drawn:,} drawn at random"
    figure.colorbar(mesh, ax=axes, label=f"{of} in a cell", pad=0.09 if density.limits[1] else 0.02)
    add_title(figure, density.title)

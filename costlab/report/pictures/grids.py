"""The picture of a network's multiply-adds, parameters and activations by grid."""

from typing import TYPE_CHECKING, NamedTuple

from costlab.counting.breakdown import grid_of
from costlab.counting.count import Count
from costlab.report.cell import human
from costlab.report.figure import SMALL, WIDTH, Picture, add_title, format_percents, readable_ink
from costlab.report.tables.count import listed, marks_of, titles_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRIDS = 12
"""The most grids; of more, those with the smallest shares are combined."""
ROOM, LITTLE_ROOM = 0.085, 0.03
"""The shares of a bar from which on the name of a grid fits, horizontally and vertically."""


class Grids(NamedTuple):
    """The data: the size by measure and grid of the output; ``totals`` by measure."""

    title: str
    grids: tuple[str, ...]
    sizes: tuple[tuple[int, ...], ...]
    totals: tuple[int, ...]
    measures: tuple[str, ...]


def grids_of(count: Count) -> Grids:
    """The sizes by the grid of the output, in the order of execution."""
    measures = count.measures
    sizes_by_grid = {row.work.kind: tuple(map(int, row.sizes(measures))) for row in count.grouped(grid_of)}
    sizes = {grid: row for grid, row in sizes_by_grid.items() if any(row)}
    totals = [int(count.size(name)) for name in measures]
    if len(sizes) > GRIDS:
        shares = {
            grid: max(size / max(total, 1) for size, total in zip(row, totals, strict=True))
            for grid, row in sizes.items()
        }
        largest = sorted(sizes, key=lambda grid: shares[grid], reverse=True)
        small = set(largest[GRIDS - 1 :])
        rest = tuple(sum(sizes[grid][i] for grid in small) for i in range(len(measures)))
        sizes = {grid: row for grid, row in sizes.items() if grid not in small}
        sizes[f"{len(small)} other"] = rest
    return Grids(
        "\n".join((f"{count.title}: cost by grid", *marks_of(count))),
        tuple(sizes),
        tuple(zip(*sizes.values(), strict=True)) or ((),) * len(measures),
        tuple(totals),
        titles_of(count),
    )


def grids_picture(count: Count, name: str) -> Picture[Grids]:
    """A stacked bar for each measure, from the first grid to the last."""
    grids = grids_of(count)
    alt = f"Stacked bars: the shares of each grid in {listed(grids.measures)} of {count.shown}"
    return Picture(name, alt, grids, draw_grids, (WIDTH, 3.3))


def draw_grids(figure: "Figure", grids: Grids) -> None:
    """Draw the cost by grid."""
    from matplotlib import colormaps

    add_title(figure, grids.title)
    axes = figure.subplots()
    rows = range(len(grids.measures))
    starts = [0.0] * len(grids.measures)
    # Light to dark, the same in gray; the ends of the map are left out.
    shade = colormaps["cividis"].reversed()
    for j, grid in enumerate(grids.grids):
        color = shade(0.02 + 0.96 * j / max(len(grids.grids) - 1, 1))
        shares = [grids.sizes[i][j] / (grids.totals[i] or 1) for i in rows]
        axes.barh(rows, shares, 0.78, starts, color=color, edgecolor="white", linewidth=0.8)
        for i in rows:
            roomy, place = shares[i] >= ROOM, (starts[i] + shares[i] / 2, i)
            if shares[i] >= LITTLE_ROOM:
                axes.text(
                    *place,
                    f"{grid}\n{shares[i]:.1%}" if roomy else grid,
                    color=readable_ink(color),
                    ha="center",
                    va="center",
                    fontsize=SMALL,
                    rotation=0 if roomy else 90,
                )
            starts[i] += shares[i]
    names = [f"{name}\n{human(total)}" for name, total in zip(grids.measures, grids.totals, strict=True)]
    axes.set_yticks(rows, names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(grids.measures) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    format_percents(axes.xaxis)
    axes.set_xlabel("share of the total, by the grid that comes out")

"""The picture of the lineage: multiply-adds against parameters and against the reported error."""

from typing import TYPE_CHECKING, NamedTuple

from costlab.counting.compare import Comparison
from costlab.report.figure import COLORS, SMALL, WIDTH, Picture, add_title, format_sizes
from costlab.report.labels import Point, label_points
from costlab.report.tables.count import NOT_VERIFIED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class System(NamedTuple):
    """A network: its counts, and its reported top-1 error for one crop, as printed."""

    label: str
    multiply_adds: int
    parameters: int
    top_1_error: str
    after: str


class Lineage(NamedTuple):
    """What is drawn."""

    title: str
    systems: tuple[System, ...]
    unverified: bool


def lineage_of(comparison: Comparison) -> Lineage:
    """The networks of a comparison with what is reported of them."""
    marked_labels = {counted.label: counted.shown for counted in comparison.counts}
    systems = []
    for counted in comparison.counts:
        figures = comparison.published.get(counted.label)
        systems.append(
            System(
                counted.shown,
                int(counted.multiply_adds),
                int(counted.parameters),
                (figures.top_1_error or "") if figures else "",
                marked_labels[figures.after] if figures and figures.after else "",
            )
        )
    unverified = any(counted.unverified for counted in comparison.counts)
    return Lineage(comparison.title, tuple(systems), unverified)


def lineage_picture(comparison: Comparison) -> Picture[Lineage]:
    """Two panels over one axis of multiply-adds: the reported error above, the parameters below."""
    alt = (
        "Points on logarithmic axes: networks by multiply-adds, above by reported error, below by parameters"
    )
    return Picture("lineage", alt, lineage_of(comparison), draw_lineage, (WIDTH, 9.0))


def draw_lineage(figure: "Figure", data: Lineage) -> None:
    """Draw the lineage."""
    add_title(figure, data.title)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 3))
    below.set_xscale("log")
    below.set_yscale("log")
    sizes = [system.multiply_adds for system in data.systems]
    below.set_xlim(min(sizes) / 1.5, max(sizes) * 2)
    format_sizes(below.xaxis)
    format_sizes(below.yaxis)
    some_without_error = any(not system.top_1_error for system in data.systems)
    hollow = "; hollow: no error is reported for one crop" if some_without_error else ""
    mark = f"\n{NOT_VERIFIED}" if data.unverified else ""
    below.set_xlabel(f"multiply-adds, counted, logarithmic{hollow}{mark}", fontsize=SMALL)
    below.set_ylabel("parameters, counted, logarithmic")
    above.set_ylabel("top-1 error of one crop, %, reported")
    below.margins(y=0.12)
    above.margins(y=0.12)
    for axes in (above, below):
        axes.grid(visible=True)
    with_error = [system for system in data.systems if system.top_1_error]
    at = {system.label: (float(system.multiply_adds), float(system.top_1_error)) for system in with_error}
    steps = [(at[system.after], at[system.label]) for system in with_error if system.after in at]
    for step in steps:
        above.plot(*zip(*step, strict=True), color="#999999", linewidth=1.2, zorder=1)
    above.plot(*zip(*at.values(), strict=True), "o", color=COLORS[0], markersize=7)
    _parameters(below, data, with_error)
    label_points(
        above,
        [Point(*at[system.label], f"{system.label}, {system.top_1_error}%") for system in with_error],
        steps,
    )


def _parameters(axes: "Axes", data: Lineage, with_error: list[System]) -> None:
    """The lower panel: points are filled if an error is reported; those at one place share a label."""
    places: dict[tuple[int, int], list[System]] = {}
    for system in data.systems:
        places.setdefault((system.multiply_adds, system.parameters), []).append(system)
    for (x, y), systems in places.items():
        full = systems[0] in with_error
        axes.plot(x, y, "o", color=COLORS[0] if full else "white", markeredgecolor=COLORS[0], markersize=7)
    label_points(
        axes,
        [Point(*place, " =\n".join(system.label for system in systems)) for place, systems in places.items()],
    )

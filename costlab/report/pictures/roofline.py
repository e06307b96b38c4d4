"""The picture of a roofline: each operation below the roofs of the device, and where the time goes."""

from collections.abc import Iterator, Mapping
from math import cos, pi, sin, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

from costlab.counting.breakdown import kernel_of
from costlab.errors import DefinitionError
from costlab.hardware.roofline import Roofline
from costlab.report.cell import duration, human
from costlab.report.figure import (
    BEHIND,
    COLORS,
    FAINT,
    INK,
    SMALL,
    WIDTH,
    Picture,
    add_title,
    format_percents,
    format_sizes,
    readable_ink,
)
from costlab.report.labels import Point, label_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SORTS = 6
"""The most sorts of operations that have a color of their own."""
OTHERS, WITHOUT = "other layers", "no multiply-adds"
NAMED = 5
"""How many dots have names: those that take the longest."""
LARGEST = 500.0
"""The area of the largest dot, in square points."""
HEIGHTS = (4.6, 0.55)
WIDE = 0.07
"""The share of the time from which on a part of the bar has its percent in it."""


class Dot(NamedTuple):
    """Operations of one sort and one intensity, ``many`` of them, the first called ``name``."""

    name: str
    sort: str
    many: int
    flop: int
    bytes: int


class Roofs(NamedTuple):
    """The data: the rates of the device in FLOP and bytes per second, the dots, and the bytes of the rest.

    The rest are operations without multiply-adds, which have no intensity.
    """

    title: str
    dtype: str
    peak: int
    bandwidth: int
    dots: tuple[Dot, ...]
    rest: int

    def seconds(self, dot: Dot) -> float:
        """The bound of a dot."""
        return max(dot.flop / self.peak, dot.bytes / self.bandwidth)

    def place(self, dot: Dot) -> tuple[float, float]:
        """The intensity of a dot, and FLOP per second at it: where it lies on the roofs."""
        intensity = dot.flop / dot.bytes
        return intensity, min(float(self.peak), self.bandwidth * intensity)

    def area(self, dot: Dot) -> float:
        """The area of a dot in square points, in the ratio of the bounds where they are not tiny."""
        return max(12.0, LARGEST * self.seconds(dot) / max(map(self.seconds, self.dots)))

    def by_sort(self) -> dict[str, float]:
        """The bound of each sort, the longest first, and of the rest last."""
        sums: dict[str, float] = {}
        for dot in self.dots:
            sums[dot.sort] = sums.get(dot.sort, 0.0) + self.seconds(dot)
        ordered = dict(sorted(sums.items(), key=lambda each: -each[1]))
        return ordered | ({WITHOUT: self.rest / self.bandwidth} if self.rest else {})


def roofs_of(roofline: Roofline) -> Roofs:
    """The data of the picture.

    Raises:
        DefinitionError: nothing is computed and nothing moved.
    """
    if not roofline.seconds:
        raise DefinitionError(
            f"{roofline.count.label}: nothing is computed or moved, and there is nothing to draw"
        )
    found: dict[tuple[str, int, int], Dot] = {}
    rest = 0
    for bound, moved in zip(roofline.operations, roofline.moved, strict=True):
        if not bound.flop or not bound.bytes:
            rest += bound.bytes
            continue
        key = (kernel_of(moved.node), bound.flop, bound.bytes)
        dot = found.get(key, Dot(bound.path, key[0], 0, 0, 0))
        found[key] = dot._replace(
            many=dot.many + 1, flop=dot.flop + bound.flop, bytes=dot.bytes + bound.bytes
        )
    return Roofs(
        roofline.title, roofline.dtype, roofline.peak, roofline.bandwidth, tuple(found.values()), rest
    )


def roofline_picture(roofline: Roofline, name: str = "") -> Picture[Roofs]:
    """Each operation at its intensity on the roof that bounds it, as large as its time; below, where it goes.

    Raises:
        DefinitionError: nothing is computed and nothing moved.
    """
    alt = f"Roofline: {roofline.count.label} on {roofline.device.name}, operations by intensity and bound"
    return Picture(name, alt, roofs_of(roofline), draw_roofs, (WIDTH, sum(HEIGHTS) + 1.5))


def draw_roofs(figure: "Figure", data: Roofs) -> None:
    """Draw the roofs with the operations, and the bar of the time."""
    add_title(figure, data.title)
    upper, lower = figure.subplots(2, 1, height_ratios=HEIGHTS)
    colors = _colors(data)
    _draw_dots(upper, data, colors)
    _draw_bar(lower, data, colors)
    handles, labels = lower.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=4)


def _colors(data: Roofs) -> dict[str, str]:
    sorts = [sort for sort in data.by_sort() if sort != WITHOUT]
    return {sort: COLORS[place] if place < SORTS else COLORS[-1] for place, sort in enumerate(sorts)} | {
        WITHOUT: FAINT
    }


def _ends(data: Roofs) -> tuple[float, float]:
    """The least and the most of the intensities that are shown."""
    known = [dot.flop / dot.bytes for dot in data.dots]
    ridge = data.peak / data.bandwidth
    return min([*known, ridge / 4]) / 2, max([*known, ridge * 4]) * 2


def _draw_dots(axes: "Axes", data: Roofs, colors: Mapping[str, str]) -> None:
    ridge, (low, high) = data.peak / data.bandwidth, _ends(data)
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(data.bandwidth * low / 4, data.peak * 4))
    axes.plot(
        [low, ridge, high], [data.bandwidth * low, data.peak, data.peak], color=INK, linewidth=1.6, zorder=1
    )
    axes.axvline(ridge, color=INK, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    for dot in sorted(data.dots, key=lambda dot: -data.seconds(dot)):
        x, y = data.place(dot)
        look: Any = {"color": colors[dot.sort], "edgecolors": "white", "linewidths": 0.6, "alpha": 0.75}
        axes.scatter([x], [y], s=data.area(dot), zorder=2, **look)
    _word_roofs(axes, data, ridge, (low, high))
    format_sizes(axes.xaxis)
    format_sizes(axes.yaxis)
    axes.grid(visible=True)
    axes.set_xlabel("intensity, FLOP per byte (logarithmic)")
    axes.set_ylabel("FLOP per second, at most (logarithmic)")


def _word_roofs(axes: "Axes", data: Roofs, ridge: float, ends: tuple[float, float]) -> None:
    """What the roofs are, in the corner below them, and the names of the dots that take the longest."""
    low, high = ends
    told = (
        f"flat: {human(data.peak, 'FLOP/s')} in {data.dtype}",
        f"slope: {human(data.bandwidth, 'B/s')}",
        f"they meet at {ridge:,.1f} FLOP/byte",
    )
    axes.annotate(
        "\n".join(told),
        (1, 0),
        (-6, 8),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=SMALL,
        bbox=BEHIND,
    )
    longest = sorted(data.dots, key=lambda dot: -data.seconds(dot))[:NAMED]
    points = [Point(*data.place(dot), _name(dot), INK) for dot in longest]
    roofs = [(low, data.bandwidth * low), (ridge, data.peak), (high, data.peak)]
    for label in label_points(axes, points, [roofs, *_rims(axes, data)], map(data.place, data.dots)):
        label.set_bbox({**BEHIND, "alpha": 0.8})


def _rims(axes: "Axes", data: Roofs) -> Iterator[list[tuple[float, float]]]:
    """The circles of the dots, in the data's coordinates: words should not lie on them."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # from here on it is known where they are
    for dot in data.dots:
        radius = sqrt(data.area(dot) / pi) * figure.dpi / 72
        x, y = axes.transData.transform(data.place(dot))
        turns = (2 * pi * step / 16 for step in range(17))
        rim = [(x + radius * cos(turn), y + radius * sin(turn)) for turn in turns]
        yield [(float(at), float(up)) for at, up in axes.transData.inverted().transform(rim)]


def _name(dot: Dot) -> str:
    name = dot.name.removesuffix(".conv")
    return f"{name} and {dot.many - 1} more" if dot.many > 1 else name


def _draw_bar(axes: "Axes", data: Roofs, colors: Mapping[str, str]) -> None:
    """Where the time goes: one bar, a part for each sort."""
    sorts = data.by_sort()
    whole = sum(sorts.values())
    start = 0.0
    others = False
    for sort, seconds in sorts.items():
        part = seconds / whole
        is_other = colors[sort] == COLORS[-1]
        label = OTHERS if is_other else sort
        if is_other and others:
            label = "_"
        others |= is_other
        axes.barh(0, part, left=start, color=colors[sort], edgecolor="white", linewidth=0.8, label=label)
        if part >= WIDE:
            axes.text(
                start + part / 2,
                0,
                f"{part:.0%}",
                ha="center",
                va="center",
                fontsize=SMALL,
                color=readable_ink(colors[sort]),
            )
        start += part
    axes.set(xlim=(0, 1), yticks=[])
    axes.set_xlabel(f"share of the bound, {duration(whole)}")
    format_percents(axes.xaxis)
    axes.spines[["left", "bottom"]].set_visible(False)

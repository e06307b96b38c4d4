"""The picture of accuracies against counted multiply-adds."""

from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from costlab.report.figure import COLORS, SMALL, WIDTH, Picture, add_title, format_sizes, readable_on_white
from costlab.report.labels import Point, label_points
from costlab.report.pictures.numbered_points import (
    color_of,
    draw_key,
    format_percents,
    ink_of,
    is_numbered,
    labels_beside,
    spread_apart,
)
from costlab.train.record import Run
from costlab.train.statistics import Interval, accuracy_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAR = 2.5
"""The factor between costs from which on the axis is logarithmic."""
STEP, NUMBERED = 0.017, 0.026
"""The least distance between points, as a fraction of the axis: unnumbered, and with numbers above them."""
ROOM = 0.2
"""The room for labels at either side, as a fraction of the axis."""
MOVED = "points that would lie on each other are moved apart; the strokes are where they belong"
SEVERAL_SEEDS = ", mean over seeds\nand its 95% interval"
WIDE, HIGH = 6.5, 11
"""The size of a digit, in points."""
HEIGHT, LINES = 6.2, 33
"""The height of the picture, in inches, and in lines of text."""


class Reached(NamedTuple):
    """An arm: its cost, and the mean of its accuracies with its interval, if there is one."""

    label: str
    multiply_adds: int
    mean: float
    low: float | None
    high: float | None
    seeds: int


class Accuracies(NamedTuple):
    """What is drawn."""

    title: str
    baseline: str
    arms: tuple[Reached, ...]

    @property
    def logarithmic(self) -> bool:
        """Whether the costs are too far apart for a linear axis."""
        sizes = [arm.multiply_adds for arm in self.arms]
        return max(sizes) > FAR * min(sizes) > 0


def accuracies_of(run: Run) -> Accuracies:
    """The arms with a result."""
    reached = []
    for arm in run.arms:
        interval = accuracy_interval(run.top_1(arm.label).values(), run.data.validation)
        if interval.count:
            mean = round(interval.mean, 6)
            reached.append(Reached(arm.label, arm.multiply_adds, mean, *_ends(interval), interval.count))
    return Accuracies(f"{run.title}: accuracy and counted cost", run.baseline.label, tuple(reached))


def _ends(interval: Interval) -> tuple[float | None, float | None]:
    """The ends of an interval; None where there are too few seeds for one."""
    return (round(interval.low, 6), round(interval.high, 6)) if interval.known else (None, None)


def accuracy_picture(run: Run, name: str) -> Picture[Accuracies]:
    """A point for each arm, with the interval of its mean."""
    alt = f"Points: {run.title}; top-1 accuracy with intervals against multiply-adds"
    return Picture(f"{name}_accuracy", alt, accuracies_of(run), draw_accuracies, (WIDTH, HEIGHT))


def draw_accuracies(figure: "Figure", data: Accuracies) -> None:
    """Draw accuracy against multiply-adds."""
    add_title(figure, data.title)
    labels = [arm.label for arm in data.arms]
    if is_numbered(labels):
        axes, key = figure.subplots(1, 2, width_ratios=(5, 2))
        draw_key(key, labels, data.baseline, LINES)
    else:
        axes = figure.subplots()
    places, moved = _across(axes, data, NUMBERED if is_numbered(labels) else STEP)
    points, lines = [], []
    for arm, x, label in zip(data.arms, places, labels_beside(labels, data.baseline), strict=True):
        color, marker = color_of(arm.label, data.baseline), "D" if arm.label == data.baseline else "o"
        if arm.low is not None and arm.high is not None:
            ends = arm.low, arm.high
            axes.vlines(x, *ends, color=color, linewidth=1.4, alpha=0.6)
            lines.append([(x, end) for end in ends])
        axes.plot(x, arm.mean, marker, color=color, markersize=6)
        points.append(Point(x, arm.mean, label, ink_of(arm.label, data.baseline)))
        if arm.label == data.baseline:
            axes.axhline(arm.mean, color=color, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
            lines.append([(end, arm.mean) for end in axes.get_xlim()])
    axes.margins(y=0.1)
    low, high = axes.get_ylim()
    axes.set_ylim(bottom=max(low, 0))
    axes.set_yticks([tick for tick in axes.get_yticks() if max(low, 0) <= tick <= min(high, 1)])
    axes.grid(visible=True)
    format_sizes(axes.xaxis)
    format_percents(axes.yaxis)
    scale = ", logarithmic" if data.logarithmic else ""
    note = f"\n{MOVED}" if moved else ""
    axes.set_xlabel(f"multiply-adds of an image in inference, counted{scale}{note}", fontsize=SMALL)
    several = any(arm.seeds > 1 for arm in data.arms)
    axes.set_ylabel(f"top-1 accuracy{SEVERAL_SEEDS if several else ''}")
    if is_numbered(labels):
        tops = [arm.mean if arm.high is None else min(arm.high, 1) for arm in data.arms]
        _number(axes, list(zip(points, tops, strict=True)))
    else:
        label_points(axes, points, lines)


def _number(axes: "Axes", tops: Sequence[tuple[Point, float]]) -> None:
    """Put numbers above the intervals, stacked where they would overlap."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # only now is it known where the axes lie
    scale = figure.dpi / 72
    put: list[tuple[float, float, float]] = []

    def is_free(x: float, y: float, width: float) -> bool:
        return not any(abs(x - a) < (width + other) / 2 and abs(y - b) < HIGH for a, b, other in put)

    for point, top in sorted(tops):
        x, y = (float(coordinate) / scale for coordinate in axes.transData.transform((point.x, top)))
        width = WIDE * len(point.text)
        up = next(up for up in count(4, 3) if is_free(x, y + up, width))
        put.append((x, y + up, width))
        axes.annotate(
            point.text,
            (point.x, top),
            (0, up),
            textcoords="offset points",
            ha="center",
            fontsize=SMALL,
            color=readable_on_white(point.color),
        ).set_in_layout(False)


def _across(axes: "Axes", data: Accuracies, step: float) -> tuple[list[float], bool]:
    """The positions of the points along the axis, and whether some had to be moved apart."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    sizes = [float(arm.multiply_adds) for arm in data.arms]
    least, most = min(sizes), max(sizes)
    if data.logarithmic:
        axes.set_xscale("log")
        room = (most / least) ** ROOM
        ends = least / room, most * room
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    else:
        room = ROOM * (most - least) or most * ROOM or 1
        ends = least - room, most + room
        axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_xlim(*ends)
    to_axis = axes.transScale + axes.transLimits
    there = [float(to_axis.transform((size, 0.5))[0]) for size in sizes]
    put = spread_apart(there, step)
    moved = any(abs(a - b) > 1e-9 for a, b in zip(put, there, strict=True))
    if moved:
        strokes = axes.get_xaxis_transform()
        axes.plot(sizes, [0.012] * len(sizes), "|", color=COLORS[0], markersize=9, transform=strokes)
    places = [float(to_axis.inverted().transform((x, 0.5))[0]) for x in put]
    return places, moved

"""The picture of accuracies against counted multiply-adds."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from costlab.report.figure import SMALL, WIDTH, Picture, add_title, format_sizes, wrap_text
from costlab.report.labels import Point, label_points
from costlab.report.pictures.numbered_points import (
    BAR,
    BASELINE,
    format_percents,
    ink_of,
    is_numbered,
    labels_beside,
    marker_of,
    with_baseline_mark,
)
from costlab.report.trained_on import picture_title
from costlab.train.record import Run
from costlab.train.statistics import Interval, accuracy_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAR = 2.5
"""The factor between costs from which on the axis is logarithmic."""
ROOM = 0.2
"""The room for labels at either side, as a fraction of the axis."""
LEAST = 0.05
"""The least such room on a linear axis, as a fraction of the largest cost: ticks would look alike."""
LEAST_FRACTION = 0.01
"""The least room around accuracies."""
SUBS = (1, 1.5, 2, 3, 5, 7)
MANY = 100
"""The ticks of a decade, and the factor between costs from which on there is one in each."""
BASELINE_LINE: dict[str, Any] = {"color": BASELINE, "linewidth": 0.8, "linestyle": (0, (4, 3)), "zorder": 1}
LETTERS = 38
"""Letters in a line of a name."""
POINTS, LINE, AROUND = 4.4, 0.17, 1.8
"""The height in inches of the points, of a line of text, and of what stands around the panels."""
GAP = 0.6
"""Between the rows, in lines."""


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

    @property
    def names(self) -> list[str]:
        """The names of the rows, with the numbers of the points if they have any."""
        labels = [arm.label for arm in self.arms]
        names = [wrap_text(with_baseline_mark(label, self.baseline), LETTERS) for label in labels]
        if not is_numbered(labels):
            return names
        return [f"{name}  {number}" for number, name in enumerate(names, 1)]

    @property
    def places(self) -> list[float]:
        """Where the rows are, and where they end, in lines of text from the top."""
        ends = [0.0]
        for name in self.names:
            ends.append(ends[-1] + name.count("\n") + 1 + GAP)
        return [(start + end) / 2 for start, end in pairwise(ends)] + ends[-1:]


def accuracies_of(run: Run) -> Accuracies:
    """The arms with a result."""
    reached = []
    for arm in run.arms:
        interval = accuracy_interval(run.top_1(arm.label).values(), run.data.validation)
        if interval.count:
            mean = round(interval.mean, 6)
            reached.append(Reached(arm.label, arm.multiply_adds, mean, *_ends(interval), interval.count))
    return Accuracies(f"{picture_title(run)}: accuracy and counted cost", run.baseline.label, tuple(reached))


def _ends(interval: Interval) -> tuple[float | None, float | None]:
    """The ends of an interval; None where there are too few seeds for one."""
    return (round(interval.low, 6), round(interval.high, 6)) if interval.known else (None, None)


def accuracy_picture(run: Run, name: str) -> Picture[Accuracies]:
    """A point for each arm, and below a row for each with the interval of its mean."""
    alt = f"Points: {picture_title(run)}; top-1 accuracy with intervals against multiply-adds"
    data = accuracies_of(run)
    height = POINTS + AROUND + LINE * data.places[-1]
    return Picture(f"{name}_accuracy", alt, data, draw_accuracies, (WIDTH, height))


def draw_accuracies(figure: "Figure", data: Accuracies) -> None:
    """Draw accuracy against multiply-adds, and the intervals, which would lie on each other there."""
    add_title(figure, data.title)
    points, rows = figure.subplots(2, 1, height_ratios=(POINTS, LINE * data.places[-1]))
    several = ", mean over seeds" if any(arm.seeds > 1 for arm in data.arms) else ""
    intervals = " and its 95% interval" if any(arm.low is not None for arm in data.arms) else ""
    _draw_rows(rows, data)
    rows.set_xlabel(f"top-1 accuracy{several}{intervals}", fontsize=SMALL)
    _draw_points(points, data)
    points.set_ylabel(f"top-1 accuracy{several}", fontsize=SMALL)
    scale = ", logarithmic" if data.logarithmic else ""
    points.set_xlabel(f"multiply-adds of an image in inference, counted{scale}", fontsize=SMALL)
    _label(points, data)


def _draw_points(axes: "Axes", data: Accuracies) -> None:
    """Each arm where its cost and its accuracy are."""
    for arm in data.arms:
        axes.plot(arm.multiply_adds, arm.mean, **marker_of(arm.label, data.baseline))
        if arm.label == data.baseline:
            axes.axhline(arm.mean, **BASELINE_LINE)
    _scale_costs(axes, data)
    axes.set_yticks(_ticks(axes.set_ylim, [arm.mean for arm in data.arms]))
    format_percents(axes.yaxis)
    axes.grid(visible=True)


def _draw_rows(axes: "Axes", data: Accuracies) -> None:
    """Each arm in a row, at its accuracy, with its interval."""
    *places, end = data.places
    for arm, place in zip(data.arms, places, strict=True):
        if arm.low is not None and arm.high is not None:
            axes.hlines(place, arm.low, arm.high, **BAR)
        axes.plot(arm.mean, place, **marker_of(arm.label, data.baseline))
        if arm.label == data.baseline:
            axes.axvline(arm.mean, **BASELINE_LINE)
    axes.set_yticks(places, data.names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(end, 0)
    ends = [end for arm in data.arms for end in (arm.low, arm.mean, arm.high) if end is not None]
    axes.set_xticks(_ticks(axes.set_xlim, ends))
    format_percents(axes.xaxis)
    axes.grid(visible=True, axis="x")


def _ticks(set_ends: Callable[[float, float], object], fractions: Sequence[float]) -> list[float]:
    """Give an axis of fractions room around them; returns its ticks, which no fraction is beyond."""
    from matplotlib.ticker import MaxNLocator

    low, high = min(fractions), max(fractions)
    room = max(0.12 * (high - low), LEAST_FRACTION)
    set_ends(low - room, high + room)
    first, last = max(low - room, 0), min(high + room, 1)
    return [float(tick) for tick in MaxNLocator(6).tick_values(first, last) if first <= tick <= last]


def _scale_costs(axes: "Axes", data: Accuracies) -> None:
    """The axis of the costs, with room for labels."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    sizes = [arm.multiply_adds for arm in data.arms]
    least, most = min(sizes), max(sizes)
    if data.logarithmic:
        axes.set_xscale("log")
        room = (most / least) ** ROOM
        axes.set_xlim(least / room, most * room)
        axes.xaxis.set_major_locator(LogLocator(subs=SUBS if most < MANY * least else (1,)))
    else:
        room = max(ROOM * (most - least), LEAST * most, 1)
        axes.set_xlim(least - room, most + room)
        ticks = MaxNLocator(6, integer=True).tick_values(max(least - room, 0), most + room)
        axes.set_xticks([tick for tick in ticks if 0 <= tick <= most + room and tick >= least - room])
    format_sizes(axes.xaxis)


def _label(axes: "Axes", data: Accuracies) -> None:
    """Put names or numbers beside the points."""
    labels = [arm.label for arm in data.arms]
    beside = labels_beside(labels, data.baseline)
    points = [
        Point(arm.multiply_adds, arm.mean, text, ink_of(arm.label, data.baseline))
        for arm, text in zip(data.arms, beside, strict=True)
    ]
    across = [(end, arm.mean) for arm in data.arms if arm.label == data.baseline for end in axes.get_xlim()]
    label_points(axes, points, [across])

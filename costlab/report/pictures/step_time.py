"""The picture of step times: the saved time of a training step against the saved multiply-adds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from costlab.report.figure import COLORS, INK, NORMAL, SMALL, WIDTH, Picture, add_title
from costlab.report.labels import Point, label_points
from costlab.report.pictures.numbered_points import (
    BAR,
    draw_key,
    format_percents,
    ink_of,
    is_numbered,
    labels_beside,
    marker_of,
)
from costlab.report.trained_on import picture_title
from costlab.train.record import ArmRecord, Run, Timing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEAR = 0.15
"""Arms with savings up to this are close to the baseline."""
LEAST = 0.02
"""The least extent of an axis to either side of the baseline."""
ALONE, TOGETHER = 6.2, 8.6
"""The height of the picture in inches, with one panel and with two."""
LINES = 5
"""Lines of text in an inch of the key."""


class StepSaving(NamedTuple):
    """The savings of an arm as fractions of the baseline; ``low`` and ``high`` are of the quartiles."""

    label: str
    multiply_adds: float
    time: float
    low: float = 0.0
    high: float = 0.0

    @property
    def is_near(self) -> bool:
        """Whether it is close to the baseline in both."""
        return max(abs(self.multiply_adds), abs(self.time)) <= NEAR


class StepSavings(NamedTuple):
    """What is drawn."""

    title: str
    baseline: str
    arms: tuple[StepSaving, ...]

    @property
    def crowded(self) -> bool:
        """Whether several arms are close to the baseline, and others far from it."""
        far = [arm for arm in self.arms if max(abs(arm.multiply_adds), abs(arm.time)) > 3 * NEAR]
        return bool(far) and sum(arm.is_near for arm in self.arms) > 1


def step_savings(run: Run) -> StepSavings:
    """The savings of all timed arms for one image, so that batches may differ; none without a baseline."""
    first = run.baseline
    saved = [
        savings_of_step(arm, arm.timing, first, first.timing)
        for arm in run.arms[1:]
        if first.timing and arm.timing  # else there is nothing to compare
    ]
    return StepSavings(f"{picture_title(run)}: what a training step saves", first.label, tuple(saved))


def savings_of_step(arm: ArmRecord, timing: Timing, first: ArmRecord, its: Timing) -> StepSaving:
    """``1 - arm / baseline`` for one image; negative if the arm takes more."""
    image = its.seconds / its.batch_size

    def saved(seconds: float) -> float:
        return round(1 - seconds / timing.batch_size / image, 6)

    counted = round(1 - arm.step_multiply_adds / first.step_multiply_adds, 6)
    return StepSaving(arm.label, counted, saved(timing.seconds), saved(timing.high), saved(timing.low))


def step_picture(run: Run, name: str) -> Picture[StepSavings]:
    """A point for each arm; on the diagonal time is saved as it is counted."""
    data = step_savings(run)
    alt = f"Points: {picture_title(run)}; saved time of a training step against saved multiply-adds"
    return Picture(f"{name}_steps", alt, data, draw_steps, (WIDTH, TOGETHER if data.crowded else ALONE))


def draw_steps(figure: "Figure", data: StepSavings) -> None:
    """Draw saved time against saved multiply-adds; where it is crowded, the middle once more and larger."""
    add_title(figure, data.title)
    arms = (StepSaving(data.baseline, 0, 0), *data.arms)
    labels = [arm.label for arm in arms]
    points = list(zip(arms, labels_beside(labels, data.baseline), strict=True))
    many = is_numbered(labels)
    grid = figure.add_gridspec(1 + data.crowded, 1 + many, width_ratios=(5, 2)[: 1 + many])
    panels = [figure.add_subplot(grid[row, 0]) for row in range(1 + data.crowded)]
    if many:
        height = TOGETHER if data.crowded else ALONE
        draw_key(figure.add_subplot(grid[:, 1]), labels, data.baseline, round(LINES * height))
    whole = panels[0]
    _draw(whole, arms, data.baseline)
    panels[-1].set_xlabel("multiply-adds of a step that are saved, counted")
    figure.supylabel("time of a step that is saved, measured", fontsize=NORMAL)
    handles, texts = whole.get_legend_handles_labels()
    figure.legend(handles, texts, ncols=2, loc="outside lower center", fontsize=SMALL)
    if not data.crowded:
        _name(whole, points, data.baseline)
        return
    near = [point for point in points if point[0].is_near]
    _draw(panels[1], [arm for arm, _ in near], data.baseline)
    panels[1].set_title("the frame above, larger", fontsize=SMALL)
    (left, right), (bottom, top) = panels[1].get_xlim(), panels[1].get_ylim()
    frame = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
    whole.plot(*zip(*frame, strict=True), color=INK, linewidth=0.8)
    _name(panels[1], near, data.baseline)
    far = [point for point in points if not point[0].is_near]
    _name(whole, far, data.baseline, frame, [(arm.multiply_adds, arm.time) for arm, _ in near])


def _draw(axes: "Axes", arms: Sequence[StepSaving], baseline: str) -> None:
    """The points, the quartiles, and the diagonal."""
    x_ends = _ends([arm.multiply_adds for arm in arms])
    y_ends = _ends([value for arm in arms for value in (arm.low, arm.time, arm.high)])
    axes.set_xlim(*x_ends)
    axes.set_ylim(*y_ends)
    ends = max(x_ends[0], y_ends[0]), min(x_ends[1], y_ends[1])
    dashes = (0, (5, 3))
    axes.plot(ends, ends, color=COLORS[1], linewidth=1.6, linestyle=dashes, label="time as counted", zorder=1)
    axes.axhline(0, color=INK, linewidth=0.8, zorder=0)
    axes.axvline(0, color=INK, linewidth=0.8, zorder=0)
    bars = "the middle half of the steps"
    for arm in arms:
        x = arm.multiply_adds
        if arm.label != baseline:
            axes.vlines(x, arm.low, arm.high, label=bars, **BAR)
            bars = ""  # in the legend once
        axes.plot(x, arm.time, **marker_of(arm.label, baseline))
    format_percents(axes.xaxis)
    format_percents(axes.yaxis)
    axes.grid(visible=True)


def _name(
    axes: "Axes",
    points: Sequence[tuple[StepSaving, str]],
    baseline: str,
    frame: Sequence[tuple[float, float]] = (),
    unlabelled: Sequence[tuple[float, float]] = (),
) -> None:
    """Put names or numbers beside the points, off the lines."""
    bars = [[(arm.multiply_adds, arm.low), (arm.multiply_adds, arm.high)] for arm, _ in points]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    low, high = max(left, bottom), min(right, top)
    label_points(
        axes,
        [Point(arm.multiply_adds, arm.time, label, ink_of(arm.label, baseline)) for arm, label in points],
        [*bars, [(low, low), (high, high)], [(left, 0), (right, 0)], [(0, bottom), (0, top)], list(frame)],
        unlabelled,
    )


def _ends(values: list[float]) -> tuple[float, float]:
    """An axis around the values and 0, with room for labels."""
    low, high = min(*values, -LEAST), max(*values, LEAST)
    room = 0.12 * (high - low)
    return low - room, high + room

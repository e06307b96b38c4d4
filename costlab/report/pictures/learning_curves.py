"""The picture of learning: accuracy on validation images after each epoch, each arm beside the baseline."""

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from costlab.report.figure import COLORS, SMALL, WIDTH, Picture, add_title, wrap_text
from costlab.report.pictures.numbered_points import format_percents
from costlab.report.trained_on import picture_title
from costlab.train.record import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3
GRAY = COLORS[-1]


class LearningCurve(NamedTuple):
    """The accuracies of an arm after each epoch: the mean over seeds, the lowest and the highest."""

    label: str
    seeds: int
    means: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]


class Curves(NamedTuple):
    """The data: a panel for each arm but the baseline, which is drawn in all panels."""

    title: str
    baseline: LearningCurve | None
    arms: tuple[LearningCurve, ...]

    @property
    def panels(self) -> tuple[LearningCurve, ...]:
        """The arms that have a panel; the baseline only where it is alone."""
        return self.arms or ((self.baseline,) if self.baseline else ())


def curves_of(run: Run) -> Curves:
    """The curves of the trials that did not fail."""
    curves = {arm.label: curve for arm in run.arms if (curve := _curve(run, arm.label))}
    baseline = curves.pop(run.baseline.label, None)
    return Curves(f"{picture_title(run)}: accuracy after each epoch", baseline, tuple(curves.values()))


def _curve(run: Run, label: str) -> LearningCurve | None:
    paths = [
        [epoch.validation_accuracy for epoch in trial.epochs]
        for trial in run.trials
        if trial.arm == label and trial.top_1 is not None
    ]
    if not paths:
        return None
    after = list(zip(*paths, strict=False))
    return LearningCurve(
        label,
        len(paths),
        tuple(round(sum(accuracies) / len(accuracies), 6) for accuracies in after),
        tuple(map(min, after)),
        tuple(map(max, after)),
    )


def curves_picture(run: Run, name: str) -> Picture[Curves]:
    """Small panels of one scale, an arm in each."""
    data = curves_of(run)
    rows = ceil(len(data.panels) / COLUMNS)
    alt = (
        f"Lines: {picture_title(run)}; validation accuracy by epoch, a panel for each variant beside the "
        "baseline"
    )
    return Picture(f"{name}_curves", alt, data, draw_curves, (WIDTH, 1.6 + max(1.8 * rows, 2.6)))


def draw_curves(figure: "Figure", data: Curves) -> None:
    """Draw the panels."""
    add_title(figure, data.title)
    columns = min(COLUMNS, len(data.panels))
    rows = ceil(len(data.panels) / columns)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    every = [axes for line in grid for axes in line]
    panels = every[: len(data.panels)]
    for axes in every[len(data.panels) :]:
        axes.remove()
    for axes in panels[-columns:]:  # some have a place below them that is left free
        axes.tick_params(axis="x", labelbottom=True)
    for axes in panels[columns * (rows - 1) :]:
        axes.set_xlabel("epoch", fontsize=SMALL)
    for axes, curve in zip(panels, data.panels, strict=True):
        if data.baseline:
            _line(axes, data.baseline, GRAY, 1.2)
        if curve is not data.baseline:
            _line(axes, curve, COLORS[0], 1.8)
        axes.set_title(wrap_text(curve.label, 30 if columns > 1 else 90), fontsize=SMALL)
        axes.grid(visible=True)
    _scale(panels[0], data)
    figure.supylabel("top-1 accuracy on validation images", fontsize=SMALL)
    _legend(figure, data)


def _line(axes: "Axes", curve: LearningCurve, color: str, thickness: float) -> None:
    epochs = range(1, len(curve.means) + 1)
    axes.fill_between(epochs, curve.lows, curve.highs, color=color, alpha=0.2, linewidth=0)
    marker = "o" if len(epochs) == 1 else None
    axes.plot(epochs, curve.means, color=color, linewidth=thickness, marker=marker, markersize=4)


def _scale(axes: "Axes", data: Curves) -> None:
    """The scale that all panels share."""
    from matplotlib.ticker import MaxNLocator

    longest = max(len(curve.means) for curve in _all(data))
    axes.set_xlim(0.5, longest + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    format_percents(axes.yaxis)


def _legend(figure: "Figure", data: Curves) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    several = any(curve.seeds > 1 for curve in _all(data))
    mean = ", mean over seeds" if several else ""
    looks: list[tuple[Line2D | Patch, str]] = []
    if data.arms:
        looks.append((Line2D([], [], color=COLORS[0], linewidth=1.8), f"the variant above{mean}"))
    if data.baseline:
        label = wrap_text(f"{data.baseline.label} (baseline){mean}", 60)
        looks.append((Line2D([], [], color=GRAY, linewidth=1.2), label))
    if several:
        looks.append((Patch(color=GRAY, alpha=0.4, linewidth=0), "from the lowest to the highest seed"))
    figure.legend(*zip(*looks, strict=True), ncols=2, loc="outside lower center")


def _all(data: Curves) -> Sequence[LearningCurve]:
    return (*data.arms, *((data.baseline,) if data.baseline else ()))

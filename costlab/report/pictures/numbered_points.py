"""Points in the pictures of a training run: their labels or numbers, and the key to these."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from costlab.report.figure import COLORS, INK, SMALL, readable_on_white, wrap_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW, SHORT = 6, 8
"""Points are labelled if there are at most so many, and their labels have at most so many lines together."""
BESIDE, IN_KEY = 26, 24
"""Letters in a line."""
BASELINE = COLORS[3]
GAP = 0.4
"""Between the entries of a key, in lines."""


def is_numbered(labels: Sequence[str]) -> bool:
    """Whether points have numbers, as there are too many labels."""
    return len(labels) > FEW or sum(wrap_text(label, BESIDE).count("\n") + 1 for label in labels) > SHORT


def labels_beside(labels: Sequence[str], baseline: str) -> list[str]:
    """The text beside each point: its label, or its number."""
    if is_numbered(labels):
        return [str(number) for number in range(1, len(labels) + 1)]
    return [wrap_text(_with_baseline_mark(label, baseline), BESIDE) for label in labels]


def color_of(label: str, baseline: str) -> str:
    """The color of a point."""
    return BASELINE if label == baseline else COLORS[0]


def ink_of(label: str, baseline: str) -> str:
    """The color of the text beside a point."""
    return BASELINE if label == baseline else INK


def draw_key(axes: "Axes", labels: Sequence[str], baseline: str, lines: int) -> None:
    """Write the key to the numbers on empty axes, which have room for ``lines`` lines."""
    entries = [wrap_text(_with_baseline_mark(label, baseline), IN_KEY) for label in labels]
    needed = sum(entry.count("\n") + 1 + GAP for entry in entries)
    axes.axis("off")
    axes.set_xlim(0, 1)
    axes.set_ylim(max(needed, lines), 0)
    y = 1.0
    for number, (label, entry) in enumerate(zip(labels, entries, strict=True), 1):
        color = readable_on_white(ink_of(label, baseline))
        axes.text(0.09, y, str(number), fontsize=SMALL, ha="right", color=color)
        for line in entry.split("\n"):
            axes.text(0.15, y, line, fontsize=SMALL, color=color)
            y += 1
        y += GAP


def format_percents(axis: Any) -> None:
    """Label an axis of fractions in percent, with as many digits as its ticks need."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{round(100 * value, 6):g}%".replace("-", "\u2212"))
    )


def _with_baseline_mark(label: str, baseline: str) -> str:
    return f"{label} (baseline)" if label == baseline else label


def spread_apart(places: Sequence[float], step: float) -> list[float]:
    """Places moved, by the least sum of squares, so that they are at least ``step`` apart.

    Places that must move form groups around the mean of their original places.
    Source: the pooling of adjacent violators, M. Ayer et al., Annals of Mathematical Statistics 26, 1955.
    """
    order = sorted(range(len(places)), key=places.__getitem__)
    groups: list[list[float]] = []
    for rank, i in enumerate(order):
        groups.append([places[i] - rank * step])
        while len(groups) > 1 and _mean(groups[-2]) > _mean(groups[-1]):
            last = groups.pop()
            groups[-1] += last
    level = [_mean(group) for group in groups for _ in group]
    moved = dict(zip(order, (place + rank * step for rank, place in enumerate(level)), strict=True))
    return [moved[i] for i in range(len(places))]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)

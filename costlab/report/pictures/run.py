"""What the pictures of a training run share: numbers and names of points, places, percents."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from costlab.report.figure import COLORS, INK, SMALL, readable_on_white, wrap_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW, SHORT = 6, 8
"""So many points have their names beside them, if those are of so many lines together."""
BESIDE, IN_KEY = 26, 24
"""Letters in a line."""
BASELINE = COLORS[3]
GAP = 0.4
"""Between the entries of a key, in lines."""


def is_numbered(labels: Sequence[str]) -> bool:
    """Whether points are numbered."""
    return len(labels) > FEW or sum(wrap_text(label, BESIDE).count("\n") + 1 for label in labels) > SHORT


def labels_beside(labels: Sequence[str], baseline: str) -> list[str]:
    """What stands beside each point."""
    if is_numbered(labels):
        return [str(number) for number in range(1, len(labels) + 1)]
    return [wrap_text(_with_baseline_mark(label, baseline), BESIDE) for label in labels]


def color_of(label: str, baseline: str) -> str:
    """The color of a point."""
    return BASELINE if label == baseline else COLORS[0]


def ink_of(label: str, baseline: str) -> str:
    """The color of what stands beside a point."""
    return BASELINE if label == baseline else INK


def draw_key(axes: "Axes", labels: Sequence[str], baseline: str, lines: int) -> None:
    """Write the key to numbers on axes that hold nothing else, ``lines`` of letters high."""
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
    """Label an axis of parts of 1 in percent, with as many digits as its ticks need."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{round(100 * value, 6):g}%".replace("-", "\u2212"))
    )


def _with_baseline_mark(label: str, baseline: str) -> str:
    return f"{label} (baseline)" if label == baseline else label


def spread_apart(places: Sequence[float], step: float) -> list[float]:
    """Places moved as little as can be, in the sum of squares, so that they lie ``step`` apart.

    Those that must move form groups about the mean of where they belong.
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

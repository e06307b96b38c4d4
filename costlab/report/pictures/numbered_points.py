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
BAR: dict[str, Any] = {"color": INK, "linewidth": 1.2, "zorder": 4}
"""The look of an interval, before its point: it may be shorter than that is wide."""
GAP = 0.4
"""Between the entries of a key, in lines."""


def is_numbered(labels: Sequence[str]) -> bool:
    """Whether points have numbers, as there are too many labels."""
    return len(labels) > FEW or sum(wrap_text(label, BESIDE).count("\n") + 1 for label in labels) > SHORT


def labels_beside(labels: Sequence[str], baseline: str) -> list[str]:
    """The text beside each point: its label, or its number."""
    if is_numbered(labels):
        return [str(number) for number in range(1, len(labels) + 1)]
    return [wrap_text(with_baseline_mark(label, baseline), BESIDE) for label in labels]


def color_of(label: str, baseline: str) -> str:
    """The color of a point."""
    return BASELINE if label == baseline else COLORS[0]


def ink_of(label: str, baseline: str) -> str:
    """The color of the text beside a point."""
    return BASELINE if label == baseline else INK


def marker_of(label: str, baseline: str) -> dict[str, Any]:
    """The look of a point: those that lie on each other can be told apart by their edges."""
    return {
        "marker": "D" if label == baseline else "o",
        "color": color_of(label, baseline),
        "markersize": 7,
        "markeredgecolor": "white",
        "markeredgewidth": 0.8,
        "linestyle": "none",
        "zorder": 3 if label == baseline else 2,
    }


def draw_key(axes: "Axes", labels: Sequence[str], baseline: str, lines: int) -> None:
    """Write the key to the numbers on empty axes, which have room for ``lines`` lines."""
    entries = [wrap_text(with_baseline_mark(label, baseline), IN_KEY) for label in labels]
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


def with_baseline_mark(label: str, baseline: str) -> str:
    """A label that says whether it is that of the baseline."""
    return f"{label} (baseline)" if label == baseline else label

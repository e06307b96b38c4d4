"""How design spaces look in the pictures of a run: a color, a marker and a line for each."""

from typing import Any

from costlab.report.figure import COLORS, INK, wrap_text

SHADES = (COLORS[0], COLORS[1], COLORS[2], COLORS[4], COLORS[5], COLORS[7])
"""The networks beside the members are drawn in ink."""
MARKERS = ("o", "s", "^", "v", "P")
LINES: tuple[Any, ...] = ("solid", (0, (5, 2)), (0, (1, 1.2)), (0, (6, 2, 1, 2)))
LETTERS = 52
"""Letters in a line of a legend."""
BASELINE_LINE: dict[str, Any] = {"color": INK, "linewidth": 1.0, "linestyle": (0, (4, 3)), "zorder": 1}


def shade_of(place: int) -> str:
    """The color of a space by its place in the record."""
    return SHADES[place % len(SHADES)]


def marker_of_space(place: int) -> str:
    """Its marker: the first 30 spaces have no two alike."""
    return MARKERS[place % len(MARKERS)]


def line_of_space(place: int) -> Any:
    """The dashes of its line."""
    return LINES[place % len(LINES)]


def in_legend(text: str) -> str:
    """A text as it stands in a legend."""
    return wrap_text(text, LETTERS)

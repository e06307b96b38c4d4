"""Labels beside points: placed so that none lies on another, on a point, or outside."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import cos, hypot, pi, sin
from typing import TYPE_CHECKING, NamedTuple

from costlab.report.figure import INK, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

DISTANCES = (7, 12, 18, 26, 36, 48, 62)
"""In points, from a point to its label."""
EIGHTHS = (0, 4, 2, 6, 1, 7, 3, 5)
"""Directions in the order of preference, in eighths of a turn: right, left, above, below, and between."""
MARKER = 5
"""Half the size of what is drawn at a point, in points."""
FAR = 18
"""A label at least so far from its point is tied to it with a line."""
AIR = 1.5
ON_A_LABEL, ON_A_POINT, ON_A_LINE = 1_000_000, 10_000, 30


class Point(NamedTuple):
    """A point in the data's coordinates, with what is to stand beside it."""

    x: float
    y: float
    text: str
    color: str = INK


def label_points(
    axes: "Axes", points: Sequence[Point], lines: Iterable[Sequence[tuple[float, float]]] = ()
) -> "list[Annotation]":
    """Put each label where it is least in the way, nearest first. Comes last: the axes must not change.

    ``lines`` are drawn through these points, in the data's coordinates, and are better not crossed.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # only now is it known where the axes lie
    scale = figure.dpi / 72
    shown = [tuple(axes.transData.transform((point.x, point.y))) for point in points]
    paths = [[tuple(axes.transData.transform(at)) for at in line] for line in lines]
    crossings = [at for path in paths for a, b in pairwise(path) for at in _between(a, b, 4 * scale)]
    placed: list[Bbox] = []
    labels = []
    for point, at in zip(points, shown, strict=True):
        label, box = _place(axes, point, at, placed, [other for other in shown if other != at], crossings)
        labels.append(label)
        placed.append(box)
    return labels


def _place(
    axes: "Axes",
    point: Point,
    at: tuple[float, ...],
    placed: "Sequence[Bbox]",
    others: Sequence[tuple[float, ...]],
    crossings: Sequence[tuple[float, float]],
) -> "tuple[Annotation, Bbox]":
    figure = axes.get_figure(root=True)
    assert figure is not None
    scale = figure.dpi / 72
    renderer: RendererBase = figure.canvas.get_renderer()  # type: ignore[attr-defined]  # of Agg, which all are
    label = axes.annotate(
        point.text,
        (point.x, point.y),
        xytext=(0, 0),
        textcoords="offset points",
        fontsize=SMALL,
        color=point.color,
        arrowprops={"arrowstyle": "-", "color": point.color, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 4},
    )
    label.set_in_layout(False)
    best: tuple[float, float, float, str, str] | None = None
    for distance in DISTANCES:
        for turn in EIGHTHS:
            across, up = cos(turn * pi / 4), sin(turn * pi / 4)
            aligned = _aligned(across, ("right", "center", "left")), _aligned(up, ("top", "center", "bottom"))
            _put(label, (distance * across, distance * up), *aligned)
            box = _extent(label, renderer).padded(AIR * scale)
            near = MARKER * scale
            cost = float(distance + turn % 2)
            cost += ON_A_LABEL * sum(box.overlaps(other) for other in placed)
            cost += ON_A_POINT * sum(_near(box, other, near) for other in (*others, at))
            cost += ON_A_LINE * sum(_near(box, crossing, 0) for crossing in crossings)
            cost += ON_A_LABEL * (not _inside(box, axes.bbox))
            if best is None or cost < best[0]:
                best = (cost, distance * across, distance * up, *aligned)
    assert best is not None
    _, across, up, *sides = best
    _put(label, (across, up), *sides)
    box = _extent(label, renderer).padded(AIR * scale)
    if label.arrow_patch is not None:
        label.arrow_patch.set_visible(hypot(across, up) >= FAR)
    return label, box


def _extent(label: "Annotation", renderer: "RendererBase") -> "Bbox":
    """Where the letters lie, without the line to the point."""
    from matplotlib.text import Text

    label.update_positions(renderer)
    return Text.get_window_extent(label, renderer)


def _put(label: "Annotation", offset: tuple[float, float], across: str, up: str) -> None:
    label.set(position=offset, horizontalalignment=across, verticalalignment=up)


def _aligned(part: float, sides: tuple[str, str, str]) -> str:
    """On which side of a label its anchor lies, for a label that lies to the left, in the middle, right."""
    return sides[(part > -0.1) + (part > 0.1)]


def _between(a: tuple[float, ...], b: tuple[float, ...], step: float) -> list[tuple[float, float]]:
    steps = max(1, round(hypot(b[0] - a[0], b[1] - a[1]) / step))
    return [(a[0] + (b[0] - a[0]) * i / steps, a[1] + (b[1] - a[1]) * i / steps) for i in range(steps + 1)]


def _near(box: "Bbox", at: tuple[float, ...], margin: float) -> bool:
    return bool(box.x0 - margin < at[0] < box.x1 + margin and box.y0 - margin < at[1] < box.y1 + margin)


def _inside(box: "Bbox", frame: "Bbox") -> bool:
    return bool(box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1)

"""Labels beside points, placed so that none overlaps another or a point, or is outside of the axes."""

from collections.abc import Iterable, Sequence
from itertools import pairwise, product
from math import cos, hypot, pi, sin
from typing import TYPE_CHECKING, NamedTuple

from costlab.report.figure import INK, SMALL, readable_on_white

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
"""Half the size of the marker of a point, in points."""
FAR = 18
"""A label that is at least so far from its point is connected with it by a line."""
AIR = 1.5
ON_A_LABEL, ON_A_POINT, ON_A_LINE = 1_000_000, 10_000, 30


class Point(NamedTuple):
    """A point in the data's coordinates, with its label."""

    x: float
    y: float
    text: str
    color: str = INK


class _Surroundings(NamedTuple):
    """What a label should avoid, in pixels: other labels, points, spots on lines, the edge."""

    scale: float
    frame: "Bbox"
    points: list[tuple[float, float]]
    spots: list[tuple[float, float]]
    labels: "list[Bbox]"

    def cost(self, box: "Bbox") -> int:
        """The penalty of a label in this box."""
        return (
            ON_A_LABEL * (sum(box.overlaps(other) for other in self.labels) + (not _inside(box, self.frame)))
            + ON_A_POINT * sum(_near(box, point, MARKER * self.scale) for point in self.points)
            + ON_A_LINE * sum(_near(box, spot, 0) for spot in self.spots)
        )


def label_points(
    axes: "Axes", points: Sequence[Point], lines: Iterable[Sequence[tuple[float, float]]] = ()
) -> "list[Annotation]":
    """Put each label in the place of the least penalty. To be called last: the axes must not change.

    ``lines`` are polylines in the data's coordinates that labels should not cross.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # only now is it known where the axes lie
    scale = figure.dpi / 72
    paths = [[_pixels(axes, *at) for at in line] for line in lines]
    spots = [at for path in paths for a, b in pairwise(path) for at in _points_between(a, b, 4 * scale)]
    around = _Surroundings(scale, axes.bbox, [_pixels(axes, point.x, point.y) for point in points], spots, [])
    return [_place(axes, point, around) for point in points]


def _place(axes: "Axes", point: Point, around: _Surroundings) -> "Annotation":
    """Put a label beside its point, and add it to the surroundings."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    renderer: RendererBase = figure.canvas.get_renderer()  # type: ignore[attr-defined]  # of Agg, which all are
    label = axes.annotate(
        point.text,
        (point.x, point.y),
        xytext=(0, 0),
        textcoords="offset points",
        fontsize=SMALL,
        color=readable_on_white(point.color),
        arrowprops={"arrowstyle": "-", "color": point.color, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 4},
    )
    label.set_in_layout(False)

    def box_at(distance: int, turn: int) -> "Bbox":
        _move(label, distance, turn)
        return _extent(label, renderer).padded(AIR * around.scale)

    def cost_at(place: tuple[int, int]) -> int:
        distance, turn = place
        return around.cost(box_at(distance, turn)) + distance + turn % 2

    best = min(product(DISTANCES, EIGHTHS), key=cost_at)
    around.labels.append(box_at(*best))
    if label.arrow_patch is not None:
        label.arrow_patch.set_visible(best[0] >= FAR)
    return label


def _move(label: "Annotation", distance: int, turn: int) -> None:
    """Put a label at a distance from its point, in the direction of so many eighths of a turn."""
    across, up = cos(turn * pi / 4), sin(turn * pi / 4)
    label.set(
        position=(distance * across, distance * up),
        horizontalalignment=_alignment(across, ("right", "center", "left")),
        verticalalignment=_alignment(up, ("top", "center", "bottom")),
    )


def _pixels(axes: "Axes", x: float, y: float) -> tuple[float, float]:
    """A point of the data in pixels."""
    across, up = axes.transData.transform((x, y))
    return float(across), float(up)


def _extent(label: "Annotation", renderer: "RendererBase") -> "Bbox":
    """The box of the text, without the line to the point."""
    from matplotlib.text import Text

    label.update_positions(renderer)
    return Text.get_window_extent(label, renderer)


def _alignment(part: float, sides: tuple[str, str, str]) -> str:
    """The side of a label on which its anchor is, for a label to the left, in the middle, to the right."""
    return sides[(part > -0.1) + (part > 0.1)]


def _points_between(a: tuple[float, ...], b: tuple[float, ...], step: float) -> list[tuple[float, float]]:
    steps = max(1, round(hypot(b[0] - a[0], b[1] - a[1]) / step))
    return [(a[0] + (b[0] - a[0]) * i / steps, a[1] + (b[1] - a[1]) * i / steps) for i in range(steps + 1)]


def _near(box: "Bbox", at: tuple[float, ...], margin: float) -> bool:
    return bool(box.x0 - margin < at[0] < box.x1 + margin and box.y0 - margin < at[1] < box.y1 + margin)


def _inside(box: "Bbox", frame: "Bbox") -> bool:
    return bool(box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1)

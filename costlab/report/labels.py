"""Labels beside points, placed so that none overlaps another or a point, or is outside of the axes.

A label belongs to the point that is nearest to it by far, or is tied to its own by a line. Points that cover
each other share a label.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import cos, hypot, inf, pi, sin
from typing import TYPE_CHECKING, NamedTuple

from costlab.report.figure import INK, SMALL, readable_on_white, wrap_text

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
COVERED = 2.5
"""Points that are no farther from each other, in points, cover each other."""
NEAREST = 1.4
"""A label without a line is closer to its own point than to any other by this factor."""
SHORT, TOGETHER = 3, 18
"""The most letters of a text that stands beside others on a line, and of such a line."""
ROUNDS = 3
"""How often labels are placed, each time with those in view that follow."""
AIR = 1.5
ON_A_LABEL, ON_A_POINT, ON_A_TIE, UNCLEAR, CROSSING, ON_A_LINE = 1_000_000, 10_000, 8_000, 5_000, 60, 30


class Point(NamedTuple):
    """A point in the data's coordinates, with its label."""

    x: float
    y: float
    text: str
    color: str = INK


Spot = tuple[float, float]


class _Box(NamedTuple):
    """A rectangle in pixels; it is asked for its sides millions of times, which matplotlib's are slow at."""

    x0: float
    y0: float
    x1: float
    y1: float

    def overlaps(self, other: "_Box") -> bool:
        return self.x0 <= other.x1 and other.x0 <= self.x1 and self.y0 <= other.y1 and other.y0 <= self.y1

    def holds(self, spots: Iterable[Spot], margin: float = 0) -> int:
        """How many of these are in it, or that close to it."""
        left, right, below, above = self.x0 - margin, self.x1 + margin, self.y0 - margin, self.y1 + margin
        return sum(1 for x, y in spots if left < x < right and below < y < above)


class _Place(NamedTuple):
    """Where a label may stand, in pixels: its box, the spots of the line to its point, if there is one.

    ``penalty`` is that of the place, whatever the other labels.
    """

    distance: int
    turn: int
    box: _Box
    tie: tuple[Spot, ...]
    penalty: int

    def clash(self, others: "Iterable[_Place]") -> int:
        """The penalty of this place beside labels in other places."""
        return sum(
            ON_A_LABEL * self.box.overlaps(other.box)
            + ON_A_TIE * bool(self.box.holds(other.tie))
            + ON_A_TIE * bool(other.box.holds(self.tie))
            for other in others
        )


class _Surroundings(NamedTuple):
    """What a label should avoid, in pixels, beside other labels: points, spots on lines, the edge."""

    scale: float
    frame: _Box
    points: list[Spot]
    spots: list[Spot]

    def penalty(self, at: Spot, box: _Box, tie: Sequence[Spot]) -> int:
        """The penalty of a label of the point ``at`` in this box."""
        others = [point for point in self.points if _apart(point, at) > COVERED * self.scale]
        nearest = min((_gap(box, point) for point in others), default=inf)
        return (
            ON_A_LABEL * (not _inside(box, self.frame))
            + ON_A_POINT * box.holds(self.points, MARKER * self.scale)
            + UNCLEAR * (not tie and nearest < NEAREST * _gap(box, at))
            + CROSSING * sum(_passes(tie, point, MARKER * self.scale) for point in others)
            + ON_A_LINE * box.holds(self.spots)
        )


def label_points(
    axes: "Axes",
    points: Sequence[Point],
    lines: Iterable[Sequence[tuple[float, float]]] = (),
    unlabelled: Iterable[tuple[float, float]] = (),
) -> "list[Annotation]":
    """Put each label in the place of the least penalty. To be called last: the axes must not change.

    ``lines`` are polylines in the data's coordinates that labels should not cross, ``unlabelled`` further
    points.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # only now is it known where the axes lie
    scale = figure.dpi / 72
    paths = [[_pixels(axes, *at) for at in line] for line in lines]
    spots = [at for path in paths for a, b in pairwise(path) for at in _points_between(a, b, 4 * scale)]
    every = [_pixels(axes, point.x, point.y) for point in points]
    further = [_pixels(axes, *at) for at in unlabelled]
    around = _Surroundings(scale, _box(axes.bbox), [*every, *further], spots)
    shared = _with_shared_labels(points, every, COVERED * scale)
    labels = [_annotate(axes, point) for point in shared]
    choices = [
        _places(label, _pixels(axes, point.x, point.y), around)
        for label, point in zip(labels, shared, strict=True)
    ]
    for label, place in zip(labels, _chosen(choices), strict=True):
        _move(label, place.distance, place.turn)
        if label.arrow_patch is not None:
            label.arrow_patch.set_visible(bool(place.tie))
    return labels


def _chosen(choices: Sequence[Sequence[_Place]]) -> Sequence[_Place]:
    """A place for each label: the best in view of those of the others, chosen anew in each round."""
    chosen: dict[int, _Place] = {}
    for _ in range(ROUNDS):
        for number, places in enumerate(choices):
            others = [place for other, place in chosen.items() if other != number]
            chosen[number] = min(
                places, key=lambda place: place.penalty + place.clash(others)
            )  # used at once
    return list(chosen.values())


def _with_shared_labels(points: Sequence[Point], at: Sequence[Spot], covered: float) -> list[Point]:
    """The points to label: of those that cover each other the first, with the texts of all."""
    groups: list[list[int]] = []
    for number, place in enumerate(at):
        group = next((group for group in groups if _apart(at[group[0]], place) <= covered), None)
        if group is None:
            groups.append([number])
        else:
            group.append(number)
    return [_shared([points[number] for number in group]) for group in groups]


def _shared(points: Sequence[Point]) -> Point:
    first, texts = points[0], [point.text for point in points]
    if len(points) == 1:
        return first
    short = max(map(len, texts)) <= SHORT
    text = wrap_text(", ".join(texts), TOGETHER) if short else ",\n".join(texts)
    return first._replace(
        text=text, color=first.color if len({point.color for point in points}) == 1 else INK
    )


def _annotate(axes: "Axes", point: Point) -> "Annotation":
    """The label of a point, which has no place yet."""
    label = axes.annotate(
        point.text,
        (point.x, point.y),
        xytext=(0, 0),
        textcoords="offset points",
        fontsize=SMALL,
        color=readable_on_white(point.color),
        arrowprops={"arrowstyle": "-", "color": point.color, "linewidth": 0.7, "shrinkA": 1, "shrinkB": 1},
        zorder=5,
    )
    label.set_in_layout(False)
    return label


def _places(label: "Annotation", at: Spot, around: _Surroundings) -> list[_Place]:
    """Where a label can stand beside its point."""
    figure = label.get_figure(root=True)
    assert figure is not None
    renderer: RendererBase = figure.canvas.get_renderer()  # type: ignore[attr-defined]  # of Agg, which all are
    places = []
    for turn in EIGHTHS:
        across, up = _move(label, 0, turn)
        extent = _extent(label, renderer).padded(AIR * around.scale)
        for distance in DISTANCES:
            box = _box(extent.translated(distance * across * around.scale, distance * up * around.scale))
            tie = _tie(box, at, around.scale) if distance >= FAR else ()
            penalty = around.penalty(at, box, tie) + distance + turn % 2
            places.append(_Place(distance, turn, box, tie, penalty))
    return places


def _tie(box: _Box, at: Spot, scale: float) -> tuple[Spot, ...]:
    """Spots on the line from the middle of a box to its point, outside of the box."""
    middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    return tuple(spot for spot in _points_between(middle, at, 2 * scale) if not box.holds((spot,)))


def _move(label: "Annotation", distance: int, turn: int) -> Spot:
    """Put a label at a distance from its point, in a direction in eighths of a turn, which is returned."""
    across, up = cos(turn * pi / 4), sin(turn * pi / 4)
    label.set(
        position=(distance * across, distance * up),
        horizontalalignment=_alignment(across, ("right", "center", "left")),
        verticalalignment=_alignment(up, ("top", "center", "bottom")),
    )
    return across, up


def _pixels(axes: "Axes", x: float, y: float) -> Spot:
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


def _points_between(a: Spot, b: Spot, step: float) -> list[Spot]:
    steps = max(1, round(hypot(b[0] - a[0], b[1] - a[1]) / step))
    return [(a[0] + (b[0] - a[0]) * i / steps, a[1] + (b[1] - a[1]) * i / steps) for i in range(steps + 1)]


def _apart(a: Spot, b: Spot) -> float:
    return hypot(a[0] - b[0], a[1] - b[1])


def _gap(box: _Box, at: Spot) -> float:
    """The distance from a box to a spot."""
    return hypot(max(box.x0 - at[0], 0, at[0] - box.x1), max(box.y0 - at[1], 0, at[1] - box.y1))


def _passes(tie: Sequence[Spot], at: Spot, margin: float) -> bool:
    """Whether a line comes that close to a spot."""
    return any(_apart(spot, at) < margin for spot in tie)


def _box(box: "Bbox") -> _Box:
    return _Box(*map(float, box.extents))


def _inside(box: _Box, frame: _Box) -> bool:
    return box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1

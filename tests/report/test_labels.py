"""Labels: beside their points, none on another, all inside."""

from math import hypot
from random import Random
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from costlab.report import labels
from costlab.report.figure import picture_style
from costlab.report.labels import FAR, Point, label_points
from tests.report.test_places import refuse_unclear_labels
from tests.sampling import one_in

SIDE = 8


def plotted(layout: Literal["constrained"] | None = "constrained") -> Axes:
    figure = Figure(figsize=(8, 6), layout=layout)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_xlim(-1, SIDE)
    axes.set_ylim(-1, SIDE)
    return axes


def plain_box(label: Annotation, _: object = None) -> Bbox:
    """Where a label of 90 by 14 pixels would lie, without drawing letters."""
    axes = label.axes
    assert axes is not None
    dots = axes.figure.dpi / 72
    x, y = (at + dots * by for at, by in zip(axes.transData.transform(label.xy), label.xyann, strict=True))
    left = {"left": 0, "center": 45, "right": 90}[label.get_horizontalalignment()]
    below = {"bottom": 0, "center": 7, "top": 14}[label.get_verticalalignment()]
    return Bbox.from_bounds(x - left, y - below, 90, 14)


def refuse_clashes(axes: Axes, points: list[Point], boxes: list[Bbox]) -> None:
    """Assert that no box lies on another or on a point, and each is inside the axes."""
    spots = [tuple(axes.transData.transform((point.x, point.y))) for point in points]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])
        assert not any(box.contains(*spot) for spot in spots)
        assert axes.bbox.x0 <= box.x0
        assert box.x1 <= axes.bbox.x1
        assert axes.bbox.y0 <= box.y0
        assert box.y1 <= axes.bbox.y1


@settings(max_examples=25, deadline=None)
@given(st.sets(st.tuples(st.integers(0, SIDE - 2), st.integers(0, SIDE - 1)), min_size=1, max_size=9))
def test_no_label_lies_on_another_or_on_a_point(places: set[tuple[int, int]]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(labels, "_extent", plain_box)
        axes = plotted(None)
        points = [Point(x, y, f"point {x}, {y}") for x, y in sorted(places)]
        refuse_clashes(axes, points, [plain_box(label) for label in label_points(axes, points)])


def test_no_letters_lie_on_others_or_on_a_point() -> None:
    with picture_style():
        axes = plotted()
        points = [Point(x, y, f"point {x}, {y}") for x in (2, 3, 4) for y in (3, 4, 5)]
        refuse_clashes(axes, points, [Text.get_window_extent(label) for label in label_points(axes, points)])


def test_a_label_stands_to_the_right_of_its_point_where_there_is_room() -> None:
    with picture_style():
        axes = plotted()
        (label,) = label_points(axes, [Point(3, 3, "three")])
        x, y = axes.transData.transform((3, 3))
        box = Text.get_window_extent(label)
        assert x < box.x0 < x + FAR
        assert box.y0 < y < box.y1


def test_a_label_keeps_off_lines() -> None:
    with picture_style():
        axes = plotted()
        (label,) = label_points(axes, [Point(3, 3, "three")], [[(3.4, 0), (3.4, 6)]])
        assert Text.get_window_extent(label).x1 < axes.transData.transform((3, 3))[0]


def test_only_labels_far_from_their_points_are_tied_to_them() -> None:
    with picture_style():
        axes = plotted()
        placed = label_points(axes, [Point(3, 3 + i / 50, f"number {i}") for i in range(12)])
        tied = []
        for label in placed:
            assert label.arrow_patch is not None
            tied.append(label.arrow_patch.get_visible())
            assert tied[-1] == (hypot(*label.get_position()) >= FAR)
        assert set(tied) == {True, False}


def test_a_label_at_the_edge_stands_inside() -> None:
    with picture_style():
        axes = plotted()
        (label,) = label_points(axes, [Point(SIDE - 0.1, 3, "at the edge")])
        assert Text.get_window_extent(label).x1 <= axes.transData.transform((SIDE, 3))[0]


@pytest.mark.parametrize("seed", one_in(3, range(15)))
def test_however_crowded_each_label_belongs_to_one_point(seed: int) -> None:
    random, spread = Random(seed), (0, 0.002, 0.01, 0.03, 0.1)[seed % 5]
    with picture_style():
        axes = plotted()
        centers = [(random.uniform(0, SIDE), random.uniform(0, SIDE)) for _ in range(random.randint(1, 4))]
        points = []
        for number in range(random.randint(1, 12)):
            x, y = random.choice(centers)
            at = (x + SIDE * spread * random.gauss(0, 1), y + SIDE * spread * random.gauss(0, 1))
            points.append(Point(*at, str(number)))
            axes.plot(*at, "o", markersize=7)
        axes.margins(0.15)
        axes.autoscale()
        label_points(axes, points)
        figure = axes.get_figure(root=True)
        assert figure is not None
        figure.canvas.draw()
        refuse_unclear_labels(figure)


def test_points_that_cover_each_other_share_a_label() -> None:
    with picture_style():
        axes = plotted()
        points = [Point(3, 3, "1"), Point(3, 3.001, "2"), Point(5, 3, "a longer one"), Point(5, 3, "another")]
        labels = label_points(axes, [*points, Point(6, 6, "3", "red")])
        assert [label.get_text() for label in labels] == ["1, 2", "a longer one,\nanother", "3"]
        assert [label.xy for label in labels] == [(3, 3), (5, 3), (6, 6)]

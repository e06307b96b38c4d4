"""Labels: beside their points, none on another, all inside."""

from math import hypot

from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from costlab.report.figure import styled
from costlab.report.labels import FAR, Point, label_points

SIDE = 8


def plotted() -> Axes:
    figure = Figure(figsize=(8, 6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_xlim(-1, SIDE)
    axes.set_ylim(-1, SIDE)
    return axes


@settings(max_examples=25, deadline=None)
@given(st.sets(st.tuples(st.integers(0, SIDE - 2), st.integers(0, SIDE - 1)), min_size=1, max_size=9))
def test_no_label_lies_on_another_or_on_a_point(places: set[tuple[int, int]]) -> None:
    with styled():
        axes = plotted()
        points = [Point(x, y, f"point {x}, {y}") for x, y in sorted(places)]
        boxes = [Text.get_window_extent(label) for label in label_points(axes, points)]
        spots = [tuple(axes.transData.transform((point.x, point.y))) for point in points]
        for i, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[i + 1 :])
            assert not any(box.contains(*spot) for spot in spots)
            assert axes.bbox.x0 <= box.x0
            assert box.x1 <= axes.bbox.x1
            assert axes.bbox.y0 <= box.y0
            assert box.y1 <= axes.bbox.y1


def test_a_label_stands_to_the_right_of_its_point_where_there_is_room() -> None:
    with styled():
        axes = plotted()
        (label,) = label_points(axes, [Point(3, 3, "three")])
        x, y = axes.transData.transform((3, 3))
        box = Text.get_window_extent(label)
        assert x < box.x0 < x + FAR
        assert box.y0 < y < box.y1


def test_a_label_keeps_off_lines() -> None:
    with styled():
        axes = plotted()
        (label,) = label_points(axes, [Point(3, 3, "three")], [[(3.4, 0), (3.4, 6)]])
        assert Text.get_window_extent(label).x1 < axes.transData.transform((3, 3))[0]


def test_only_labels_far_from_their_points_are_tied_to_them() -> None:
    with styled():
        axes = plotted()
        labels = label_points(axes, [Point(3, 3 + i / 50, f"number {i}") for i in range(12)])
        tied = []
        for label in labels:
            assert label.arrow_patch is not None
            tied.append(label.arrow_patch.get_visible())
            assert tied[-1] == (hypot(*label.get_position()) >= FAR)
        assert set(tied) == {True, False}


def test_a_label_at_the_edge_stands_inside() -> None:
    with styled():
        axes = plotted()
        (label,) = label_points(axes, [Point(SIDE - 0.1, 3, "at the edge")])
        assert Text.get_window_extent(label).x1 <= axes.transData.transform((SIDE, 3))[0]

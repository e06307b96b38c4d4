"""The pictures of a training run: data by hand, letters that can be read, points where the record says."""

from dataclasses import replace
from itertools import pairwise
from json import dumps, loads
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes

from costlab.report.figure import SMALL
from costlab.report.pages.run import training_page
from costlab.report.pictures.learning_curves import curves_of
from costlab.report.pictures.numbered_points import spread_apart
from costlab.report.pictures.step_time import step_savings
from costlab.train.record import Run
from tests.report.rendering import letters_of, overlaps, render
from tests.report.test_drawing import places
from tests.train.records import HALF, PAIR, PLAIN, long, many, run, sample, trial


def dots(axes: Axes) -> dict[str, list[tuple[float, float]]]:
    """By marker, where each is drawn."""
    return {
        marker: [places(line)[0] for line in axes.get_lines() if line.get_marker() == marker]
        for marker in ("o", "D")
    }


def test_a_baseline_that_failed_and_a_run_of_failures() -> None:
    arms = sample().arms
    made = run(arms, {PLAIN: (None, None), PAIR: (0.5, 0.6), HALF: (0.4, 0.4)}, sample().claims)
    page = training_page(made, "x")
    assert curves_of(made).baseline is None
    assert all(overlaps(letters_of(render(each))) == [] for each in page.pictures)
    made = run(arms, dict.fromkeys((PLAIN, PAIR, HALF), (None,)), sample().claims)
    page = training_page(made, "x")
    assert "No training came to a result." in page.text
    assert [each.name for each in page.pictures] == ["x_steps"]
    assert len(page.problems) == 3
    alone = run(arms, {PLAIN: (0.5, 0.6), PAIR: (None,), HALF: (None,)})
    assert [curve.label for curve in curves_of(alone).panels] == [PLAIN]
    assert all(overlaps(letters_of(render(each))) == [] for each in training_page(alone, "x").pictures)


def test_curves_by_hand() -> None:
    data = curves_of(sample())
    assert data.baseline is not None
    assert data.baseline.means == pytest.approx((0.355, 0.568, 0.71), abs=1e-6)
    assert data.baseline.lows == pytest.approx((0.35, 0.56, 0.7))
    assert data.baseline.highs == pytest.approx((0.36, 0.576, 0.72))
    assert [(curve.label, curve.seeds) for curve in data.arms] == [(PAIR, 3), (HALF, 2)]
    longer = replace(sample(), trials=(*sample().trials, trial(HALF, 3, 0.6, rise=(0.5, 0.7, 0.8, 1.0))))
    assert len(curves_of(longer).arms[1].means) == 3  # a mean is over all its seeds


@pytest.mark.parametrize(
    "made",
    [sample(), many(), many(seeds=1), many(seeds=2), long(2), long(6), long(12)],
    ids=["3", "12", "1 seed", "2 seeds", "2 long", "6 long", "12 long"],
)
def test_letters_can_be_read_and_none_lies_on_another(made: Run) -> None:
    pictures = training_page(made, "x").pictures
    assert len(pictures) == 3
    for each in pictures:
        figure = render(each)
        letters = letters_of(figure)
        assert overlaps(letters) == []
        assert [letter.text for letter in letters if letter.size < SMALL] == []
        width, height = figure.get_size_inches() * figure.dpi
        outside = [
            letter.text
            for letter in letters
            if letter.box.x0 < 0 or letter.box.y0 < 0 or letter.box.x1 > width or letter.box.y1 > height
        ]
        assert outside == []
        assert loads(dumps(each.data)) == loads(dumps(each.data, allow_nan=False))


def test_what_is_drawn_lies_where_the_record_says() -> None:
    (accuracy, _, steps) = training_page(sample(), "x").pictures
    (axes,) = render(accuracy).axes
    at = dots(axes)
    sizes = {each.label: each.multiply_adds for each in sample().arms}
    assert sorted(y for _, y in at["o"]) == pytest.approx([0.6, 0.72])
    assert at["D"][0] == pytest.approx((sizes[PLAIN], 0.71), rel=2e-3)  # it would touch the next one
    every: Any = axes.collections
    bars = [path.vertices for each in every for path in each.get_paths()]
    heights = sorted(float(top - bottom) for (_, bottom), (_, top) in bars)
    assert heights == pytest.approx([0.0052, 0.0497, 0.0861], abs=1e-3)
    (axes,) = render(steps).axes
    assert set(dots(axes)["o"]) == {(each.multiply_adds, each.time) for each in step_savings(sample()).arms}


@settings(max_examples=100)
@given(st.lists(st.floats(0, 1), max_size=12), st.floats(0.001, 0.05))
def test_places_are_moved_apart_and_stay_in_order(there: list[float], step: float) -> None:
    put = spread_apart(there, step)
    order = sorted(range(len(there)), key=there.__getitem__)
    assert all(put[b] - put[a] >= step - 1e-9 for a, b in pairwise(order))
    if all(there[b] - there[a] >= step for a, b in pairwise(order)):
        assert put == pytest.approx(there)
    if there:  # nothing is moved on the whole
        assert sum(put) == pytest.approx(sum(there))

"""The pictures of a training run: data by hand, letters that can be read, points where the record says."""

from dataclasses import replace
from json import dumps, loads

import pytest

from costlab.report.figure import SMALL
from costlab.report.pages.run import training_page
from costlab.report.pictures.learning_curves import curves_of
from costlab.train.record import Run
from tests.report.rendering import letters_of, overlaps, render
from tests.sampling import one_in
from tests.train.records import HALF, PAIR, PLAIN, long, many, run, sample, trial


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
    one_in(3, [sample(), many(), many(seeds=1), long(12), many(seeds=2), long(2), long(6)]),
    ids=["3", "12", "1 seed", "12 long", "2 seeds", "2 long", "6 long"],
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

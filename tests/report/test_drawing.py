"""Drawings: bars, points and legends lie where the data says."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from costlab.counting.compare import compare
from costlab.counting.count import count
from costlab.counting.row import MEASURES
from costlab.paper import Verdict, verify
from costlab.paper.audit import Outcome
from costlab.report.figure import COLORS
from costlab.report.pictures.alpha import alpha_picture
from costlab.report.pictures.bars import compare_picture
from costlab.report.pictures.budget import budget_picture
from costlab.report.pictures.grids import grids_picture
from costlab.report.pictures.lineage import lineage_picture
from costlab.report.pictures.modules import modules_picture
from costlab.report.pictures.reductions import reductions_picture
from costlab.report.pictures.savings import savings_picture
from costlab.report.pictures.verdicts import verdicts, verdicts_picture
from tests.report.rendering import render


def bars(axes: Axes) -> dict[int, list[tuple[float, float]]]:
    """By row, where each bar begins and ends, from left to right."""
    found: dict[int, list[tuple[float, float]]] = {}
    for patch in axes.patches:
        if isinstance(patch, Rectangle) and patch.get_width() > 0:
            row = round(patch.get_y() + patch.get_height() / 2)
            found.setdefault(row, []).append((patch.get_x(), patch.get_x() + patch.get_width()))
    return {row: sorted(each) for row, each in found.items()}


def stacked(parts: list[tuple[float, float]]) -> float:
    """Where bars end that begin at 0, each where the one before ends."""
    end = 0.0
    for start, stop in parts:
        assert start == pytest.approx(end, abs=1e-6)
        end = stop
    return end


def places(line: Line2D) -> list[tuple[float, float]]:
    """The points that a line goes through."""
    found: Any = line.get_xydata()
    return [(float(x), float(y)) for x, y in found]


def lines(axes: Axes) -> list[list[tuple[float, float]]]:
    return [places(line) for line in axes.get_lines()]


def test_the_bars_of_modules_are_stacked_to_their_sizes() -> None:
    counted = count("inception_v3")
    figure = render(modules_picture(counted, "x"))
    rows = [row for row in counted.modules(1) if any(row.sizes())]
    for axes, name in zip(figure.axes, MEASURES, strict=True):
        ends = {row: stacked(parts) for row, parts in bars(axes).items()}
        assert ends == {i: getattr(row.work, name) for i, row in enumerate(rows)}
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "3x3",
        "1x7 or 7x1",
        "1x1",
        "5x5",
        "1x3 or 3x1",
        "linear",
    ]  # the batch norms' part is not to be seen


def test_the_bars_of_grids_are_stacked_to_the_whole() -> None:
    (axes,) = render(grids_picture(count("inception_v3"), "x")).axes
    found = bars(axes)
    assert [stacked(found[row]) for row in range(3)] == pytest.approx([1, 1, 1])
    assert found[0][1][1] - found[0][1][0] == pytest.approx((199_148_544 + 398_297_088) / 5_713_216_096)
    assert found[1][-1][1] - found[1][-1][0] == pytest.approx(2_049_000 / 23_834_568)


def test_the_points_of_the_lineage() -> None:
    above, below = render(lineage_picture(compare(ablation="lineage"))).axes
    *steps, points = lines(above)
    assert len(points) == 8
    assert (5_713_216_096, 21.2) in points
    assert [(1_498_677_248, 29.0), (1_498_677_248, 26.8)] in steps
    assert [(5_299_886_272, 22.8), (5_713_216_096, 21.6)] in steps
    assert len(steps) == 7
    filled = {places(line)[0]: to_hex(line.get_markerfacecolor()) for line in below.get_lines()}
    assert filled[5_713_216_096, 23_834_568] == COLORS[0].lower()
    assert filled[724_406_816, 60_965_224] == filled[53_463_130_112, 330_615_752] == "#ffffff"
    assert sorted(filled.values()).count("#ffffff") == 6
    assert (above.get_xscale(), below.get_xscale(), below.get_yscale()) == ("log", "log", "log")


def test_the_lines_of_the_budgets() -> None:
    above, below = render(budget_picture(compare(ablation="inference_budget"))).axes
    assert (12 * 5_713_216_096, 4.48) in lines(above)[2]
    assert [len(line) for line in lines(above)] == [4, 3, 4, 1]
    assert [len(line) for line in lines(below)] == [1, 3, 4, 1]
    assert lines(above)[2][-1] == (4 * 144 * 5_713_216_096, 3.46)
    assert lines(below)[2][-1] == (4 * 144 * 5_713_216_096, 17.2)
    assert (above.get_ylabel()[:5], below.get_ylabel()[:5]) == ("top-5", "top-1")


def test_the_curve_of_alpha() -> None:
    (axes,) = render(alpha_picture()).axes
    curve, counted, *marks = lines(axes)
    assert max(curve, key=lambda at: at[1]) == (1, 0.28)
    assert counted == [(0.25, 0.1), (4 / 9, 0.22), (1, 0.28), (2.25, 0.22), (4, 0.1)]
    assert sorted({x for line in marks for x, _ in line}) == [1.5, pytest.approx(26 / 9)]
    (band,) = (patch for patch in axes.patches if isinstance(patch, Rectangle))
    assert (band.get_x(), band.get_x() + band.get_width()) == (2, 4)


def test_the_lines_of_savings() -> None:
    (axes,) = render(savings_picture()).axes
    oblong, threes, twos, separable = lines(axes)
    assert oblong[5] == pytest.approx((7, 5 / 7))
    assert threes[0] == pytest.approx((5, 0.28))
    assert twos[0] == pytest.approx((3, 1 / 9))
    assert separable[1] == pytest.approx((3, 1 - 1 / 64 - 1 / 9))


def test_the_bars_of_reductions() -> None:
    (axes,) = render(reductions_picture()).axes
    widths = [patch.get_width() for patch in axes.patches if isinstance(patch, Rectangle)]
    a, b = (17 / 35) ** 2, (8 / 17) ** 2
    assert widths == pytest.approx([1, 1, 1, 1 / 4, a, b, 1 / 8, a / 2, b / 2])


def test_the_bars_of_a_comparison() -> None:
    """3x3, 1x3+3x1, 2x2+2x2, separable 3x3 and 5x5, by the first; activations by layers."""
    (axes,) = render(compare_picture(compare(ablation="small_3x3"))).axes
    widths = [patch.get_width() for patch in axes.patches if isinstance(patch, Rectangle)]
    weights = [1, 2 / 3, 8 / 9, 1 / 64 + 1 / 9, 25 / 9]
    assert widths == pytest.approx([*weights, *weights, 1, 2, 2, 2, 1])


def test_the_dots_of_the_audit() -> None:
    audited = verify("budget-madds", "budget-params", "depth")
    axes, texts = render(verdicts_picture(audited)).axes
    dots = {line.get_label(): places(line) for line in axes.get_lines() if line.get_linestyle() == "None"}
    assert dots == {
        "holds": [(23_834_568 / 25e6, 1)],
        "close": [(5_713_216_096 / 5e9, 0)],
        "differs": [(48 / 42, 2)],
    }
    shown = {text.get_text() for text in texts.texts}
    assert {"5 billion ±15%", "5,713,216,096", "< 25 million", "42", "48"} <= shown


@pytest.mark.parametrize("value", [Fraction(0), Fraction(-1)])
def test_what_has_no_place_on_a_logarithmic_axis_is_left_out(value: Any) -> None:
    (each,) = verify("budget-params")
    (outcome,) = each.outcomes
    broken = replace(each, outcomes=(Outcome(outcome.stated, value, Verdict.DIFFERS),))
    assert verdicts([broken]).dots == ()
    assert verdicts([broken]).tally == (("differs", 1),)
    assert render(verdicts_picture([broken])).axes

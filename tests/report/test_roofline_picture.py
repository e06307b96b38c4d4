"""The picture of a roofline: its data against the bounds, its letters, and where its dots are."""

from typing import Any

import pytest

from costlab import Flatten, ReLU, seq
from costlab.errors import DefinitionError
from costlab.hardware.roofline import roofline
from costlab.report.figure import SMALL
from costlab.report.pictures.roofline import WITHOUT, roofline_picture, roofs_of
from tests.report.rendering import letters_of, overlaps, render


def test_the_data_adds_up_to_the_bound() -> None:
    bounded = roofline("inception_v3", "h200", "bfloat16", batch=32, fused=True)
    data = roofs_of(bounded)
    assert sum(dot.flop for dot in data.dots) == bounded.total.flop
    assert sum(dot.bytes for dot in data.dots) + data.rest == bounded.total.bytes
    assert sum(data.by_sort().values()) == pytest.approx(bounded.seconds)
    assert [*data.by_sort()][-1] == WITHOUT
    kinds = {row.kind: row.seconds for row in bounded.kinds()}
    assert data.by_sort()["linear"] == pytest.approx(kinds["linear"])
    assert sum(dot.many for dot in data.dots) == 95  # 94 convolutions and a linear layer


@pytest.mark.parametrize(
    ("target", "settings"),
    [
        ("inception_v3", {"device": "h200", "dtype": "bfloat16", "batch": 32, "fused": True}),
        ("conv_separable:n=3,channels=64", {"device": "b200", "input": "64x35x35"}),
        (seq(ReLU()), {"device": "k40", "input": (3, 4, 4)}),
    ],
)
def test_letters_can_be_read_and_dots_lie_on_the_roofs(target: Any, settings: dict[str, Any]) -> None:
    bounded = roofline(target, **settings)
    figure = render(roofline_picture(bounded))
    letters = letters_of(figure)
    assert overlaps(letters) == []
    assert [each.text for each in letters if each.size < SMALL] == []
    width, height = figure.get_size_inches() * figure.dpi
    assert not [
        each.text for each in letters if each.box.x0 < 0 or each.box.x1 > width or each.box.y1 > height
    ]
    axes = figure.axes[0]
    offsets: Any = [each.get_offsets() for each in axes.collections]
    places = [(float(x), float(y)) for each in offsets for x, y in each]
    expected = {
        (each.flop / each.bytes, min(bounded.peak, bounded.bandwidth * each.flop / each.bytes))
        for each in bounded.operations
        if each.flop
    }
    assert {(round(x, 6), round(y / 1e6)) for x, y in places} == {
        (round(x, 6), round(y / 1e6)) for x, y in expected
    }
    (low, high), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert all(low < x < high and bottom < y < top for x, y in places)
    assert low < bounded.ridge < high


def test_what_takes_no_time_is_not_drawn() -> None:
    with pytest.raises(DefinitionError, match="nothing to draw"):
        roofline_picture(roofline(seq(Flatten()), "k40", input=(3, 4, 4)))

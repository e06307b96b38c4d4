"""The picture of a comparison: the data that is drawn, and a file that is the same everywhere."""

import struct
import warnings
import zlib

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from costlab.algebra import Conv2d, ReLU
from costlab.counting.compare import Comparison, compare
from costlab.report.pictures.bars import Bars, bars_of, compare_picture, draw_bars
from costlab.targets.ablation import Ablation
from costlab.targets.resolve import variant


def chunks(picture: bytes) -> dict[bytes, list[bytes]]:
    """The parts of a PNG by type, each with its checksum held."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    found: dict[bytes, list[bytes]] = {}
    at = 8
    while at < len(picture):
        (size,) = struct.unpack(">I", picture[at : at + 4])
        kind, data = picture[at + 4 : at + 8], picture[at + 8 : at + 8 + size]
        assert struct.unpack(">I", picture[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + data)
        found.setdefault(kind, []).append(data)
        at += 12 + size
    return found


def drawn_file(comparison: Comparison) -> bytes:
    return compare_picture(comparison).file()


def label_with_settings(*labels: str) -> Comparison:
    return compare(
        ablation=Ablation("x", "Title", {label: variant(Conv2d(4, 1), (4, 5, 5)) for label in labels})
    )


def test_what_is_drawn() -> None:
    bars = bars_of(compare(ablation="small_3x3"))
    assert bars.variants == ("3x3", "1x3+3x1", "2x2+2x2", "separable 3x3", "5x5")
    assert bars.baseline == "3x3"
    assert bars.relative[1] == (2 / 3, 2 / 3, 2.0)
    assert bars.sizes[1] == (30_105_600, 24_576, 156_800)
    assert bars.texts[0] == ("", "", "")
    assert bars.texts[1] == ("33.33% less", "33.33% less", "100% more")
    assert bars.texts[4] == ("177.78% more", "177.78% more", "")


def test_a_baseline_with_nothing() -> None:
    bars = bars_of(compare(ReLU(), Conv2d(4, 1), input=(4, 5, 5)))
    assert bars.relative[1] == (0.0, 0.0, 0.0)
    assert bars.texts[1] == ("none in the baseline",) * 3
    assert chunks(drawn_file(compare(ReLU(), ReLU(), input=(4, 5, 5))))


def test_the_file_holds_the_digest_of_its_data_and_no_time() -> None:
    comparison = compare(ablation="small_3x3")
    found = chunks(drawn_file(comparison))
    texts = dict(text.split(b"\0", 1) for text in found[b"tEXt"])
    assert texts == {b"costlab-digest": compare_picture(comparison).digest.encode()}
    assert b"tIME" not in found
    assert compare_picture(comparison).digest != compare_picture(compare(ablation="large_5x5")).digest


def test_the_picture_is_the_same_again_and_in_any_style() -> None:
    comparison = compare(ablation="nxn")
    picture = drawn_file(comparison)
    assert drawn_file(comparison) == picture
    with mpl.rc_context(
        {"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 10, "text.parse_math": False}
    ):
        before = dict(mpl.rcParams)
        assert drawn_file(comparison) == picture
        assert dict(mpl.rcParams) == before


def test_any_label_can_be_drawn() -> None:
    odd = label_with_settings("a$b$", "漢字 🎉", "long " * 100, "x_{2}^\\frac")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(chunks(drawn_file(odd))[b"IHDR"]) == 1


def test_each_variant_gets_room() -> None:
    heights = []
    for labels in (("a", "b"), tuple("abcdefgh")):
        (header,) = chunks(drawn_file(label_with_settings(*labels)))[b"IHDR"]
        width, height = struct.unpack(">II", header[:8])
        assert width == 1200
        heights.append(height)
    assert heights[1] - heights[0] == 6 * 0.84 * 150


def test_ratios_far_apart_are_drawn_on_a_logarithmic_axis() -> None:
    budgets = bars_of(compare(ablation="inference_budget"))
    assert budgets.ends == (1.0, 4 * 144 * 5_713_216_096 / 1_498_677_248)
    assert budgets.logarithmic
    assert budgets.texts[10][0] == "2196 times as much"
    assert budgets.texts[3][0] == "253.64% more"
    sets = ("small_3x3", "large_5x5", "inception_v3")
    assert not any(bars_of(compare(ablation=name)).logarithmic for name in sets)
    axes = render(budgets)
    assert axes.get_xscale() == "log"
    assert axes.get_xlim()[0] < 1
    assert "logarithmic\n(?): its layers" in axes.get_xlabel()
    axes = render(bars_of(compare(ablation="small_3x3")))
    assert (axes.get_xscale(), axes.get_xlim()[0]) == ("linear", 0)
    assert axes.get_xlabel() == "relative to 3x3"


def render(bars: Bars) -> Axes:
    figure = Figure()
    draw_bars(figure, bars)
    return figure.axes[0]

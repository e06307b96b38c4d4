"""What opens in a notebook: trees whose numbers add up, plain HTML, and bounds on how much of it there is."""

import numpy as np
import pytest
import torch
from torch import nn

import costlab
from costlab import Conv2d, compare, count, seq, symbols
from costlab.counting.folded import MOST_BETWEEN, MOST_LINES, Line, spread, table, tree
from tests.counting.shown import Shown, read

ALLOWED = {"div", "p", "pre", "span", "details", "summary", "table", "thead", "tbody", "tr", "th", "td"}
SMALL = seq(a=seq(x=Conv2d(8, 3), y=Conv2d(4, 1)), b=Conv2d(2, 1))
X = (3, 10, 10)
A_X, A_Y, B = 64 * 8 * 27, 64 * 4 * 8, 64 * 2 * 4
"""The multiply-adds of the three convolutions: 8x8 places, filters, and weights of each."""


def numbers(line: list[str]) -> list[int]:
    """The whole numbers of a line: the cost, the parameters, the activations."""
    return [int(cell.replace(",", "")) for cell in line if cell.replace(",", "").isdecimal()]


def test_a_count_opens_module_by_module() -> None:
    shown = read(count(SMALL, X)._repr_html_())
    assert shown.at_once[:3] == [
        [f"{A_X + A_Y + B:,}", "16.38 k", "multiply-adds (MACs)"],
        ["270", "parameters"],
        [f"{64 * 14}", "activations"],
    ]
    assert [(line[0], depth) for line, depth in zip(shown.lines[4:], shown.depths[4:], strict=True)] == [
        ("a", 0),
        ("x", 1),
        ("y", 1),
        ("b", 0),
        ("total", 0),
    ]
    assert shown.lines[4] == [
        "a",
        "sequence of 2",
        "4x8x8",
        f"{A_X + A_Y:,}",
        "15.87 k",
        "96.9%",
        "260",
        "768",
    ]
    assert shown.lines[7] == ["b", "conv2d 1x1", "2x8x8", "512", "3.1%", "10", "128"]


@pytest.mark.parametrize("name", ["inception_v3:aux=true", "module", "googlenet"])
def test_what_a_line_opens_adds_up_to_it(name: str) -> None:
    block = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 1)))
    counted = count(block, (3, 8, 8)) if name == "module" else count(name)
    shown = read(counted._repr_html_())
    opening = [place for place in range(len(shown.lines)) if shown.below(place)]
    assert opening
    for place in opening:
        parts = [numbers(shown.lines[below])[-3:] for below in shown.below(place)]
        assert [sum(column) for column in zip(*parts, strict=True)] == numbers(shown.lines[place])[-3:]
    cost, parameters, _ = numbers(shown.lines[-1])
    assert cost == counted.multiply_adds
    if name == "module":
        assert parameters == sum(each.numel() for each in block.parameters())


def test_a_comparison_opens_kinds_and_differences() -> None:
    compared = compare(seq(a=Conv2d(8, 3), b=nn_free()), seq(a=Conv2d(4, 3), b=nn_free()), input=X)
    shown = read(compared._repr_html_())
    variant = next(place for place, line in enumerate(shown.lines) if "of the baseline" in line[3])
    kind, differ = shown.below(variant)
    assert shown.lines[kind][0] == "conv2d"
    assert shown.lines[differ] == ["2 modules differ"]
    first, second = (shown.lines[place] for place in shown.below(differ))
    assert first == ["a", f"{-64 * 4 * 27:,}", "-6.91 k", "changed", "-112", "-256"]
    assert second == ["b", f"{-64 * 2 * 4:,}", "changed", "-8", "0"]
    assert "conv2d 3x3" in " ".join(shown.lines[shown.below(shown.below(differ)[0])[0]])


def nn_free() -> Conv2d:
    return Conv2d(2, 1)


def test_a_space_opens_its_axes() -> None:
    space = costlab.Space("mini", width="0.5:1.5:0.25", n=[3, 5, 7]).where("n > 3")
    html = space._repr_html_()
    shown = read(html)
    assert shown.lines == [
        ["axis", "values", "first", "last"],
        ["width", "5", "0.5", "1.5"],
        ["0.5, 0.75, 1.0, 1.25, 1.5"],
        ["n", "3", "3", "7"],
        ["3, 5, 7"],
    ]
    assert "mini, 15 members" in html
    assert ".count() says how many of the 15 members fit and meet the conditions" in html


def results() -> list[object]:
    width = symbols("w")
    odd = nn.Sequential()
    odd.add_module("<script>alert(1)</script>\n$x$", nn.Sequential(nn.ReLU()))
    return [
        count("mini"),
        count("mini").under("fvcore"),
        count("mini", width=width),
        count("mini", batch=np.arange(1, 4)),
        count(odd, (3, 4, 4)),
        count(nn.ReLU(), (3, 4, 4)),
        compare("mini", "mini:width=2"),
        costlab.lint("mini"),
        costlab.memory("mini"),
        costlab.roofline("mini", "k40"),
        costlab.budget("mini", max_multiply_adds="1G"),
        costlab.closed_form("mini", "width"),
        costlab.factorize("mini", by="separable"),
    ]


def test_it_is_plain_html() -> None:
    for result in results():
        html = result._repr_html_()  # type: ignore[attr-defined]  # each of them has one
        shown = read(html)
        assert shown.used <= ALLOWED
        assert not any("url" in style or "#" in style or "rgb" in style for style in shown.styles)
        assert "<script" not in html
        assert html.startswith('<div class="tex2jax_ignore mathjax_ignore"><p>')


def lines(many: int, deep: int) -> list[Line]:
    below = (lambda: lines(many, deep - 1)) if deep else None
    return [Line([f"{'&' * 100}{number}", "1"], below) for number in range(many)]


@pytest.mark.parametrize(("many", "deep"), [(5, 12), (20_000, 0), (2_000, 1), (19, 3), (1, 3_000)])
def test_there_is_never_too_much_of_it(many: int, deep: int) -> None:
    html = tree(["name", "number"], lines(many, deep), text=1, instead=".all(of it)")
    shown = read(html)
    assert len(html) < 300_000
    assert len(shown.lines) <= MOST_LINES + 2
    assert (".all(of it)" in html) == ((many, deep) != (19, 0))
    if many > MOST_BETWEEN:
        assert f"... and {many - 19:,} more" in html
        assert f"... {many - 19 - MOST_BETWEEN:,} are left out: .all(of it)" in html


def test_a_model_of_many_modules_is_cut_and_says_so() -> None:
    one = nn.Linear(1, 1)
    shared = nn.ModuleList(nn.Sequential(one, nn.ReLU()) for _ in range(900))
    html = count(nn.Sequential(*shared), torch.zeros(1, 1))._repr_html_()
    assert len(html) < 300_000
    hidden = 900 + 1 - 19  # with the total; 19 are shown at once
    assert f"... and {hidden} more" in html
    assert f"... {hidden - MOST_BETWEEN} are left out: .modules(depth) gives one level of them" in html


def test_columns_stand_below_each_other() -> None:
    page = tree(["name", "n"], [Line(["\u6a21\u5757", "1"]), Line(["ab", "22"])], text=1, instead="")
    *_, wide, plain = page.removesuffix("</pre>").split("\n")
    assert (wide, plain) == ("\u6a21\u5757   1", "ab    22")


def test_words_are_spread_over_lines() -> None:
    assert [line.cells[0] for line in spread(["a", "b"])] == ["a, b"]
    many = [line.cells[0] for line in spread([str(each) for each in range(1000)])]
    assert max(map(len, many)) <= 80
    assert many[-1].endswith("198, ..., 999")


def test_a_long_table_folds_what_is_between() -> None:
    shown: Shown = read(table([{"a": str(row)} for row in range(300)]))
    assert [line[0] for line in shown.at_once] == [
        "a", *map(str, range(18)), "... and 281 more", "299", "... and 281 more"
    ]  # fmt: skip
    assert len(shown.lines) == len(shown.at_once) + 1 + MOST_BETWEEN
    assert table([]) == ""

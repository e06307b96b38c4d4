"""Two networks beside each other in a browser."""

import pytest
import torch
from torch import Tensor, nn

import costlab
from costlab.algebra import Linear, seq
from costlab.report.html.network import html_page
from tests.report.html.browser import PROGRAM, Open

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium on this machine")


def test_two_networks_are_compared_by_the_paths_of_modules(show: Open) -> None:
    compared = costlab.compare("resnet50", "resnet101")
    before, after = compared.counts
    with show(compared, scheme="dark") as tab:
        assert tab.text("#totals .more") == "+3,712,221,184 (+90.8%)"
        assert tab.text("#totals div").split("\n")[:4] == [
            "multiply-adds",
            "resnet50",
            "4.09 G",
            "4,089,184,256",
        ]
        assert "convolution 99.9% \u2192 100.0%" in tab.text("#legend")
        assert tab.text("#label-1") == "resnet101: 7,801,405,440 multiply-adds"
        assert tab.text("#modules th.c-difference") == "difference in multiply-adds"
        tab.page.check("#only")
        added = [each.path.rpartition(".")[2] for each in compared.differences("resnet101")]
        shown = [name for level, name, _ in tab.rows() if level == 3]
        assert shown == added
        sizes = tab.page.locator("#modules tr:has-text('conv_4') .number .few").evaluate_all(
            "(all) => all.map((each) => each.title)"
        )
        old, new = (counted.by_module()["conv_4"] for counted in (before, after))
        assert sizes[:3] == [f"{old:,}", f"{new:,}", f"+{int(new) - int(old):,}"]
        tab.page.select_option("#beside", "0")
        assert tab.text("[data-total=cost]") == "4,089,184,256"
        assert not tab.page.locator("#picture-1").is_visible()
        paper = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
        tab.page.check("#theme-light", force=True)
        assert tab.page.evaluate("getComputedStyle(document.body).backgroundColor") != paper


class Solving(nn.Module):
    """Something without a rule."""

    def forward(self, x: Tensor) -> Tensor:
        solved: Tensor = torch.linalg.lstsq(x, x).solution
        return solved


def test_what_is_not_counted_is_marked_where_it_is(show: Open) -> None:
    compared = costlab.compare(nn.Conv2d(2, 3, 1), Solving(), nn.ReLU(), input=torch.zeros(1, 2, 4, 4))
    with show(compared) as tab:
        assert tab.page.locator("#modules .badge").all_text_contents() == ["not counted"]
        tab.page.select_option("#beside", "2")
        assert tab.page.locator("#modules .badge").count() == 0
    assert "Solving: NOT COUNTED" in html_page(compared)


def test_no_difference_is_cut_off_where_parts_make_up_for_each_other(show: Open) -> None:
    wide = (Linear(4000, bias=False), Linear(1, bias=False), Linear(50, bias=False))
    narrow = (Linear(1, bias=False), Linear(4000, bias=False), Linear(50, bias=False))
    compared = costlab.compare(seq(*wide), seq(*narrow), input=(4000,))
    with show(compared) as tab:
        cut = tab.page.evaluate(
            """() => [...document.querySelectorAll("#modules td.number")].filter(
            (cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent)"""
        )
        assert tab.text("#modules [data-row='1'] .c-difference .exact") == "\u221215,996,000"
        assert cut == []

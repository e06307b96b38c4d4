"""What results show of themselves at a prompt and in a notebook: few lines, with the totals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import costlab
from costlab import Conv2d, closed_form, compare, concat, count, seq, symbols, variant
from costlab.targets.ablation import Ablation
from tests.counting.shown import read
from tests.sampling import one_in

MOST_LINES = 30
WIDE = seq(*(Conv2d(4, 1) for _ in range(300)))
LONG_NAME = "n" * 5000


def _many_variants() -> Any:
    variants = {f"{LONG_NAME[:i]}{i}": variant(seq(Conv2d(i, 3)), input=(3, 8, 8)) for i in range(1, 120)}
    return compare(ablation=Ablation("many", "Convolutions of many widths", variants))


def _deep() -> nn.Module:
    net: nn.Module = nn.Conv2d(3, 3, 1)
    for _ in range(100):
        net = nn.Sequential(net)
    return net


class Inverse(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inverse: torch.Tensor = torch.linalg.inv(x)
        return inverse


class Either(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        chosen: torch.Tensor = torch.cond(x.sum() > 0, torch.sin, lambda x: x @ x, (x,))
        return chosen


class Squared(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ x


RESULTS: dict[str, Callable[[], Any]] = {
    "a definition": lambda: count("inception_v3"),
    "of many modules": lambda: count(WIDE, (3, 8, 8)),
    "a step of training": lambda: count("mini", backward=True),
    "under a convention": lambda: count("inception_v3").under("fvcore"),
    "in symbols": lambda: count("inception_v3", width=symbols("w"), batch=symbols("b")),
    "of arrays": lambda: count("inception_v3", batch=np.arange(1, 1000)),
    "a deep module": lambda: count(_deep(), (3, 8, 8)),
    "a module of many": lambda: count(nn.Sequential(*(nn.Conv2d(3, 3, 1) for _ in range(100))), (3, 8, 8)),
    "not counted": lambda: count(Inverse(), torch.eye(3)),
    "a comparison": lambda: compare("inception_v3", "inception_v3:width=0.5"),
    "many variants": _many_variants,
    "a closed form": lambda: closed_form("inception_v3"),
    "an interpolated form": lambda: closed_form("inception_v3", "modules_17"),
    "of everything": lambda: closed_form("googlenet", "H", "W", "width"),
    "a block": lambda: WIDE,
    "a place": lambda: count("inception_v3").root,
    "a convention": lambda: costlab.convention("fvcore"),
    "claims": costlab.verify,
    "a plan": lambda: costlab.factorize("inception_v3", by="separable"),
}


@pytest.mark.parametrize("name", one_in(2, RESULTS))
def test_a_result_shows_itself_in_few_lines(name: str) -> None:
    made = RESULTS[name]()
    for result in made if type(made) is tuple else (made,):
        for shown in (repr(result), *([] if name == "a block" else [str(result)])):
            assert 0 < len(shown.split("\n")) <= MOST_LINES
            assert max(map(len, shown.split("\n"))) <= 500
        if hasattr(result, "_repr_html_"):
            html = result._repr_html_()
            assert len(read(html).at_once) <= MOST_LINES
            assert len(html) < 100_000


def test_the_totals_are_there() -> None:
    assert repr(count("inception_v3", batch=2)) == (
        "Count: inception_v3, input 3x299x299, batch 2\n"
        "  11,426,432,192 multiply-adds\n"
        "  23,834,568 parameters\n"
        "  17,936,976 activations"
    )
    assert "131,072 fvcore flops" in repr(count(seq(Conv2d(32, 1)), (64, 8, 8)).under("fvcore"))


def test_what_misleads_without_it_is_said() -> None:
    lacks = count(Inverse(), torch.eye(3))
    compared = compare(Inverse(), Inverse(), input=torch.eye(3))
    chosen = count(Either(), torch.ones(2, 2))
    complex_ = count(Squared(), torch.ones(2, 2, dtype=torch.complex64))
    for result, words in (
        (lacks, "linalg_inv_ex is not counted: 1 of it"),
        (compared, "Inverse (2): linalg_inv_ex is not counted: 1 of it"),
        (chosen, "cond_on_data is counted with both branches, of which data decides which one runs: 1 of it"),
        (complex_, "products of complex numbers count as one multiply-add, and take four: 1"),
    ):
        assert words in repr(result)
        assert f"<p>{words}</p>" in result._repr_html_()


def test_a_comparison_at_a_prompt_and_as_a_frame() -> None:
    halved = compare(seq(Conv2d(8, 3)), seq(Conv2d(4, 3)), input=(3, 10, 10))
    first, base, half = repr(halved).split("\n")
    assert first == f"Comparison: {halved.title}, input 3x10x10, batch 1"
    assert base.strip() == (
        "sequence of 1: 13,824 multiply-adds (the baseline), 224 parameters, 512 activations"
    )
    assert "6,912 multiply-adds (0.5 of the baseline)" in half
    frame = halved.to_frame()
    assert list(frame["variant"]) == [counted.label for counted in halved.counts]
    assert list(frame["multiply_adds"]) == [13824, 6912]
    assert list(frame["parameters_ratio"]) == [1, 0.5]
    assert list(frame["activations_saving"]) == [0, 0.5]
    assert read(halved._repr_html_()).at_once[-1][:4] == [
        "sequence of 1 (2)",
        "6,912",
        "6.91 k",
        "0.5 of the baseline",
    ]


def test_a_frame_of_a_comparison_past_int64_is_exact() -> None:
    frame = compare("inception_v3", "vgg16", input=(3, 299, 299), batch=10**9).to_frame()
    assert frame["multiply_adds"].sum() == sum(
        count(name, (3, 299, 299), batch=10**9).multiply_adds for name in ("inception_v3", "vgg16")
    )


def test_there_is_no_ratio_to_nothing() -> None:
    none = compare(seq(costlab.ReLU()), seq(Conv2d(4, 3)), input=(3, 10, 10))
    assert none.to_frame()["multiply_adds_ratio"].isna().all()
    assert "(no ratio)" in repr(none)


def test_a_closed_form_as_a_frame() -> None:
    form = closed_form("inception_v3", "width")
    frame = form.to_frame()
    assert len(frame) == 314
    whole: Any = frame["multiply_adds"].sum()
    assert whole.expand() == form.multiply_adds
    assert list(closed_form("inception_v3", "modules_17").to_frame()["kind"]) == ["total"]


def test_a_plan_shows_what_is_replaced() -> None:
    plan = costlab.factorize(seq(a=Conv2d(8, 3), b=Conv2d(8, 1)), (4, 10, 10), rank=6)
    first, *lines = repr(plan).split("\n")
    assert first == f"Plan: {plan.label}: 1 replaced, 1 left"
    # 1x3 to 6 on ten rows, 3x1 to 8; the 1x1 stays
    before, after = (9 * 4 * 8 + 64) * 64, 3 * 4 * 6 * 80 + (3 * 6 * 8 + 64) * 64
    assert lines[0].strip() == f"{before:,} multiply-adds before, {after:,} after"
    cells = [cell for line in read(plan._repr_html_()).lines for cell in line]
    assert f"{before:,}" in cells
    assert f"{after - 64 * 64:,}" in cells


def test_names_are_text_in_html() -> None:
    odd = seq(Conv2d(4, 1))
    shown = compare(
        ablation=Ablation("x", "<script>", dict.fromkeys(("<b>", "&c"), variant(odd, input="3x8x8")))
    )
    html = shown._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
    assert "&amp;c" in html


def test_what_is_between_the_first_and_the_last_is_said() -> None:
    shown = read(count(WIDE, (3, 8, 8))._repr_html_())
    at_once = shown.at_once
    rows = len(at_once) - 3 - 2  # but for the totals, the titles, and the line that says it
    assert at_once[-2] == [f"... and {301 - rows} more"]
    assert at_once[-1][:2] == ["total", f"{64 * 4 * (3 + 299 * 4):,}"]


def test_a_small_block_shows_all_its_fields() -> None:
    assert (
        repr(seq(Conv2d(3, 1)))
        == f"Sequence(children=(('0', {Conv2d(3, 1)!r}),), origin='', unverified=False)"
    )
    assert repr(WIDE) == f"<sequence of 300: {', '.join(map(str, range(17)))},...>"
    assert "concat of 40" in repr(concat(*(Conv2d(4, 1) for _ in range(40))))

"""Plans against counts of what they make, and against hand arithmetic."""

from fractions import Fraction
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn

from costlab.advise.factorize.factorize import factorize
from costlab.advise.factorize.scheme import SCHEMES, work_of
from costlab.algebra import Conv2d, Shape, symbols
from costlab.counting.count import count
from costlab.errors import DefinitionError
from costlab.targets.build import build

HALF_BY_ASYMMETRIC_PAIRS = {
    "resnet50": (3_101_645_312, 19_377_125, 12_419_560),
    "vgg16": (7_793_938_432, 131_002_252, 20_807_144),
    "inception_v3": (4_335_278_845, 20_553_219, 11_724_418),
}
MORE_AT_FULL_RANK = {"resnet50": 2_207_568_384, "vgg16": 13_876_724_736, "inception_v3": 2_153_918_007}


@pytest.mark.parametrize("name", HALF_BY_ASYMMETRIC_PAIRS)
def test_half_of_each_convolution(name: str) -> None:
    plan = factorize(name)
    after = plan.saving.after
    expected = HALF_BY_ASYMMETRIC_PAIRS[name]
    assert (after.multiply_adds, after.parameters, after.activations) == expected
    assert count(plan.block, plan.found.input).total == after


@pytest.mark.parametrize("name", MORE_AT_FULL_RANK)
def test_the_full_rank_costs_more(name: str) -> None:
    before, after = factorize(name, full=True).saving
    assert after.multiply_adds - before.multiply_adds == MORE_AT_FULL_RANK[name]


@pytest.mark.parametrize("by", SCHEMES)
def test_a_module_has_the_plan_of_its_definition(by: str) -> None:
    plan = factorize("googlenet", by=by)
    with torch.device("meta"):
        traced = factorize(build("googlenet"), plan.found.input, by=by)
    assert traced.saving == plan.saving
    assert [(each.path, each.rank) for each in traced.replacements] == [
        (each.path, each.rank) for each in plan.replacements
    ]
    assert [tuple(each) for each in traced.left] == [tuple(each) for each in plan.left]


@pytest.mark.parametrize("by", SCHEMES)
def test_the_network_of_a_plan_counts_as_the_plan_says(by: str) -> None:
    plan = factorize("alexnet", by=by, only="conv_1")
    assert count(plan).total == plan.saving.after


def test_at_equal_channels_and_stride_1_an_asymmetric_pair_breaks_even_at_half_its_rank() -> None:
    c, n, h, w, r = symbols("C n H W r")
    pair, x = SCHEMES["1xn+nx1"], Shape(c, h, w)
    whole = work_of((Conv2d(c, n, padding="same", bias=False),), x)
    both = work_of(pair.parts(Conv2d(c, n, padding="same", bias=False), c, (r,)), x)
    at = (both.multiply_adds - whole.multiply_adds).subs(r, c * n / 2)  # type: ignore[attr-defined]  # SymPy's
    assert at.simplify() == 0


def test_what_an_asymmetric_pair_costs() -> None:
    conv = Conv2d(32, (3, 5), (2, 1), (1, 2))
    plan = factorize(conv, (16, 20, 30), rank=7)
    (only,) = plan.replacements
    assert [part.kernel for part in only.parts] == [(1, 5), (3, 1)]
    # rows of the input stay, so that the first has 20 x 30 positions and the second 10 x 30
    assert only.saving.after.multiply_adds == 7 * 16 * 5 * 20 * 30 + 32 * 7 * 3 * 10 * 30
    assert only.saving.after.parameters == 7 * 16 * 5 + 32 * 7 * 3 + 32
    assert only.saving.after.activations == 7 * 20 * 30 + 32 * 10 * 30
    assert factorize(conv, (16, 20, 30), full=True).replacements[0].rank == (min(16 * 5, 32 * 3),)


MISTAKES = {
    "by=wrong": ({"by": "wrong"}, "by='wrong' must be one of 1xn+nx1, kxk"),
    "saving=1.5": ({"saving": 1.5}, "saving=1.5 must be a share between 0 and 1"),
    "saving=True": ({"saving": True}, "saving=True must be a share"),
    "by=None": ({"by": None}, "by=None must be one of 1xn+nx1, kxk"),
    "rank=True": ({"rank": True}, "rank=True must be a whole number of at least 1"),
    "full=yes": ({"full": "yes"}, "full='yes' must be True or False"),
    "only=3": ({"only": 3}, "only=3 must be a pattern of paths"),
    "only=[None]": ({"only": [None]}, "only=None must be a pattern of paths"),
    "rank=0": ({"rank": 0}, "rank=0 must be a whole number of at least 1"),
    "both": ({"rank": 4, "saving": 0.5}, "give one of them"),
    "no rank": ({"by": "separable", "rank": 4}, "separable has no rank"),
    "too high": ({"rank": 200}, "conv_1.conv: rank=200 is above 33, the largest"),
    "no match": ({"only": "nowhere"}, "only='nowhere' matches no convolution"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes(case: str) -> None:
    given, message = MISTAKES[case]
    with pytest.raises(DefinitionError) as caught:
        factorize("alexnet", **given)  # type: ignore[arg-type]  # some are wrong
    assert message in str(caught.value)


def test_a_network_without_convolutions() -> None:
    from costlab.algebra import Linear, Vector

    with pytest.raises(DefinitionError, match="has no convolutions"):
        factorize(Linear(3), Vector(4))


def test_the_largest_rank_that_saves_enough() -> None:
    for saving in (Fraction(1, 3), 0.7):
        for each in factorize("alexnet", saving=saving).replacements:
            sizes: Any = [work.multiply_adds for work in each.saving]
            before, after = sizes
            limit = before * (1 - Fraction(str(saving)))
            assert after <= limit
            more = each.scheme.parts(each.site.conv, each.site.channels, (each.rank[0] + 1,))
            dearer: Any = each.site.work(more).multiply_adds
            assert each.is_exact or dearer > limit


def test_the_command_asks_for_the_same_share() -> None:
    plan = factorize("alexnet", by="tucker", saving=Fraction("0.123456"), only=["conv_1", "conv_3"])
    asked = "--by tucker --saving 12.3456% --only conv_1 --only conv_3"
    assert " ".join(plan.asked) == asked


class Kinds(nn.Module):
    """Convolutions of every kind, one of them called twice, and one by the name of its argument."""

    def __init__(self, padding_mode: Literal["zeros", "reflect", "circular"] = "zeros") -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 16, 5, padding=2, padding_mode=padding_mode)
        self.twice = nn.Conv2d(16, 16, 3, padding="same", padding_mode=padding_mode)
        self.lazy = nn.LazyConv2d(8, 3)
        self.back = nn.ConvTranspose2d(8, 4, 3)
        self.depthwise = nn.Conv2d(4, 4, 3, groups=4)
        self.line = nn.Conv1d(4, 4, 3)
        self.weight = nn.Parameter(torch.zeros(4, 4, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        x = self.twice(self.twice(self.first(input=x)))
        x = torch.conv2d(self.depthwise(self.back(self.lazy(x))), self.weight)
        return self.line(x.flatten(2))  # type: ignore[no-any-return]  # a call of a module


@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "circular"])
def test_what_is_replaced_in_a_module_and_what_is_left(
    padding_mode: Literal["zeros", "reflect", "circular"],
) -> None:
    plan = factorize(Kinds(padding_mode), "2x3x32x32")
    large, small = Shape(3, 32, 32), Shape(16, 32, 32)
    assert [(each.path, each.site.calls) for each in plan.replacements] == [
        ("first", ((large, 2),)),
        ("twice", ((small, 2), (small, 2))),
        ("lazy", ((small, 2),)),
    ]
    assert [(each.path, each.reason) for each in plan.left] == [
        ("back", "transposed"),
        ("depthwise", "depthwise"),
        ("conv2d", "called as a function"),
        ("line", "1-D"),
    ]


def test_an_empty_batch_saves_nothing() -> None:
    plan = factorize(nn.Conv2d(3, 8, 3), torch.zeros(0, 3, 8, 8))
    assert [(each.reason, each.multiply_adds) for each in plan.left] == [("its batch is empty", 0)]

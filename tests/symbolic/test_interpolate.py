"""Whole numbers that a definition counts with: the polynomial through counts."""

from fractions import Fraction

import pytest

from costlab.algebra import Block, Conv2d, Dim, Ratio, auxiliary, block, scale, seq
from costlab.counting.count import count
from costlab.errors import DefinitionError
from costlab.symbolic import closed_form
from tests.symbolic.forms import mixed, quantities


def test_a_whole_number_that_the_definition_counts_with() -> None:
    form = closed_form("inception_v3", "modules_17")
    assert str(form.multiply_adds) == "487702528*modules_17 + 3762405984"
    assert form.ranges == {"modules_17": range(2, 12)}  # a single module has 192 channels
    assert form.holds == ("where modules_17 is 2 to 11, each of which was counted",)
    for number in (2, 4, 11):
        assert form.at(modules_17=number) == quantities("inception_v3", modules_17=number)
    for number in (1, 12):
        with pytest.raises(DefinitionError, match=f"modules_17={number} is none where modules_17 is 2 to 11"):
            form.at(modules_17=number)
    both = closed_form("inception_v3", "modules_8", "width")
    assert both.at(modules_8=3, width=0.5) == quantities("inception_v3", modules_8=3, width=0.5)


def test_heads_are_left_out_of_every_kind_of_form() -> None:
    for names in (("size",), ("depth",), ("size", "depth")):
        form = closed_form(mixed, *names).inference
        assert form.at()["multiply_adds"] == count(mixed).inference.multiply_adds
        assert form.at()["multiply_adds"] < int(count(mixed).multiply_adds)


def test_a_multiplier_beside_a_number_that_is_interpolated() -> None:
    form = closed_form("inception_v3", "modules_17", "width")
    assert form.at(modules_17=3, width=0.5) == quantities("inception_v3", modules_17=3, width=0.5)
    form = closed_form("conv_stack", "alpha", "parts", between=5)
    assert form.at(alpha=2.25, parts=8) == quantities("conv_stack", alpha=2.25, parts=8, between=5)


@block(input="4x9x9")
def headed(depth: int = 0, heads: int = 2, limit: int = 3) -> Block:
    """Layers and heads, as many as are asked for; at most ten of the last."""
    if limit > 10:
        raise DefinitionError("too many")
    tops = [auxiliary(Conv2d(2, 1)) for _ in range(heads - 1)]
    return seq(Conv2d(4, 1), *[Conv2d(4, 3, padding=1) for _ in range(depth)], *tops, *[Conv2d(4, 1)] * limit)


def test_whole_numbers_from_0_with_heads_and_limits() -> None:
    form = closed_form(headed, "depth")
    assert form.ranges == {"depth": range(8)}
    assert form.holds == ("where depth is 0 to 7, each of which was counted",)
    assert form.at() == quantities(headed)
    assert form.at(depth=5) == quantities(headed, depth=5)
    by_heads = closed_form(headed, "heads")
    assert by_heads.ranges["heads"].start == 1
    assert by_heads.at(heads=3) == quantities(headed, heads=3)
    assert by_heads.inference.at(heads=3)["multiply_adds"] == count(headed, heads=3).inference.multiply_adds
    limited = closed_form(headed, "limit", limit=8)
    assert limited.ranges == {"limit": range(11)}


@block(input="4x9x9")
def narrow(n: int = 3) -> Block:
    """There is one for a few numbers only."""
    if n not in (3, 4):
        raise DefinitionError("only three or four")
    return Conv2d(n, 1)


def test_too_few_numbers_for_a_polynomial() -> None:
    with pytest.raises(DefinitionError, match="n: only 3 to 4 can be counted: too few numbers"):
        closed_form(narrow, "n")


@block(input="3x9x9")
def steps(power: int = 1, odd: int = 1) -> Block:
    """What is no polynomial in its numbers."""
    return Conv2d(2**power + odd % 2, 1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "power",
            "power: the counts at 1 to 8 lie on no polynomial in it of degree 4 or less: count",
        ),
        ("odd", "odd: the counts at 1 to 8 lie on no polynomial in it"),
    ],
)
def test_no_polynomial_is_told_as_none(name: str, message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        closed_form(steps, name)
    assert message in str(refused.value)


def test_the_batch_is_counted_once() -> None:
    form = closed_form("conv_stack", "parts", "N")
    assert form.at(parts=3, N=5) == quantities("conv_stack", parts=3, batch=5)
    assert str(form.multiply_adds) == "45158400*N*parts"


@block(input="4x40x40")
def varied(late: int = 1, deep: int = 1, strides: int = 1, width: Ratio = 1.0) -> Block:
    """What changes somewhere on the way."""
    layers: list[Block] = [Conv2d(scale(48, width), 1)]
    layers += [Conv2d(scale(48, width), 1)] * (deep - 1)
    if deep > 1:
        scale(50, width)
    layers += [Conv2d(4, 1, 2)] * strides
    return seq(*layers, Conv2d(late + (late >= 8), 1))


def test_a_polynomial_goes_through_every_count() -> None:
    with pytest.raises(DefinitionError, match="late: the counts at 1 to 8 lie on no polynomial"):
        closed_form(varied, "late")


def test_what_is_rounded_for_any_of_the_numbers_is_a_condition() -> None:
    form = closed_form(varied, "width", "deep", strides=0)
    assert form.holds[-1].startswith("where width is a multiple of 1/2,")  # 48 and 50 together
    with pytest.raises(DefinitionError, match="is not whole there"):
        form.at(width=Fraction(1, 48), deep=3)


def test_heads_that_only_other_numbers_have() -> None:
    form = closed_form(headed, "heads", heads=1)
    without = form.inference.at(heads=4)["multiply_adds"]
    assert without == count(headed, heads=4).inference.multiply_adds
    assert without < form.at(heads=4)["multiply_adds"]


def test_a_size_of_another_remainder_is_refused() -> None:
    form = closed_form("inception_v3", "modules_8", "H")
    assert form.at(modules_8=3, H=107) == quantities("inception_v3", (3, 107, 299), modules_8=3)
    with pytest.raises(DefinitionError, match=r"H=224 is none where H % 32 = 11"):
        form.at(H=224)


def test_remainders_that_change_with_the_number_are_refused() -> None:
    with pytest.raises(DefinitionError, match="strides: "):
        closed_form(varied, "strides", "H")


@block(input="3x14x14")
def unpadded(k: Dim = 3, layers: int = 3) -> Block:
    """Layers that each take something off."""
    return seq(*[Conv2d(3, k) for _ in range(layers)])


def test_each_number_has_conditions_of_its_own() -> None:
    form = closed_form(unpadded, "k", "layers")
    assert form.at() == quantities(unpadded)
    assert form.at(k=7, layers=2) == quantities(unpadded, k=7, layers=2)
    assert form.confirmed == {"k": 3, "layers": 3}
    with pytest.raises(DefinitionError, match=r"17 - 3\*k is -4 there, and must be at least 1"):
        form.at(k=7, layers=3)

"""For which numbers closed forms hold: told, and refused where they do not."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar

import pytest
import sympy

from costlab.algebra import (
    AdaptiveAvgPool2d,
    AnyShape,
    Block,
    Conv2d,
    Dim,
    MaxPool2d,
    Operation,
    Ratio,
    Work,
    block,
    concat,
    scale,
    seq,
)
from costlab.algebra.dim import quotient
from costlab.counting.count import count
from costlab.errors import DefinitionError, ShapeError
from costlab.symbolic import closed_form, closed_forms
from costlab.symbolic.conditions import conditions_of
from tests.symbolic.forms import quantities


def test_sizes_that_join_for_some_numbers_only() -> None:
    form = closed_form("grid_reduction", "H", "W", kernel=1, window=2, input="320x34x34")
    assert not form.for_any_size
    assert form.holds == ("where H is even and W is even",)
    assert form.at(H=36, W=40) == quantities("grid_reduction", (320, 36, 40), kernel=1, window=2)
    with pytest.raises(DefinitionError, match=r"H=35 is none where H is even$"):
        form.at(H=35)


def test_branches_that_join_for_no_remainder_are_refused() -> None:
    uneven = concat(seq(Conv2d(2, 3)), seq(Conv2d(2, 2, 2)))  # equal at one size only
    assert count(uneven, (3, 4, 4)).multiply_adds == 2 * 2 * (27 + 12) * 2
    with pytest.raises(ShapeError, match="branches cannot be proved to join"):
        closed_form(uneven, "H", "W", input=(3, 4, 4))


def test_rounding_is_told_and_refused() -> None:
    form = closed_form("conv_stack", "alpha", "C")
    assert form.holds == (
        "where C*alpha is whole and C*sqrt(alpha) is whole, so that no channel count is rounded",
    )
    assert form.at(alpha=4, C=3) == quantities("conv_stack", channels=3, alpha=4)
    assert form.at(alpha=2.25, C=4) == quantities("conv_stack", channels=4, alpha=2.25)
    with pytest.raises(DefinitionError, match="is not whole there, and counting would round"):
        form.at(alpha=2)


@block(input=("channels", 9, 9))
def grouped(channels: Dim = 8, filters: Dim = 8, groups: Dim = 2) -> Block:
    """A convolution in groups."""
    return Conv2d(filters, 3, groups=groups, bias=False)


def test_groups_must_divide() -> None:
    form = closed_form(grouped, "channels", "filters")
    assert form.holds == (
        "where channels/2 is whole and filters/2 is whole, so that no channel count is rounded",
    )
    assert form.at(channels=6, filters=10) == quantities(grouped, channels=6, filters=10)
    for numbers in ({"channels": 7}, {"filters": 7}):
        with pytest.raises(DefinitionError, match="/2 is not whole there"):
            form.at(**numbers)
    by_groups = closed_form(grouped, "groups")
    assert by_groups.at(groups=4) == quantities(grouped, groups=4)
    with pytest.raises(DefinitionError, match="8/groups is not whole there"):
        by_groups.at(groups=3)


@pytest.mark.parametrize(
    ("names", "numbers", "message"),
    [
        (("height",), {"height": 43}, "is 0 there, and must be at least 1"),
        (("height",), {"height": 11}, "there, and must be at least 1"),
        (("height",), {"height": 0}, "height=0 must be at least 1"),
        (("height",), {"height": -5}, "height=-5 must be at least 1"),
        (("height",), {"height": 107.5}, "height=107.5 must be a whole number"),
        (("height",), {"height": "abc"}, "height='abc' must be a whole number"),
        (("width",), {"width": -1}, "width=-1 must be a positive number"),
        (("width",), {"width": float("nan")}, "width=nan must be a positive number"),
        (("width",), {"width": "abc"}, "width='abc' must be a number"),
        (("width",), {"width": 1 / 3}, "is not whole there, and counting would round"),
    ],
)
def test_numbers_for_which_there_is_no_network(
    names: tuple[str, ...], numbers: dict[str, Any], message: str
) -> None:
    with pytest.raises(DefinitionError) as refused:
        closed_form("inception_v3", *names).at(**numbers)
    assert message in str(refused.value)


def test_the_smallest_input_is_where_counting_starts() -> None:
    form = closed_form("inception_v3", "H")
    assert form.lowest == {"H": 75}
    assert form.at(H=75) == quantities("inception_v3", (3, 75, 299))
    with pytest.raises(ShapeError):
        count("inception_v3", (3, 74, 299))
    assert closed_form("conv_nxn", "H").lowest == {}
    unpadded = closed_form(Conv2d(4, 5), "H", "W", input=(3, 40, 50))
    assert unpadded.lowest == {"H": 5, "W": 5}


def test_fractions_are_exact() -> None:
    form = closed_form("inception_v3", "width")
    sixteenth = form.at(width=Fraction(1, 16))
    assert sixteenth == form.at(width=sympy.Rational(1, 16)) == form.at(width=0.0625)
    assert sixteenth == quantities("inception_v3", width=0.0625)


@block(input="3x9x9")
def reckoned(width: Ratio = 1.0) -> Block:
    """Twice what was scaled: rounding comes before."""
    return Conv2d(2 * scale(33, width), 3)


def test_what_was_rounded_on_the_way_is_a_condition() -> None:
    form = closed_form(reckoned, "width")
    assert form.holds == ("where width is a multiple of 1/33, so that no channel count is rounded",)
    with pytest.raises(DefinitionError, match=r"33\*width is not whole there"):
        form.at(width=Fraction(1, 66))
    assert form.at(width=2) == quantities(reckoned, width=2)


@dataclass(frozen=True)
class Halved(Operation):
    """An operation that does something for every second channel, and says nothing of odd ones."""

    kind: ClassVar[str] = "halved"

    def output(self, x: AnyShape) -> AnyShape:
        return x

    def work(self, x: AnyShape, y: AnyShape) -> Work:
        return Work(self.kind, multiply_adds=quotient(x[0], 2))

    def module(self, x: AnyShape) -> Any:
        raise NotImplementedError


def test_a_quantity_that_is_no_whole_number_is_refused() -> None:
    form = closed_form(Halved(), "C", input=(4, 3, 3))
    assert form.at(C=6)["multiply_adds"] == 3
    with pytest.raises(DefinitionError, match=r"multiply_adds comes to 5/2 there, which cannot be"):
        form.at(C=5)


def test_a_form_can_be_held_against_a_count_of_any_size() -> None:
    form = closed_form("stem", "height")
    assert 224 % 8 != 299 % 8
    for height in (224, 299):
        form.confirm(count("stem", (3, height, 299)), height=height)


def test_sizes_that_numbers_may_make_nothing_of() -> None:
    form = closed_form("grid_reduction", "filters", "channels", filters=640)
    assert form.holds == ("where -channels + filters is at least 1",)
    with pytest.raises(DefinitionError, match=r"-channels \+ filters is 0 there, and must be at least 1"):
        form.at(filters=320)


def test_strides_of_branches_combine() -> None:
    four, six = (seq(Conv2d(4, 1, stride), AdaptiveAvgPool2d(1)) for stride in (4, 6))
    form = closed_form(concat(four, six), "H", input=(4, 40, 40))
    assert form.classes == {"H": (12, 4)}
    assert form.multiply_adds.is_polynomial()
    assert form.at(H=52) == quantities(concat(four, six), (4, 52, 40))


def test_what_joins_for_some_sizes_goes_on_without_floors() -> None:
    ends = concat(Conv2d(4, 1, 2), MaxPool2d(2, 2))  # even sizes only
    form = closed_form(seq(ends, Conv2d(4, 1, 2)), "H", "W", input=(4, 32, 36))
    assert not form.for_any_size
    assert form.classes == {"H": (4, 0), "W": (4, 0)}
    assert form.multiply_adds.is_polynomial()
    assert form.at(H=36, W=40) == quantities(seq(ends, Conv2d(4, 1, 2)), (4, 36, 40))


def test_only_what_is_floored_has_remainders() -> None:
    form = closed_form(Conv2d(4, 1, (2, 1)), "H", "W", input=(4, 9, 9))
    assert form.holds == ("where H is odd",)


def test_conditions_of_several_forms_hold_for_all() -> None:
    forms = closed_forms(Conv2d(4, 9), Conv2d(4, 5), symbols=["H"], input=(4, 40, 40))
    assert conditions_of([form.domain for form in forms]) == ("where H is at least 9",)
    assert conditions_of([form.domain for form in forms[1:]]) == ("where H is at least 5",)
    ranges = [
        replace(form, ranges={"k": range(*ends)}) for form, ends in zip(forms, [(2, 9), (0, 7)], strict=True)
    ]
    assert "k is 2 to 6, each of which was counted" in conditions_of([form.domain for form in ranges])[0]


@block(input="3x35x35")
def pooled(k: Dim = 3, filters: Dim | None = None) -> Block:
    """Kernels and paddings that are not what is given."""
    return seq(Conv2d(8 if filters is None else filters, k - 1), MaxPool2d(k, stride=1, padding=1))


def test_kernels_and_paddings_are_conditions() -> None:
    form = closed_form(pooled, "k")
    assert form.at(k=2) == quantities(pooled, k=2)
    for k in (1, 40):
        with pytest.raises(DefinitionError, match="and must be at least 1"):
            form.at(k=k)
    assert "k - 1 is at least 1" in form.holds[0]


def test_the_smallest_input_is_told_whatever_else_is_open() -> None:
    form = closed_form(pooled, "filters", "H", k=5)
    assert form.lowest == {"H": 6}
    assert form.at(filters=3, H=6) == quantities(pooled, (3, 6, 35), k=5, filters=3)
    with pytest.raises(ShapeError):
        count(pooled, (3, 5, 35), k=5)

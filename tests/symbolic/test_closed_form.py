"""Closed forms: with numbers in the place of symbols they are the count, wherever they say that they hold."""

from functools import cache
from typing import Any

import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

import costlab
from costlab.algebra import Block, Dim, Ratio, Shape
from costlab.algebra.floors import unnested
from costlab.counting.count import count
from costlab.errors import DefinitionError, ShapeError
from costlab.symbolic import ClosedForm, closed_form
from costlab.targets.resolve import find
from tests.random_blocks import counted
from tests.symbolic.forms import SLOW, form_or_skip, mixed, quantities


@SLOW
@given(counted(), st.integers(0, 3), st.integers(0, 3), st.integers(1, 4))
def test_random_blocks_at_other_sizes(
    example: tuple[Shape, Block], down: int, right: int, batch: int
) -> None:
    x, block = example
    form = form_or_skip(block, x, "H", "W", "N")
    assert form.at(H=x.height, W=x.width, N=1) == quantities(block, x)
    period = {name: form.classes.get(name, (1, 0))[0] for name in "HW"}
    size = {"H": x.height + down * period["H"], "W": x.width + right * period["W"]}
    try:
        there = quantities(block, (x.channels, size["H"], size["W"]), batch=batch)
    except ShapeError:  # such as a join for this size alone
        assume(False)
    assert form.at(**size, N=batch) == there
    symbols = form.symbols
    values = {symbols[name]: number for name, number in {**size, "N": batch}.items()}
    assert form.multiply_adds.subs(values) == there["multiply_adds"]
    if form.for_any_size:
        plain = sympy.sympify(unnested(form.count.multiply_adds))
        assert plain.subs(values) == there["multiply_adds"]
        floors = [f.args[0] for f in plain.atoms(sympy.floor)]
        assert not any(within.has(sympy.floor) for within in floors if not within.has(sympy.Min))


@SLOW
@given(counted(), st.integers(1, 40), st.integers(1, 40))
def test_random_blocks_at_any_size(example: tuple[Shape, Block], height: int, width: int) -> None:
    x, block = example
    form = form_or_skip(block, x, "H", "W")
    assume(form.for_any_size)
    try:
        there = quantities(block, (x.channels, height, width))
    except ShapeError:
        assume(False)
    assert form.at(H=height, W=width) == there


NUMERIC = ["channels", "size", "n", "filters", "width", "depth", "N"]
POOLS: dict[str, list[Any]] = {
    "channels": [4, 8, 16, 25],
    "size": [31, 43, 55],
    "n": [1, 3, 5],
    "filters": [4, 12, 9, 16],
    "width": [0.5, 1, 2, 1.25],
    "depth": [1, 2, 3, 7],
    "N": [1, 2, 5],
}


@cache
def form_of_mixed(*names: str) -> ClosedForm:
    """The closed form in these, derived once."""
    return closed_form(mixed, *names)


@SLOW
@given(st.sets(st.sampled_from(NUMERIC), min_size=1, max_size=3), st.data())
def test_every_numeric_parameter(names: set[str], data: st.DataObject) -> None:
    chosen = sorted(names)
    form = form_of_mixed(*chosen)
    numbers = {name: data.draw(st.sampled_from(POOLS[name])) for name in chosen}
    batch = numbers.get("N", 1)
    settings_used = {name: number for name, number in numbers.items() if name != "N"}
    try:
        found = form.at(**numbers)
    except DefinitionError as refusal:
        if "is not whole there" in str(refusal) or "is none where" in str(refusal):
            return
        raise
    assert found == quantities(mixed, batch=batch, **settings_used)


LARGE = {
    *("alexnet_one_tower", "anynet_x", "bn_inception", "ensemble", "googlenet", "inception_v2"),
    *("inception_v3_table_1", "prelu_net_b", "prelu_net_c", "resnet101", "resnet152", "vgg19"),
}
"""Networks of the same operations as others of the catalog, only more of them."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in costlab.catalog()],
)
def test_every_definition_in_every_symbol(name: str) -> None:
    block = find(name)
    form = closed_form(name)
    assert set(form.symbols) >= {"C", "H", "W"}
    assert form.at() == quantities(name)
    for parameter, p in block.parameters.items():
        if p.type in (Dim, Ratio) and p.default is not None:
            assert closed_form(name, parameter).at() == quantities(name)


def test_inception_v3_in_its_width_and_height() -> None:
    form = closed_form("inception_v3", "width")
    assert str(form.multiply_adds) == "5691986432*width**2 + 21229664*width"
    assert form.holds == ("where width is a multiple of 1/16, so that no channel count is rounded",)
    assert form.at(width=0.5)["multiply_adds"] == count("inception_v3", width=0.5).multiply_adds
    height = closed_form("inception_v3", "height")
    assert height.holds == ("where height % 32 = 11 and height is at least 75",)
    assert height.multiply_adds.is_polynomial()
    for size in (75, 107, 299, 331, 224, 256):  # the first four leave 11
        assert height.at(height=size) == quantities("inception_v3", (3, size, 299))
    assert (
        height.multiply_adds.subs(height.symbols["height"], 331)
        == count("inception_v3", (3, 331, 299)).multiply_adds
    )


def test_floors_within_floors() -> None:
    h = sympy.Symbol("h", integer=True, positive=True)
    nested = sympy.floor(sympy.floor((sympy.floor(h / 2) + 1) / 3) / 2 - sympy.Rational(5, 2))
    flat = unnested(nested)
    assert len(flat.atoms(sympy.floor)) == 1
    assert all(flat.subs(h, n) == nested.subs(h, n) for n in range(1, 60))
    for kept in (
        sympy.floor(2 * sympy.floor(h / 3) / 5 + h / 7),
        sympy.floor(2 * sympy.floor(h / 3) / 5),
        sympy.floor(-sympy.floor(h / 2) / 3),
        sympy.floor(sympy.floor(h / 2) / 3 + sympy.Rational(1, 2)),
    ):
        assert all(unnested(kept).subs(h, n) == kept.subs(h, n) for n in range(1, 60))


def test_every_form_is_held_against_a_count() -> None:
    assert closed_form("conv_stack", "between").confirmed == {"between": 12}
    assert closed_form("conv_stack", "alpha", alpha=1.5).confirmed == {"alpha": 1}
    assert closed_form("conv_stack", "alpha", "C", filters=None).confirmed == {"alpha": 1.0, "C": 64}
    assert closed_form("inception_v3", "H").confirmed == {"H": 299}


def test_what_is_shown_is_held_against_the_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    right = ClosedForm.read
    monkeypatch.setattr(ClosedForm, "read", lambda self, quantity: right(self, quantity) + 1)
    with pytest.raises(DefinitionError, match="the closed form gives multiply_adds="):
        closed_form("inception_v3", "height")


def test_a_form_that_is_not_the_count_is_noticed() -> None:
    form = closed_form("conv_nxn", "n")
    form.confirm(count("conv_nxn"))
    with pytest.raises(
        DefinitionError, match="the closed form gives multiply_adds=45158400, the count 125440000"
    ):
        form.confirm(count("conv_nxn", n=5))


def test_forms_can_be_hashed() -> None:
    assert hash(closed_form("conv_nxn", "n")) == hash(closed_form("conv_nxn", "n"))
    assert len({costlab.compare(ablation="nxn"), costlab.compare(ablation="nxn")}) == 1

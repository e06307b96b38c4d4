"""Symbols: what can be one, and what is told where none can."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from costlab.algebra import Block, Conv2d, Dim, Flatten, Linear, ReLU, add, block, seq, symbols
from costlab.counting.count import count
from costlab.errors import CostlabError, DefinitionError, ShapeError, TargetError
from costlab.symbolic import closed_form, closed_forms
from tests.symbolic.forms import mixed, quantities


def test_the_batch_is_a_symbol_too() -> None:
    form = closed_form("conv_nxn", "N")
    assert form.at(N=7) == quantities("conv_nxn", batch=7)
    assert form.parameters == count("conv_nxn").parameters


def test_vectors() -> None:
    form = closed_form(seq(Linear(7)), "F", input=(5,))
    assert str(form.multiply_adds) == "7*F"
    form = closed_form(seq(Flatten(), Linear(7)), input=(5, 2, 3))
    assert str(form.multiply_adds) == "7*C*H*W"


@block(input="3x9x9")
def required(channels: Dim, repeats: int) -> Block:
    """Parameters without defaults."""
    return seq(*[Conv2d(channels, 1) for _ in range(repeats)])


def test_parameters_without_a_number() -> None:
    form = closed_form(required, "channels", repeats=2)
    assert form.at(channels=4) == quantities(required, channels=4, repeats=2)
    with pytest.raises(DefinitionError, match="give a number for channels"):
        form.at()
    repeated = closed_form(required, "repeats", channels=4)
    assert repeated.at(repeats=3) == quantities(required, channels=4, repeats=3)


@block(input="3x9x9")
def floating(width: float = 1.0) -> Block:
    """A width that is no ratio."""
    return seq(Conv2d(int(8 * width), 1))


@pytest.mark.parametrize(
    ("target", "names", "message"),
    [
        (
            "inception_v3",
            ("widht",),
            "'widht' is no numeric parameter and no size of the input; did you mean width?",
        ),
        ("inception_v3", ("F",), "'F' is no numeric parameter and no size of the input"),
        (
            floating,
            ("width",),
            "floating: width takes a number, and no symbol in its place: annotate it as Ratio and multiply "
            "by scale(channels, width)",
        ),
        ("inception_v3", ("aux",), "inception_v3: aux takes true or false, and no symbol in its place"),
        (
            "inception_v3",
            ("branch_5x5",),
            "branch_5x5 takes 5x5 or 3x3+3x3 or 3x3, and no symbol in its place",
        ),
        ("inception_v3", ("H", "height"), "H and height are one size: give one of them"),
        ("conv_nxn", ("C", "channels"), "C and channels are one size: give one of them"),
        (mixed, ("H", "W"), "H and W are one size: give one of them"),
        (
            "inception_v3",
            ("modules_8", "modules_17"),
            "the definition itself counts with modules_8 and modules_17: give one of them",
        ),
    ],
)
def test_what_is_no_symbol(target: Any, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        closed_form(target, *names)
    assert message in str(refused.value)


def test_a_number_for_what_is_no_symbol() -> None:
    with pytest.raises(DefinitionError, match="no symbol 'W'; there is H"):
        closed_form("conv_nxn", "H").at(W=3)


def test_a_block_without_an_input() -> None:
    with pytest.raises(TargetError, match="has no input shape of its own"):
        closed_form(ReLU(), "H")


def test_forms_of_a_comparison() -> None:
    with pytest.raises(DefinitionError, match="H: the variants have 151 and 299 and 79 there"):
        closed_forms(ablation="receptive_field", symbols=["H"])
    with pytest.raises(CostlabError, match="'foo' is no numeric parameter"):
        closed_forms("conv_nxn", "conv_stack", symbols=["foo"])
    only_one = closed_forms("conv_nxn:n=5", "conv_stack", symbols=["parts"])
    assert [list(form.symbols) for form in only_one] == [[], ["parts"]]
    decided = closed_forms("conv_nxn:n=3", "conv_stack")  # three by default too
    assert [list(form.symbols) for form in decided] == [["C", "H", "W"]] * 2


def test_a_symbol_takes_the_place_of_a_number_that_was_given() -> None:
    form = closed_form("conv_nxn:n=5", "n")
    assert form.numbers == {"n": 5}
    assert form.at() == quantities("conv_nxn", n=5)
    assert form.at(n=3) == quantities("conv_nxn", n=3)


@block(input="8x9x9")
def fixed_residual(channels: Dim = 8, filters: Dim = 5) -> Block:
    """A sum that holds for these channels alone."""
    return seq(add(seq(), Conv2d(channels, 1)), Conv2d(filters, 1))


def test_by_default_only_what_can_be_a_symbol_is_one() -> None:
    form = closed_form(fixed_residual)
    assert list(form.symbols) == ["H", "W", "filters"]
    with pytest.raises(ShapeError, match="cannot be proved to join"):
        closed_form(fixed_residual, "channels")


@pytest.mark.parametrize(
    ("targets", "name", "message"),
    [
        (("inception_v3", "inception_v3:width=0.5"), "width", "width: the variants have 0.5 and 1.0 there"),
        (("conv_nxn:n=5", "conv_stack"), "n", "n: the variants have 3 and 5 there"),
        (("inception_a", "inception_c"), "channels", "channels: a size of the input for one variant"),
    ],
)
def test_a_name_that_is_not_one_thing_for_all(targets: tuple[str, ...], name: str, message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        closed_forms(
            *targets,
            symbols=[name],
            input=None if "conv" in targets[0] or "v3" in targets[0] else "192x35x35",
        )
    assert message in str(refused.value)


def test_settings_are_given_once_and_told() -> None:
    with pytest.raises(DefinitionError, match="width is given twice"):
        closed_form("inception_v3:width=0.5", width=2.0)
    assert closed_form("inception_v3", "width", aux=True).label == "inception_v3:aux=true"


def test_defaults_are_one_thing_for_all() -> None:
    apart = closed_forms("conv_nxn", "conv_1xn_nx1")  # three and seven by default
    assert [list(form.symbols) for form in apart] == [["C", "H", "W"]] * 2
    modules = closed_forms("inception_a", "inception_c", input="192x35x35")
    assert [list(form.symbols) for form in modules] == [["C", "H", "W", "pool"], ["C", "H", "W", "n"]]


LISTS: Any = [["H", "W"]]
NUMBERS: Any = [5]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: closed_form("conv_nxn", *LISTS), "must be names, such as H or width"),
        (lambda: closed_form("conv_nxn", *NUMBERS), "must be names, such as H or width"),
        (
            lambda: closed_forms("conv_nxn", "conv_stack", symbols=NUMBERS[0]),
            "must be names, such as H or width",
        ),
        (lambda: closed_form("conv_nxn", "n").at(n=0), "n=0 must be at least 1"),
        (lambda: closed_form("conv_nxn", "N").at(N=0), "N=0 must be at least 1"),
        (lambda: closed_form("conv_nxn", "n").at(n=np.array([3, 5])), "n=[3 5] must be one number"),
        (lambda: closed_form("conv_nxn", "n").at(n=symbols("k")), "n=k must be one number"),
        (lambda: closed_form("stem", "width").at(width=np.array([0.5])), "width=[0.5] must be one number"),
        (
            lambda: closed_form("conv_nxn", "H", input=(64, symbols("H"), 35)),
            "must be numbers: name",
        ),
        (lambda: closed_form("conv_nxn", "H", n=symbols("H")), "must be numbers: name"),
        (lambda: closed_form("conv_nxn", "H", batch=symbols("H")), "must be numbers: name"),
    ],
)
def test_plausible_mistakes_are_told(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        call()
    assert message in str(refused.value)


def test_several_names_in_one_string() -> None:
    assert list(closed_form("conv_nxn", "H, W", "H").symbols) == ["H", "W"]
    forms = closed_forms("conv_nxn", "conv_stack", symbols=" C, n,")
    assert [list(form.symbols) for form in forms] == [["C", "n"]] * 2

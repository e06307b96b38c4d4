"""Symbols: what can be one, and what is told where none can."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

from costlab.algebra import (
    Block,
    Conv2d,
    Dim,
    Flatten,
    Linear,
    ReLU,
    add,
    block,
    seq,
    symbols,
)
from costlab.algebra.asked import taken_not_to_be_zero
from costlab.counting import closed_form, closed_forms, count
from costlab.errors import CostlabError, DefinitionError, ShapeError, TargetError
from tests.counting.forms import mixed, quantities


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


@pytest.mark.parametrize(
    ("target", "names", "message"),
    [
        (
            "inception_v3",
            ("widht",),
            "'widht' is no numeric parameter and no size of the input; did you mean width?",
        ),
        ("inception_v3", ("F",), "'F' is no numeric parameter and no size of the input"),
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


def odd(n: Any) -> bool:
    return bool(n % 2 == 1)


@block(input=("channels", 16, 16))
def expanded(channels: Dim = 8, t: Dim = 6, filters: Dim = 8, n: Dim = 3) -> Block:
    """A block that does something else for some numbers."""
    inner: list[Block] = [Conv2d(channels * t, 1)] if t != 1 else []
    joined = seq() if filters == channels else Conv2d(filters, 1)
    return seq(*inner, Conv2d(filters, 1), joined, *[Conv2d(4, n, padding="same")] * (1 if odd(n) else 2))


@pytest.mark.parametrize(
    ("name", "told", "other", "same"),
    [
        ("t", "where t is not 1", 5, 1),
        ("filters", "where filters is not 8", 6, 8),
        ("n", "where Mod(n, 2) - 1 is not 0", 4, 3),
    ],
)
def test_what_a_definition_asks_of_a_symbol_is_a_condition(
    name: str, told: str, other: int, same: int
) -> None:
    form = closed_form(expanded, name)
    assert form.holds == (told,)
    assert form.at(**{name: other}) == quantities(expanded, **{name: other})
    with pytest.raises(DefinitionError, match="the form is another where"):
        form.at(**{name: same})


@block(input=("channels", 16, 16))
def asking(channels: Dim = 8, planes: Dim = 8, t: Dim = 4) -> Block:
    """Every way to ask."""
    one = seq() if 4 * planes == channels else Conv2d(4 * planes, 1)
    two = Conv2d(3, 1) if t in (1, 2) else Conv2d(4, 1)
    three = seq(ReLU()) if t - planes != 7 else Conv2d(2, 1)
    rest: Any = planes
    return seq(one, two, three, Conv2d(4, 3 if rest % 4 else 1))


def test_questions_in_every_form_are_noticed() -> None:
    form = closed_form(asking, "channels", "planes", "t")
    (told,) = form.holds
    assert told == (
        "where channels is not 4*planes and t is not 1 and t is not 2 and planes is not t - 7 "
        "and Mod(planes, 4) is not 0"
    )
    assert form.at(channels=4, planes=5, t=3) == quantities(asking, channels=4, planes=5, t=3)
    for numbers in ({"planes": 2}, {"t": 1, "planes": 5}, {"t": 12, "planes": 5}, {"planes": 4}):
        with pytest.raises(DefinitionError, match="the form is another where"):
            form.at(**{"channels": 8, "t": 3, **numbers})


def test_sympy_is_left_as_it_was() -> None:
    before = sympy.Expr.__eq__
    closed_form(asking, "planes", t=3)
    assert sympy.Expr.__eq__ is before
    assert "__bool__" not in vars(sympy.Expr)
    with pytest.raises(RuntimeError), taken_not_to_be_zero():
        raise RuntimeError
    assert sympy.Expr.__eq__ is before
    x = symbols("x")
    with taken_not_to_be_zero() as noted:
        assert x != 3
        assert x == x
        assert x != "x"
        assert x + 1 != x
        assert x != 0
        assert sympy.simplify(x * x - 1) != 0
    assert noted == [x - 3, x**2 - 1]


def test_by_default_a_number_that_is_asked_for_is_no_symbol() -> None:
    form = closed_form(expanded)  # as many filters as channels, and an odd kernel
    assert list(form.symbols) == ["H", "W", "t"]
    assert form.left_out == ("C", "filters", "n")
    assert form.at() == quantities(expanded)


@block(input=("channels", 9, 9))
def compared(channels: Dim = 8, filters: Dim = 5) -> Block:
    """What asks which is larger, which a symbol cannot say."""
    wide: Any = filters
    return Conv2d(filters, 3 if wide > 4 else 1)


@block(input=("C", "H", "W"))
def taken(C: int = 3, H: int = 9, W: int = 9) -> Block:  # noqa: N803
    """Sizes that the definition counts with."""
    return Conv2d(4, 1)


def test_what_fails_with_a_symbol_is_left_out_by_default() -> None:
    assert list(closed_form(compared).symbols) == ["C", "H", "W"]
    with pytest.raises(TypeError, match="cannot determine truth value"):
        closed_form(compared, "filters")
    with pytest.raises(DefinitionError, match="taken: nothing is a symbol by default"):
        closed_form(taken)
    assert closed_form(taken, "H").at(H=5) == quantities(taken, H=5)


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

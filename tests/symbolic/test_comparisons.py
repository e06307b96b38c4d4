"""What a definition asks of a symbol: noted, told as a condition, and refused where the answer is another."""

from typing import Any

import pytest
import sympy

from costlab.algebra import Block, Conv2d, Dim, ReLU, block, seq, symbols
from costlab.errors import DefinitionError
from costlab.symbolic import closed_form
from costlab.symbolic.comparisons import record_comparisons
from tests.symbolic.forms import quantities


def odd(n: Any) -> bool:
    return bool(n % 2 == 1)


@block(input=("channels", 16, 16))
def expanded(channels: Dim = 8, t: Dim = 6, filters: Dim = 8, n: Dim = 3) -> Block:
    """A block that does something else for some numbers."""
    inner: list[Block] = [Conv2d(channels * t, 1)] if t != 1 else []
    joined = seq() if filters == channels else Conv2d(filters, 1)
    return seq(*inner, Conv2d(filters, 1), joined, *[Conv2d(4, n, padding="same")] * (1 if odd(n) else 2))


@pytest.mark.parametrize(
    ("name", "condition", "other", "same"),
    [
        ("t", "where t is not 1", 5, 1),
        ("filters", "where filters is not 8", 6, 8),
        ("n", "where Mod(n, 2) - 1 is not 0", 4, 3),
    ],
)
def test_what_a_definition_asks_of_a_symbol_is_a_condition(
    name: str, condition: str, other: int, same: int
) -> None:
    form = closed_form(expanded, name)
    assert form.holds == (condition,)
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
    (condition,) = form.holds
    assert condition == (
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
    with pytest.raises(RuntimeError), record_comparisons():
        raise RuntimeError
    assert sympy.Expr.__eq__ is before
    x = symbols("x")
    with record_comparisons() as compared:
        assert x != 3
        assert x == x
        assert x != "x"
        assert x + 1 != x
        assert x != 0
        assert sympy.simplify(x * x - 1) != 0
    assert compared == [x - 3, x**2 - 1]


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
def taken(C: int = 3, H: int = 9, W: int = 9) -> Block:  # noqa: N803  # sizes by the names of the input's
    """Sizes that the definition counts with."""
    return Conv2d(4, 1)


def test_what_fails_with_a_symbol_is_left_out_by_default() -> None:
    assert list(closed_form(compared).symbols) == ["C", "H", "W"]
    with pytest.raises(TypeError, match="cannot determine truth value"):
        closed_form(compared, "filters")
    with pytest.raises(DefinitionError, match="taken: nothing is a symbol by default"):
        closed_form(taken)
    assert closed_form(taken, "H").at(H=5) == quantities(taken, H=5)


@block(input="3x9x9")
def sly(filters: Dim = 5) -> Block:
    """What finds out that it is given a number, and asks that."""
    return Conv2d(filters, 3 if isinstance(filters, int) and filters == 2 else 1)


def test_a_form_is_held_against_counts_at_other_numbers_too() -> None:
    with pytest.raises(DefinitionError, match="at filters=2 the closed form gives multiply_adds="):
        closed_form(sly, "filters")

"""Multipliers of channels: rounding, and what is refused in every kind of number."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from costlab.algebra import in_between, scale, symbols
from costlab.algebra.ratio import scalings
from costlab.counting.count import count
from costlab.errors import DefinitionError


@given(st.integers(1, 10**6), st.floats(0.01, 100))
def test_scaling_rounds_to_the_nearest_half_up(channels: int, width: float) -> None:
    scaled = scale(channels, width)
    assert scaled == max(1, math.floor(Fraction(channels * width) + Fraction(1, 2)))
    swept: Any = scale(channels, np.array([width, 1.0]))
    assert swept.tolist() == [scaled, channels]


@pytest.mark.parametrize(
    ("channels", "width", "scaled"), [(3, 0.5, 2), (5, 0.5, 3), (1, 0.01, 1), (64, 1.0, 64)]
)
def test_scaling_by_hand(channels: int, width: float, scaled: int) -> None:
    assert scale(channels, width) == scaled


NO_WIDTHS = [0, -1.0, math.nan, math.inf, 1e300]


@pytest.mark.parametrize(
    "width",
    [
        *NO_WIDTHS,
        *map(np.float64, NO_WIDTHS),
        *([np.array([0.5, width]) for width in NO_WIDTHS]),
        np.array([2**62]),
        np.array([-1]),
        np.array(["a"]),
        np.array([]),
        np.array([True]),
        True,
        "wide",
        None,
        sympy.Float(-0.5),
        sympy.I,
        sympy.nan,
    ],
    ids=str,
)
def test_widths_that_are_none(width: Any) -> None:
    with pytest.raises(DefinitionError, match=r"width=.* must be a (positive )?number"):
        scale(64, width)
    with pytest.raises(DefinitionError, match=r"width=.* must be a (positive )?number"):
        count("stem", width=width)


def test_widths_of_every_kind() -> None:
    for half in (0.5, np.float32(0.5), sympy.Rational(1, 2), sympy.Float(0.5), np.array(0.5)):
        assert scale(3, half) == 2
        assert type(scale(3, half)) is int
    assert scale(3, sympy.Rational(1, 3)) == 1
    small: Any = scale(64, np.array([100, 2], dtype=np.int8))
    assert small.tolist() == [6400, 128]
    narrow: Any = count("inception_e", width=np.array([1, 100], dtype=np.int16)).multiply_adds
    assert narrow.tolist() == [count("inception_e", width=width).multiply_adds for width in (1, 100)]


def test_a_symbolic_width_is_not_rounded() -> None:
    w = symbols("w")
    assert scale(3, w) == 3 * w
    assert scale(w, 2.0) == 2 * w
    assert scale(w, 0.5) == w / 2
    assert scale(w, 0.1) == w / 10  # the decimal, not the nearest binary fraction
    assert scale(w, 1e-05) == w / 100_000


def test_an_array_as_width_of_symbolic_channels_is_refused() -> None:
    with pytest.raises(DefinitionError, match="arrays and symbols do not go together"):
        scale(symbols("c"), np.array([1, 2]))


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(2, 4), st.data())
def test_steps_in_between_are_rounded_to_the_nearest(
    first: int, last: int, steps: int, data: st.DataObject
) -> None:
    step = data.draw(st.integers(1, steps - 1))
    found: Any = in_between(first, last, step, steps)
    exact = first ** (steps - step) * last**step  # to the power of 1 / steps
    assert (2 * found - 1) ** steps <= exact * 2**steps <= (2 * found + 1) ** steps
    swept: Any = in_between(np.array([first, last]), last, step, steps)
    assert swept.tolist() == [found, last]
    assert swept.dtype == np.int64
    c, a = symbols("c a")
    symbolic: Any = in_between(c, c * a, step, steps)
    assert sympy.simplify(symbolic**steps - c**steps * a**step) == 0


def test_steps_in_between_by_hand() -> None:
    assert in_between(64, 256) == 128
    assert in_between(64, 96) == 78  # 78.38
    assert [in_between(8, 64, step, 3) for step in (1, 2)] == [16, 32]
    assert in_between(7, 7, 1, 10**6) == 7
    c = symbols("c")
    assert in_between(c, sympy.Rational(9, 4) * c) == 3 * c / 2
    with pytest.raises(DefinitionError, match="arrays and symbols do not go together"):
        in_between(c, np.array([1, 2]))
    for bad in (0, 1.5, "x"):
        with pytest.raises(DefinitionError, match="filters="):
            in_between(4, bad)  # type: ignore[arg-type]  # a wrong type is what is tested


def test_what_is_scaled_is_noted_with_the_width_as_it_was_given() -> None:
    width = float("0.7")
    with scalings() as made:
        inner = scale(64, width)
        scale(inner, 0.5)
    scale(3, width)
    assert [(each.channels, each.result) for each in made] == [(64, 45), (45, 23)]
    assert [each.width is width for each in made] == [True, False]

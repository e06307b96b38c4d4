"""Dimensions: the helpers agree with Python's own arithmetic on all three kinds of number."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from costlab.algebra import Concat, Conv2d, Shape, add, concat, scale, seq, symbols
from costlab.algebra.dim import as_dim, at_least, divides, equal, minimum, product, quotient, total
from costlab.counting import count
from costlab.errors import DefinitionError, ShapeError

positive = st.integers(1, 10**6)


@given(st.lists(st.integers(1, 2**31 - 1), min_size=1, max_size=6))
def test_products_and_sums_of_arrays_never_wrap(numbers: list[int]) -> None:
    arrays = [as_dim("n", np.array([n, 1])) for n in numbers]
    wholes: Any = product(*arrays), total(arrays)
    assert int(wholes[0][0]) == math.prod(numbers)
    assert int(wholes[1][0]) == sum(numbers)


def test_a_count_past_int64_is_exact() -> None:
    widths = np.array([2**20, 2**30])
    swept: Any = count(Conv2d(as_dim("n", widths), 3), (2**30, 512, 512)).multiply_adds
    for value, width in zip(swept, widths, strict=True):
        assert int(value) == 2**30 * 9 * int(width) * 510 * 510
    assert int(swept[1]) > 2**63
    batches: Any = count(Conv2d(as_dim("n", widths), 3), (2**10, 512, 512), batch=2**31).multiply_adds
    assert int(batches[0]) == 2**10 * 9 * 2**20 * 510 * 510 * 2**31


def test_arrays_beside_symbols_do_not_wrap_either() -> None:
    n = symbols("n")
    wide = as_dim("n", np.array([2**31 - 1]))
    mixed: Any = product(wide, wide, wide, n)
    assert mixed[0] == (2**31 - 1) ** 3 * n


def test_small_dtypes_do_not_wrap() -> None:
    channels: Any = count(
        Conv2d(as_dim("n", np.array([100, 120], dtype=np.int8)), 3), (100, 9, 9)
    ).multiply_adds
    assert channels.tolist() == [100 * 9 * 49 * 100, 100 * 9 * 49 * 120]


@given(positive, st.floats(0.01, 100))
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


@pytest.mark.parametrize("width", [0, -1.0, math.nan, math.inf, 1e300])
def test_widths_that_are_none(width: float) -> None:
    with pytest.raises(DefinitionError, match="width="):
        scale(64, width)


def test_a_symbolic_width_is_not_rounded() -> None:
    w = symbols("w")
    assert scale(3, w) == 3 * w
    assert scale(w, 2.0) == 2 * w
    with pytest.raises(DefinitionError, match="must be whole where channels are symbolic"):
        scale(w, 0.5)


def test_verdicts_are_three_valued() -> None:
    h, w = symbols("h w")
    assert equal(h * (h + 1), h**2 + h) is True
    assert equal(h, h + 1) is False
    assert equal(h, w) is None
    assert equal((2 * h) // 2, h) is True
    assert at_least(h, 1) is True
    assert at_least(-h, 1) is False
    assert at_least(h, 2) is None
    assert divides(2, 2 * h) is True
    assert divides(2, 2 * h + 1) is False
    assert divides(2, h) is None
    assert equal(np.array([1, 2]), np.array([1, 2])) is True
    assert equal(np.array([1, 2]), np.array([1, 3])) is False
    assert at_least(np.array([1, 0]), 1) is False


@given(positive, positive)
def test_quotient_and_minimum(a: int, b: int) -> None:
    x = symbols("x")
    assert quotient(a * b, b) == a
    assert quotient(x * b, b) == x
    assert minimum(a, b) == min(a, b)
    assert minimum(x, b).subs(x, a) == min(a, b)  # type: ignore[attr-defined]
    assert np.asarray(minimum(np.array([a]), b)).tolist() == [min(a, b)]


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (0, "n=0 must be at least 1"),
        (-3, "n=-3 must be at least 1"),
        (True, "n=True must be a whole number"),
        (2.0, "n=2.0 must be a whole number"),
        ("3", "n='3' must be a whole number"),
        (None, "n=None must be a whole number"),
        (sympy.Rational(1, 2), "n=1/2 must be a whole number"),
        (sympy.Integer(0), "n=0 must be at least 1"),
        (-sympy.Symbol("a", positive=True), "n=-a must be at least 1"),
        (np.array([1.5]), "must be an array of whole numbers"),
        (np.array([], dtype=int), "must be an array of whole numbers"),
        (np.array([3, 0]), "must be at least 1"),
        (np.array([2**31]), "must stay below 2"),
    ],
)
def test_what_is_no_dimension(value: object, complaint: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        as_dim("n", value)
    assert complaint in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_dimensions_are_normalized() -> None:
    assert type(as_dim("n", np.int32(7))) is int
    assert type(as_dim("n", sympy.Integer(7))) is int
    mine = np.array([1, 2])
    frozen: Any = as_dim("n", mine)
    mine[0] = 5
    assert frozen.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        frozen[0] = 9


def test_symbolic_joins_must_be_proved() -> None:
    h, w = symbols("h w")
    x = Shape(8, h, w)
    half, same = Conv2d(4, 3, stride=2, padding=1), Conv2d(4, 1, stride=2)
    joined = concat(half, same).output(x)  # (h - 1) // 2 + 1 on both sides
    assert joined[0] == 8
    with pytest.raises(ShapeError, match=r"branches do not join: 0 gives .*, 1 gives"):
        concat(Conv2d(4, 1), Conv2d(4, 3)).output(x)
    with pytest.raises(ShapeError, match="do not join"):
        add(seq(), Conv2d(symbols("c"), 1)).output(x)
    assert isinstance(concat(half), Concat)

"""Dimensions: the helpers agree with Python's own arithmetic on all three kinds of number."""

import math
from typing import Any

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st

from costlab.algebra import (
    BatchNorm2d,
    Block,
    Concat,
    Conv2d,
    MaxPool2d,
    PReLU,
    ReLU,
    Shape,
    add,
    concat,
    seq,
    symbols,
)
from costlab.algebra.dim import as_dim, at_least, divides, equal, minimum, product, quotient, total
from costlab.counting.count import count
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
    batches: Any = count(Conv2d(as_dim("n", widths), 3), (2**10, 512, 512), batch=2**30).multiply_adds
    assert int(batches[0]) == 2**10 * 9 * 2**20 * 510 * 510 * 2**30


def test_parameters_past_int64_are_exact() -> None:
    doubled = seq(*[concat(seq(), seq())] * 32, BatchNorm2d(), PReLU(per_channel=True))
    parameters: Any = count(doubled, (as_dim("n", np.array([2**30])), 1, 1)).parameters
    assert int(parameters[0]) == 3 * 2**62


def test_sizes_of_a_count_cannot_be_changed_in_place() -> None:
    result = count(Conv2d(4, 3), (3, np.array([8, 9]), 8))
    flops: Any = result.multiply_adds
    with pytest.raises(ValueError, match="read-only"):
        flops *= 2


def test_no_window_wraps_beside_an_array() -> None:
    large = 2**31 - 1
    height = np.array([large, 5])
    padded: Any = Conv2d(3, large, padding=large, dilation=1).output(Shape(3, as_dim("h", height), 5))
    assert padded[1].tolist() == [h + 2 * large - (large - 1) for h in (large, 5)]
    with pytest.raises(ShapeError, match="does not fit height"):
        count(Conv2d(3, np.array([5]), dilation=large), (3, 5, 5))
    with pytest.raises(DefinitionError, match=r"dilation=.* must be below 2\*\*31"):
        Conv2d(3, np.array([5]), dilation=2**62)


@pytest.mark.parametrize(
    ("block", "x", "batch"),
    [
        (Conv2d(np.array([4, 8]), 3), (symbols("c"), symbols("h"), 5), 1),
        (Conv2d(4, 3, stride=symbols("s")), (3, np.array([8, 9]), 8), 1),
        (MaxPool2d(symbols("n"), padding=1), (3, np.array([8, 9]), 8), 1),
        (seq(Conv2d(4, 3)), (3, np.array([8, 9]), 8), symbols("b")),
    ],
)
def test_arrays_and_symbols_do_not_go_together(block: Block, x: Any, batch: Any) -> None:
    with pytest.raises(DefinitionError, match="arrays and symbols do not go together"):
        count(block, x, batch=batch)


@pytest.mark.parametrize(
    ("block", "x", "batch"),
    [
        (add(Conv2d(np.array([4, 8]), 1), Conv2d(np.array([4, 8, 16]), 1)), (3, 8, 8), 1),
        (Conv2d(np.array([4, 8]), 1), (np.array([1, 2, 3]), 8, 8), 1),
        (ReLU(), (3, np.array([1, 2, 3]), np.array([1, 2])), 1),
        (ReLU(), (3, np.array([1, 2, 3]), 4), np.array([1, 2])),
    ],
)
def test_arrays_that_do_not_broadcast_are_named(block: Block, x: Any, batch: Any) -> None:
    with pytest.raises(DefinitionError, match=r"arrays of shapes \(.*\) do not broadcast"):
        count(block, x, batch=batch)


@pytest.mark.parametrize("other", [np.array([4, 8, 16]), symbols("c")], ids=["array", "symbol"])
def test_branches_that_clash_only_in_the_sum_are_told(other: Any) -> None:
    block = concat(
        a=seq(Conv2d(np.array([4, 8]), 1), Conv2d(8, 1)),
        b=seq(Conv2d(other, 1), Conv2d(8, 1)),
    )
    with pytest.raises(DefinitionError, match=r"do not broadcast|do not go together"):
        count(block, (3, 8, 8)).total  # noqa: B018  # that reading it raises is what is tested


def test_a_dilation_in_an_array_that_does_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"kernel=3x3 dilation=\[ ?2 +9\]x\[ ?2 +9\] does not fit height=5"):
        Conv2d(2, 3, dilation=np.array([2, 9])).output(Shape(3, 5, 5))


def test_small_dtypes_do_not_wrap() -> None:
    channels: Any = count(
        Conv2d(as_dim("n", np.array([100, 120], dtype=np.int8)), 3), (100, 9, 9)
    ).multiply_adds
    assert channels.tolist() == [100 * 9 * 49 * 100, 100 * 9 * 49 * 120]


def test_verdicts_are_three_valued() -> None:
    h, w = symbols("h w")
    assert equal(h * (h + 1), h**2 + h) is True
    assert equal((h**2 - 1) / (h + 1), h - 1) is True
    assert at_least(h * (h + 1), h**2) is True
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
    smaller: Any = minimum(x, b)
    assert smaller.subs(x, a) == min(a, b)
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
        (np.array([2**31]), "must be below 2**31"),
        (2**31, "n=2147483648 must be below 2**31"),
        (2**100, "n=about 2**100 must be below 2**31"),
        (-(2**100), "n=about -2**100 must be at least 1"),
        (np.uint64(2**63), "must be below 2**31"),
        (torch.tensor(3), "n=tensor(3) must be a whole number"),
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
    with pytest.raises(ShapeError, match="branches cannot be proved to join: 0 gives 8xhxw, 1 gives cxhxw"):
        add(seq(), Conv2d(symbols("c"), 1)).output(x)
    assert isinstance(concat(half), Concat)

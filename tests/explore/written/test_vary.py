"""Axes as they are typed, and as they are given in Python: every value, and what is refused."""

import itertools
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costlab.algebra import Block, Conv2d, Dim, Ratio, block, seq
from costlab.errors import DefinitionError
from costlab.explore.written.axis import Axis
from costlab.explore.written.vary import axes_of, read_vary


@block(input="3x8x8")
def sample(  # type: ignore[no-untyped-def]  # the type of one is inferred
    width: Ratio = 1.0,
    n: Dim = 3,
    form: Literal["5x5", "3x3+3x3"] = "5x5",
    stride: Literal[1, 2] = 1,
    odd: Literal[True, "a,b", "c:d", None] = True,  # noqa: PYI061  # a form that people write
    deep: bool = False,
    bias: bool | None = None,
    between: Dim | None = None,
    repeats: int = 1,
    rate: float = 0.5,
    name: str = "x",
    layers: tuple[int, ...] = (1, 2),
    guessed=7,
) -> Block:
    """A block whose parameters are of every type."""
    return seq(Conv2d(n, 1))


def axis(text: str) -> Axis:
    (read,) = read_vary([text], sample)
    return read


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("n=3,5,7", (3, 5, 7)),
        ("n = 3 , 5", (3, 5)),
        ("repeats=1:8", (1, 2, 3, 4, 5, 6, 7, 8)),
        ("guessed=2:9:3", (2, 5, 8)),
        ("n=1:3,5,8:10", (1, 2, 3, 5, 8, 9, 10)),
        ("input=139:331:96", (139, 235, 331)),
        ("input=139:330:96", (139, 235)),
        ("width=.5:1:.25,2", (0.5, 0.75, 1.0, 2.0)),
        ("rate=0:1e-1:5e-2", (0.0, 0.05, 0.1)),
        ("rate=-1:1:1", (-1.0, 0.0, 1.0)),
        ("deep=true,false", (True, False)),
        ("deep=*", (True, False)),
        ("deep", (True, False)),
        ("bias", (True, False, None)),
        ("form", ("5x5", "3x3+3x3")),
        ("form=3x3+3x3", ("3x3+3x3",)),
        ("stride", (1, 2)),
        ("odd", (True, "a,b", "c:d", None)),
        ("odd=true,none,c:d", (True, None, "c:d")),
        ("odd=a,b", ("a,b",)),
        ("between=none,64,128:130", (None, 64, 128, 129, 130)),
        ("guessed=none,3", (None, 3)),
        ("name=a:b,c", ("a:b", "c")),
        ("layers=(1,2),[3,4,5],(6,)", ((1, 2), (3, 4, 5), (6,))),
        ("n=7:7", (7,)),
    ],
)
def test_what_is_typed_is_an_axis(text: str, values: tuple[Any, ...]) -> None:
    read = axis(text)
    assert repr(read.values) == repr(values)  # where 1, 1.0 and True differ
    for index, value in enumerate(values):
        if read.name != "input":
            back = sample.read(f"{read.name}={read.text(index)}")[read.name]
            assert repr(back) == repr(value)


@given(st.integers(1, 400), st.integers(1, 90), st.integers(1, 60), st.integers(0, 4))
def test_a_range_is_of_the_decimals_that_are_typed(start: int, step: int, count: int, digits: int) -> None:
    def typed(number: int) -> str:
        return str(Decimal(number).scaleb(-digits))

    numbers = [start + i * step for i in range(count)]
    for beyond in (0, step - 1):
        read = axis(f"width={typed(start)}:{typed(numbers[-1] + beyond)}:{typed(step)}")
        assert read.values == tuple(float(typed(number)) for number in numbers)
        assert [read.exact(i) for i in range(count)] == [Fraction(typed(number)) for number in numbers]
        assert [Decimal(read.text(i)) for i in range(count)] == [Decimal(typed(number)) for number in numbers]


def test_a_range_prints_as_it_is_typed() -> None:
    read = axis("width=0.25:2:0.01")
    assert len(read.values) == 176
    assert [read.text(i) for i in (0, 1, 4, 75, 175)] == ["0.25", "0.26", "0.29", "1.0", "2.0"]


def test_values_are_exactly_what_is_written() -> None:
    several = Axis("x", (0.1, 7, 1e-05, True, None, "5x5", (0.1, "a")))
    exact = [several.exact(i) for i in range(7)]
    assert exact == [Fraction(1, 10), 7, Fraction(1, 100_000), True, None, "5x5", (Fraction(1, 10), "a")]
    texts = [several.text(i) for i in range(7)]
    assert texts == ["0.1", "7", "1e-05", "true", "none", "5x5", "(0.1,'a')"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "'': give a parameter with its values"),
        ("=3", "give a parameter"),
        ("n=", "a value is missing"),
        ("n=3,,5", "a value is missing"),
        ("n=3,5,", "a value is missing"),
        ("n", "say which values, such as n=1,2,3"),
        ("width", "say which values, such as width=0.5,1,2"),
        ("layers", "say which values"),
        ("input", "say which values"),
        ("width=2:1:.1", "goes down"),
        ("width=1:2", "needs a step"),
        ("width=1:2:0", "the step 0 must be above 0"),
        ("width=1:2:-1", "the step -1 must be above 0"),
        ("width=0:1:0.5", "must be a positive number"),
        ("width=nan", "nan"),
        ("width=1e999", "inf"),
        ("rate=inf", "inf"),
        ("rate=0:nan:1", "'nan' must be a number"),
        ("width=1e999:2e999:1e999", "beyond what can be varied"),
        ("width=1:1e999:1", "more than 1,000,000 values"),
        ("width=1:2:1e-999999999", "must be a number"),
        ("width=1:1.0000000000000001:1e-17", "1.0 is there twice"),
        ("width=0.5,0.50", "0.5 is there twice"),
        ("n=1:2000000", "more than 1,000,000 values"),
        ("n=1:900000,1000000:2000000", "more than 1,000,000 values"),
        ("n=3,1:4", "3 is there twice"),
        ("n=a:3", "'a' must be a whole number"),
        ("n=1:3:0.5", "'0.5' must be a whole number"),
        ("n=1:2:3:4", "must be START:STOP:STEP"),
        ("n=1:", "a number is missing"),
        ("n=0:3", "n=0 must be at least 1"),
        ("n=1.5", "n=1.5 must be a whole number"),
        ("n=" + "9" * 5000, "must be a whole number"),
        ("n=" + "(" * 9000, "must be a whole number"),
        ("guessed=" + "9" * 30, "too large"),
        ("input=3x299x299", "must be a whole number"),
        ("input=0", "must be at least 1"),
        ("form=1:3", "a range is for numbers, and form is 5x5 or 3x3+3x3"),
        ("form=3x3", "must be 5x5 or 3x3+3x3"),
        ("deep=1:2", "a range is for numbers"),
        ("deep=yes", "must be true or false"),
        ("layers={1:2}", "a range is for numbers"),
        ("layers={}", "a dict is no number"),
        ("widht=1:2:1", "no parameter 'widht'; did you mean width?"),
        ("inputs=3", "did you mean input?"),
        ("wi\x1b[31mdth=1", "no parameter"),
    ],
)
def test_what_is_no_axis_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        read_vary([text], sample)
    message = str(refused.value)
    assert reason in message
    assert message.startswith(f"--vary {text[:2]}")
    assert message.isprintable()
    assert len(message) < 300


def test_an_axis_is_varied_once_and_not_set() -> None:
    with pytest.raises(DefinitionError, match=r"^--vary n=5: n is varied twice"):
        read_vary(["n=3", "width=1", "n=5"], sample)
    with pytest.raises(DefinitionError, match=r"^--vary n=5: n=7 is set already"):
        read_vary(["n=5"], sample, {"n": 7})
    assert [each.name for each in read_vary(["n=3", "width=1", "input=9"], sample)] == ["n", "width", "input"]


def test_values_of_python_and_numpy_are_made_plain() -> None:
    given_in_python = {
        "width": np.arange(1, 9) / 4,
        "n": np.array([3, 5], dtype=np.int16),
        "input": range(139, 142),
        "deep": [np.True_, False],
        "form": ("5x5", np.str_("3x3+3x3")),
        "between": [None, np.int64(64)],
        "layers": [[1, 2], (3,)],
        "repeats": "1:3",
        "bias": "*",
        "rate": [1, 0.5],
    }
    values = [each.values for each in axes_of(given_in_python, sample)]
    expected = [
        (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0),
        (3, 5),
        (139, 140, 141),
        (True, False),
        ("5x5", "3x3+3x3"),
        (None, 64),
        ((1, 2), (3,)),
        (1, 2, 3),
        (True, False, None),
        (1.0, 0.5),
    ]
    assert repr(values) == repr(expected)


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("width", [], "there are no values"),
        ("width", 0.5, "0.5 must be a list of values"),
        ("width", {0.5: 1}, "must be a list"),
        ("width", np.ones((2, 2)), "one dimension"),
        ("width", [1, 1.0], "1.0 is there twice"),
        ("width", [True], "must be a number"),
        ("width", [10**400], "too large"),
        ("rate", [float("nan")], "nan"),
        ("n", itertools.count(1), "more than 1,000,000 values"),
        ("n", [3.0], "must be a whole number"),
        ("n", [object()], "an object is no number"),
        ("n", [np.array([3, 4])], "not one value"),
        ("deep", [1], "must be true or false"),
        ("stride", [True], "must be 1 or 2"),
        ("form", ["7x7"], "must be 5x5"),
        ("name", ["a,n=3"], "no value that can be typed"),
        ("name", [" a"], "no value that can be typed"),
        ("between", "none,none", "none is there twice"),
        ("nn", [1], "no parameter 'nn'"),
    ],
)
def test_what_is_no_axis_is_refused_in_python(name: str, values: Any, reason: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        axes_of({name: values}, sample, where="here: ")
    assert str(refused.value).startswith(f"here: {name}: ")
    assert reason in str(refused.value)

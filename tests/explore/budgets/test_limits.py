"""Limits as people write them: exactly those numbers, and whatever is none of them refused by name."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costlab.errors import DefinitionError
from costlab.explore.budgets.limits import as_increase, as_limit, refuse_useless


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("6e9", 6_000_000_000),
        ("6_000_000_000", 6_000_000_000),
        ("6G", 6_000_000_000),
        ("25M", 25_000_000),
        ("25.6 M", 25_600_000),
        ("0", 0),
        ("5,713,216,096", 5_713_216_096),
        ("12345678901234567890123", 12_345_678_901_234_567_890_123),
        ("1.2345678901234567890123e22", 12_345_678_901_234_567_890_123),
        (Decimal("6E+9"), 6_000_000_000),
        (6e9, 6_000_000_000),
        (7, 7),
    ],
)
def test_a_limit_is_exactly_the_number_that_is_written(written: object, meant: int) -> None:
    assert as_limit("x", written) == meant
    assert type(as_limit("x", written)) is int


@given(st.integers(0, 10**60), st.sampled_from(["{}", "{:,}", "{:_}", " {} ", "{}e0", "{}.0"]))
def test_any_whole_number_is_kept_to_the_last_digit(number: int, form: str) -> None:
    assert as_limit("x", form.format(number)) == number


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            " ",
            "six",
            "6e",
            "e9",
            "6e9x",
            "6 G G",
            "0x10",
            "6e999",
            "1__0",
            "1,00",
            "6.5",
            "1e-3",
            "nan",
            "inf",
        ),
        *("-1", "-6e9", "1e99P", "9" * 5000, "\x1b[31m6", "٣", "6%", "6\n7"),
        *(
            -1,
            10**100,
            1 << 14_000,
            True,
            None,
            6.5,
            float("nan"),
            float("inf"),
            1e300,
            2**53 + 2.0,
            2.0**53,
            [6],
            b"6",
        ),
        *(
            Decimal("NaN"),
            Decimal("Infinity"),
            Decimal("1e999999999"),
            Decimal(-1),
            Decimal("0.5"),
            Fraction(1, 2),
        ),
    ],
)
def test_what_is_no_limit_is_refused_by_its_name(written: object) -> None:
    with pytest.raises(DefinitionError) as refused:
        as_limit("--max-weights", written)
    message = str(refused.value)
    assert message.startswith("--max-weights: ")
    assert message.isprintable()
    assert len(message) < 200


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1%", Fraction(1, 100)),
        ("0%", Fraction(0)),
        ("0.1%", Fraction(1, 1000)),
        (" 33.333333333333 % ", Fraction(33_333_333_333_333, 10**14)),
        ("150%", Fraction(3, 2)),
        (Fraction(1, 3), Fraction(1, 3)),
    ],
)
def test_an_increase_is_exactly_the_share_that_is_written(written: object, meant: Fraction) -> None:
    assert as_increase("x", written) == meant


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            "%",
            "1",
            "0.01",
            "-1%",
            "1%%",
            "%1",
            "1e2%",
            "nan%",
            "1,5%",
            ".5%",
            "1.%",
            "٣%",
            "9" * 5000 + "%",
            "1 %x",
        ),
        *(1, 0, 0.01, True, None, Decimal("0.01"), Fraction(-1, 100), ["1%"]),
    ],
)
def test_what_is_no_increase_is_refused_by_its_name(written: object) -> None:
    with pytest.raises(
        DefinitionError, match=r"^--max-increase: .* is no percentage of at least 0, such as 1%"
    ):
        as_increase("--max-increase", written)


@pytest.mark.parametrize(
    ("most", "against", "increase", "convention", "message"),
    [
        ({}, None, None, "multiply_adds", "there is no limit: give max_multiply_adds"),
        ({}, "x", None, "multiply_adds", "against needs max_increase"),
        ({"weights": 3}, "x", None, "multiply_adds", "against needs max_increase"),
        ({}, None, Fraction(0), "multiply_adds", "max_increase needs against"),
        ({"weights": 3}, None, Fraction(1), "multiply_adds", "max_increase needs against"),
        ({"cost": 3}, None, None, "multiply_adds", "max_cost needs convention"),
    ],
)
def test_limits_that_hold_nothing_are_refused(
    most: dict[str, int], against: str | None, increase: Fraction | None, convention: str, message: str
) -> None:
    with pytest.raises(DefinitionError, match=f"^{message}"):
        refuse_useless(most, against, increase, convention, str)


def test_limits_that_hold_something_are_not() -> None:
    refuse_useless({"weights": 0}, None, None, "multiply_adds", str)
    refuse_useless({}, "x", Fraction(0), "multiply_adds", str)
    refuse_useless({"cost": 1}, None, None, "fvcore", str)

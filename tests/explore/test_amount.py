"""Amounts as people type them: exactly the number, or one line that says what is wrong."""

from fractions import Fraction

import pytest

from costlab.errors import DefinitionError
from costlab.explore.amount import amount, amount_of_bytes

BILLIONS = 5_000_000_000


@pytest.mark.parametrize(
    "text",
    ["5000000000", "5_000_000_000", "5,000,000,000", "5e9", "5E9", "5.0e9", "5e+9", "50e8", "5G", "5 g", "5B",
     " 5.00 G ", "5000M", "5_000 m", "0.005T", ".005T", "5.e9", "5e6k", "0.000005P"],
)  # fmt: skip
def test_one_number_is_typed_in_many_ways(text: str) -> None:
    found = amount(text, "--to")
    assert found == BILLIONS
    assert type(found) is int


def test_it_is_exact_beyond_what_floats_hold() -> None:
    assert amount("9007199254740993", "--to") == 9007199254740993  # 2**53 + 1
    assert amount("1e30", "--to") == 10**30
    assert amount("0.1", "--to", least=0) == Fraction(1, 10)
    assert amount("2.5", "--to") == Fraction(5, 2)
    assert amount("15e-1", "--to") == Fraction(3, 2)
    assert amount("0", "--to", least=0) == 0


@pytest.mark.parametrize(
    "text",
    ["", " ", "x", "5x", "e9", ".", "1e", "1e9999", "1e999999999", "5__0", "_5", "5_", "5,00", "1.000,5",
     "nan", "inf", "1e9e9", "0x10", "5 GG", "5%", "\u0665", "1" * 200, "5\n6", "--5", "+5", "1_000,000"],
)  # fmt: skip
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError, match=r"^--to: .* is no number, such as 5e9, 5_000_000_000 or 5G$"):
        amount(text, "--to")


@pytest.mark.parametrize("text", ["1e100", "1e999", "1e85P", "9" * 98 + "k"])
def test_what_is_too_large_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError, match=r"^--to: .* must be below 1e100$"):
        amount(text, "--to")


@pytest.mark.parametrize("text", ["0", "0e9", "-1", "-5e9", "0.5", "1e-9", "-0"])
def test_what_is_too_small_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError, match=rf"^--to: '{text}' must be at least 1$"):
        amount(text, "--to")


@pytest.mark.parametrize(
    ("text", "many"),
    [("16GiB", 2**34), ("16 gib", 2**34), ("16GB", 16 * 10**9), ("16e9", 16 * 10**9), ("500MiB", 500 * 2**20),
     ("1_024 KiB", 2**20), ("1.5GiB", 3 * 2**29), ("7B", 7), ("1,000", 1000), ("2TiB", 2**41),
     ("1PB", 10**15), ("0.1KiB", Fraction(512, 5)), ("2e3kB", 2_000_000)],
)  # fmt: skip
def test_bytes_have_units_of_their_own(text: str, many: float) -> None:
    assert amount_of_bytes(text, "--max-peak-memory") == many


@pytest.mark.parametrize(
    "text", ["16G", "16Gi", "16GiBs", "GiB", "", "16 G B", "16bytes", "1e9e9", "16KKB", "k"]
)
def test_what_is_no_number_of_bytes_is_refused(text: str) -> None:
    with pytest.raises(
        DefinitionError, match=r"^--x: .* is no number of bytes, such as 16e9, 16GB \(16e9\) or"
    ):
        amount_of_bytes(text, "--x")


@pytest.mark.parametrize(
    ("text", "why"), [("-1GiB", "at least 1"), ("0MB", "at least 1"), ("1e99GB", "1e100")]
)
def test_bytes_have_bounds(text: str, why: str) -> None:
    with pytest.raises(DefinitionError, match=why):
        amount_of_bytes(text, "--x")

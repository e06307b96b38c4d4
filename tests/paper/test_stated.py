"""Verdicts are arithmetic: rounding against `decimal`, tolerances and bounds by hand."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from costlab.paper.stated import (
    BILLION,
    MILLION,
    NUMBER,
    PERCENT,
    TIMES,
    Bound,
    Exactly,
    Formula,
    Printed,
    Stated,
    Trained,
    Verdict,
)

F = Fraction
TENTH = F(1, 10)


@pytest.mark.parametrize(
    ("stated", "value", "verdict"),
    [
        (Printed("", "2.78", TIMES), F(25, 9), "exact"),
        (Printed("", "2.77", TIMES), F(25, 9), "differs"),
        (Printed("", "28", PERCENT), F(7, 25), "exact"),
        (Printed("", "28", PERCENT), F(285, 1000), "differs"),  # halves go up: 28.5% is 29%
        (Printed("", "29", PERCENT), F(285, 1000), "exact"),
        (Printed("", "5", BILLION), 5_499_999_999, "exact"),
        (Printed("", "5", BILLION), 5_500_000_000, "differs"),
        (Printed("", "5", BILLION, within=TENTH), 5_500_000_000, "close"),
        (Printed("", "5", BILLION, within=TENTH), 5_500_000_001, "differs"),
        (Printed("", "5", BILLION, within=TENTH), 4_500_000_000, "exact"),
        (Printed("", "5", BILLION, within=TENTH), 4_499_999_999, "differs"),
        (Printed("", "2.0", BILLION), 2_032_600_064, "exact"),
        (Printed("", "2.0", BILLION), 2_050_000_000, "differs"),
        (Printed("", "60", MILLION), 60_965_224, "differs"),
        (Printed("", "60", MILLION, within=TENTH), 60_965_224, "close"),
        (Exactly("", "4", TIMES), F(4), "exact"),
        (Exactly("", "4", TIMES), F(399, 100), "differs"),
        (Exactly("", "4", TIMES, within=TENTH), F(399, 100), "close"),
        (Exactly("", "4", TIMES, within=TENTH), F(359, 100), "differs"),
        (Bound("", "25", MILLION, relation="<"), 24_999_999, "holds"),
        (Bound("", "25", MILLION, relation="<"), 25_000_000, "differs"),
        (Bound("", "25", MILLION, relation="<="), 25_000_000, "holds"),
        (Bound("", "25", MILLION, relation="<="), 25_000_001, "differs"),
        (Bound("", "25", PERCENT, relation=">"), F(1, 4), "differs"),
        (Bound("", "25", PERCENT, relation=">"), F(26, 100), "holds"),
        (Bound("", "5", TIMES, relation=">="), F(5), "holds"),
        (Bound("", "5", TIMES, relation=">="), F(499, 100), "differs"),
        (Trained("", "77.2%", "a study"), None, "not countable"),
    ],
)
def test_verdicts_by_hand(stated: Stated, value: Fraction, verdict: str) -> None:
    assert stated.verdict(value) == Verdict(verdict)


@given(
    number=st.decimals(min_value=0, max_value=1000, places=4),
    places=st.integers(min_value=0, max_value=3),
    unit=st.sampled_from([NUMBER, PERCENT, TIMES, MILLION, BILLION]),
)
def test_a_number_is_exact_for_just_the_digits_that_it_rounds_to(
    number: Decimal, places: int, unit: object
) -> None:
    assert isinstance(unit, tuple)
    last = Decimal(1).scaleb(-places)
    digits = number.quantize(last, rounding=ROUND_HALF_UP)
    value = Fraction(number) * unit[1]
    for near in (digits - last, digits, digits + last):
        if near > 0:
            exact = Printed("", str(near), unit).verdict(value) is Verdict.EXACT  # type: ignore[arg-type]  # a sampled unit
            assert exact == (near == digits)


@given(value=st.fractions(min_value=0, max_value=100), within=st.fractions(min_value=0, max_value=1))
def test_close_is_just_within_the_tolerance_and_never_verified(value: Fraction, within: Fraction) -> None:
    verdict = Exactly("", "10", within=within).verdict(value)
    near = 10 * (1 - within) <= value <= 10 * (1 + within)
    assert verdict is (Verdict.EXACT if value == 10 else Verdict.CLOSE if near else Verdict.DIFFERS)
    assert verdict.verified == (value == 10)


@pytest.mark.parametrize(
    ("formula", "value", "verdict"),
    [
        ("2*d**2*k**2", "2*k**2*d**2", "exact"),
        ("2*(d/2)**2*k**2", "d**2*k**2/2", "exact"),
        ("2*d**2*k**2", "d**2*k**2/2", "differs"),
        ("2*d**2*k**2", "2*d**2*k", "differs"),
        ("9*(1 + alpha)/(25*sqrt(alpha))", "9*sqrt(alpha)/25 + 9/(25*sqrt(alpha))", "exact"),
        ("1 - 2/n", "(n - 2)/n", "exact"),
        ("1 - 2/n", "1 - 3/n", "differs"),
    ],
)
def test_formulas(formula: str, value: str, verdict: str) -> None:
    names = {name: sympy.Symbol(name, positive=True) for name in ("d", "k", "n", "alpha")}
    assert Formula("", formula).verdict(sympy.sympify(value, locals=names)) == Verdict(verdict)


def test_deviations_are_by_the_stated_number() -> None:
    assert Printed("", "5", BILLION).deviation(5_713_216_096) == F(5_713_216_096, 5 * 10**9) - 1
    assert Bound("", "25", MILLION).deviation(24_000_000) == F(-1, 25)
    assert Bound("", "0", relation=">").deviation(F(1, 2)) is None
    assert Formula("", "n").deviation(sympy.Symbol("n")) is None
    assert Trained("", "1%", "a study").deviation(None) is None


def test_texts_give_the_digits_and_the_tolerance() -> None:
    assert Printed("", "5", BILLION, within=F(15, 100)).text == "5 billion ±15%"
    assert Printed("", "2.78", TIMES).text == "2.78x"
    assert Exactly("", "4", TIMES, within=F(1, 20)).text == "4x ±5%"
    assert Bound("", "25", MILLION, relation="<").text == "< 25 million"
    assert Bound("", "2", TIMES, relation=">", words="much").text == "much: > 2x"
    assert Formula("", "1 - 2/n").text == "1 - 2/n"
    assert Trained("", "0.2 points", "a study").text == "0.2 points"


def test_verdicts_are_ranked_from_the_strongest_to_the_weakest() -> None:
    ranked = sorted(Verdict, key=lambda verdict: verdict.rank)
    assert [str(verdict) for verdict in ranked] == ["exact", "holds", "close", "not countable", "differs"]
    assert [verdict.verified for verdict in ranked] == [True, True, False, False, False]

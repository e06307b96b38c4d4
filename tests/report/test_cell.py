"""Cells: ratios and percents that are exact where that is short, and LaTeX that says the same."""

from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from costlab.report.cell import (
    Column,
    Kind,
    duration,
    escaped,
    in_percent,
    latex_of,
    ratio,
    saving,
    stated_percent,
    times,
)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0"),
        (1e-12, "0.00 ns"),
        (9.6479e-6, "9.65 us"),
        (9.996e-6, "10.0 us"),
        (99.96e-6, "100 us"),
        (999.4e-6, "999 us"),
        (999.6e-6, "1.00 ms"),
        (0.107, "107 ms"),
        (1.0, "1.00 s"),
        (4321.0, "4,321 s"),
    ],
)
def test_durations(seconds: float, shown: str) -> None:
    assert duration(seconds) == Column("seconds", "seconds", "seconds").show(seconds) == shown


@pytest.mark.parametrize(
    ("value", "both", "fraction", "decimal"),
    [
        (Fraction(1), "1", "1", "1"),
        (Fraction(0), "0", "0", "0"),
        (Fraction(18, 25), "18/25 (0.72)", "18/25", "0.72"),
        (Fraction(25, 9), "25/9 (2.778)", "25/9", "2.778"),
        (Fraction(-16, 9), "-16/9 (-1.778)", "-16/9", "-1.778"),
        (Fraction(24699029, 25505429), "24699029/25505429 (0.9684)", "24699029/25505429", "0.9684"),
    ],
)
def test_ratios(value: Fraction, both: str, fraction: str, decimal: str) -> None:
    assert ratio(value) == both
    assert ratio(value, "fraction") == fraction
    assert ratio(value, "decimal") == decimal


@pytest.mark.parametrize(
    ("value", "alone", "fraction"),
    [
        (Fraction(7, 25), "28%", ""),
        (Fraction(1, 3), "33.33%", " (1/3)"),
        (Fraction(1, 9), "11.11%", " (1/9)"),
        (Fraction(5, 7), "71.43%", " (5/7)"),
        (Fraction(7, 8), "87.5%", ""),
        (Fraction(-16, 9), "-177.78%", " (-16/9)"),
        (Fraction(-1, 300), "-0.33%", " (-1/300)"),
        (Fraction(0), "0%", ""),
        (Fraction(-3), "-300%", ""),
        (Fraction(1511, 1600), "94.44%", " (1511/1600)"),
        (Fraction(1, 400), "0.25%", ""),
        (Fraction(806400, 25505429), "3.16%", ""),
    ],
)
def test_percents(value: Fraction, alone: str, fraction: str) -> None:
    assert in_percent(value) == alone
    assert stated_percent(value) == alone + fraction


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction(1), "1.000x"),
        (Fraction(18, 25), "0.720x"),
        (Fraction(25, 9), "2.778x"),
        (Fraction(1387, 100), "13.87x"),
        (Fraction(1, 10), "0.100x"),
        (Fraction(5, 68), "0.0735x"),
        (Fraction(1, 2196), "0.000455x"),
        (Fraction(2195811, 1000), "2196x"),
        (Fraction(0), "0.000x"),
    ],
)
def test_ratios_in_decimals(value: Fraction, shown: str) -> None:
    assert times(value) == shown
    assert Column("key", "title", "times").show(value, "decimal") == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction(7, 25), "28.00%"),
        (Fraction(1, 3), "33.33%"),
        (Fraction(-16, 9), "-177.78%"),
        (Fraction(0), "0.00%"),
        (Fraction(-219481126, 100000), "-219481%"),
    ],
)
def test_savings_in_decimals(value: Fraction, shown: str) -> None:
    assert saving(value) == shown
    assert Column("key", "title", "saving").show(value) == shown


@given(st.fractions(0, 5_000, max_denominator=5_000))
def test_decimals_are_near_what_they_stand_for(value: Fraction) -> None:
    read = Fraction(times(value).removesuffix("x"))
    assert abs(read - value) <= Fraction(5, 1000) * value + Fraction(1, 10**9)
    assert len(times(value)) <= 9


@given(st.fractions(-100, 100, max_denominator=500))
def test_percents_are_what_they_say(value: Fraction) -> None:
    for shown in (saving(value), in_percent(value), stated_percent(value).partition(" ")[0]):
        limit = Fraction(1, 20_000) if abs(value) < 10 else Fraction(1, 200)
        assert abs(Fraction(shown.removesuffix("%")) / 100 - value) <= limit
    whole, _, exact = stated_percent(value).partition(" ")
    assert Fraction(exact.strip("()") or Fraction(whole[:-1]) / 100) == value or len(str(value)) > 9


@pytest.mark.parametrize(
    ("kind", "value", "text", "latex"),
    [
        ("text", "a_b & 5%", "a_b & 5%", r"a\_b \& 5\%"),
        ("name", "multiply_adds", "multiply-adds", "multiply-adds"),
        ("size", 1234567, "1,234,567", "1,234,567"),
        ("change", 1234, "+1,234", "+1,234"),
        ("change", -1234, "-1,234", "-1,234"),
        ("change", 0, "0", "0"),
        ("ratio", Fraction(18, 25), "18/25 (0.72)", r"$\frac{18}{25}$"),
        ("ratio", Fraction(2), "2", "$2$"),
        ("saving", Fraction(1, 3), "33.33%", r"33.33\%"),
        ("text", True, "yes", "yes"),
        ("formula", sympy.Integer(3) / 4, "3/4", r"$\frac{3}{4}$"),
        ("text", None, "-", "-"),
        ("ratio", None, "-", "-"),
    ],
)
def test_each_kind_of_cell(kind: Kind, value: Any, text: str, latex: str) -> None:
    column = Column("key", "title", kind, empty="-")
    assert column.show(value) == text
    assert column.latex(value) == latex


def test_names_in_formulas() -> None:
    alpha, width, classes = (sympy.Symbol(name, positive=True) for name in ("alpha", "width", "num_classes"))
    assert latex_of(sympy.factor(9 * (1 + alpha) / (25 * sympy.sqrt(alpha)))) == (
        r"\frac{9 \left(\alpha + 1\right)}{25 \sqrt{\alpha}}"
    )
    assert latex_of(2 * width**2) == r"2 \mathrm{width}^{2}"
    assert latex_of(classes) == r"\mathrm{num\_classes}"
    assert latex_of(sympy.Symbol("C") ** 2) == "C^{2}"


def test_latex_reads_no_commands_in_text() -> None:
    assert escaped(r"\a{b}~^$#_%&<>|") == (
        r"\textbackslash{}a\{b\}\textasciitilde{}\textasciicircum{}\$\#\_\%\&$<$$>$$|$"
    )


def test_latex_prints_hyphens_and_quotation_marks_as_they_are_meant() -> None:
    assert escaped('costlab list --columns a-b, "as it is" ("here"), `x`, ±5') == (
        r"costlab list -{}-columns a-b, ``as it is'' (``here''), \`{}x\`{}, $\pm$5"
    )


def test_inequalities_in_latex() -> None:
    assert escaped("x >= 5 > 4 <= 3") == r"x $\geq$ 5 $>$ 4 $\leq$ 3"

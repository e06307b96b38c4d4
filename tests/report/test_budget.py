"""The tables of budgets: for people at any width, and what is said below them."""

from fractions import Fraction
from typing import Any

import pytest

import costlab
from costlab.explore.budget import Outcome
from costlab.report.tables.budget import budget_table, percent, responsible_table, told
from tests.explore.networks import multiply_adds, small

WHOLE = sum(multiply_adds().values())


def outcome(name: str = "small", **limits: Any) -> Outcome:
    return Outcome(name, name, costlab.budget(small, **limits))


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (Fraction(0), "0%"),
        (Fraction(1, 100), "1%"),
        (Fraction(1, 2), "50%"),
        (Fraction(10), "1000%"),
        (Fraction(1, 10**14), "0.000000000001%"),
        (Fraction(1, 300), "1/300"),
    ],
)
def test_a_share_is_shown_with_all_its_digits(share: Fraction, shown: str) -> None:
    assert percent(share) == shown


@pytest.mark.parametrize("width", [40, 60, 80, 100, None])
def test_the_verdict_is_shown_at_any_width(width: int | None) -> None:
    outcomes = [
        outcome("a", max_multiply_adds=WHOLE),
        outcome("b", max_multiply_adds=WHOLE - 1, against=small, max_increase="0%"),
        Outcome("c", "nosuch", None, "there is no such network"),
    ]
    text = budget_table(outcomes, "pyproject.toml").to_text(width)
    lines = text.splitlines()
    assert all(len(line) <= (width or 140) for line in lines)
    assert [line.split()[-1] for line in lines if line.endswith(("over", "within"))] == [
        *("within", "over", "within", "within", "within")
    ]
    assert "c: not counted: there is no such network" in " ".join(lines)
    modules = responsible_table(outcomes, "pyproject.toml").to_text(width)
    assert all(len(line) <= (width or 140) for line in modules.splitlines())
    assert "head" in modules


def test_what_is_left_out_is_added_up() -> None:
    held = outcome(a=9, b=9, deep=True, max_parameters=1)
    assert held.budget is not None
    parts = held.budget.checks[0].modules
    assert parts is not None
    shown = responsible_table([held], most=1)
    share = parts[0].size / sum(part.size for part in parts)
    assert shown.rows == (
        ("small", "parameters", "maximum", parts[0].path, None, parts[0].size, None, share),
    )
    rest = sum(part.size for part in parts[1:])
    assert shown.notes == (f"parameters, maximum: {len(parts) - 1} more modules with {rest:,} together",)
    assert responsible_table([held], most=None).notes == ()
    grew = outcome(a=9, against=small, max_increase="0.3%")
    note, *_ = responsible_table([grew], most=1).notes
    assert str(note).startswith("multiply-adds, +0.3%: 4 more modules that grew, by ")


def test_what_is_over_is_told_in_a_line_each() -> None:
    assert list(told(outcome(max_multiply_adds=WHOLE))) == []
    (line,) = told(outcome(max_multiply_adds=WHOLE - 1))
    assert line.startswith(
        f"small: multiply-adds {WHOLE:,}, 1 over {WHOLE - 1:,} (maximum): body 13,824; stem 6,912; "
    )
    assert len(list(told(outcome(a=5, against=small, max_increase="0%")))) == 3
    assert list(told(Outcome("c", "nosuch", None, "nothing"))) == []


@costlab.block(input="10", unverified=True)
def unsure() -> costlab.Block:
    """A layer that nobody has held against its source."""
    return costlab.seq(fc=costlab.Linear(3))


def test_what_is_not_verified_bears_its_mark_everywhere() -> None:
    held = Outcome("mine", "unsure", costlab.budget(unsure, max_parameters=32))
    assert list(told(held)) == ["mine (?): parameters 33, 1 over 32 (maximum): fc 33"]
    assert "unsure (?), input 10, batch 1: over budget" in budget_table([held]).to_text()
    assert "mine (?)" in budget_table([held], "pyproject.toml").to_markdown()
    assert '"budget": "mine"' in budget_table([held]).to_json()

"""Budgets in Python: verdicts held against arithmetic by hand, and the modules that are named."""

from fractions import Fraction
from inspect import signature
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import costlab
from costlab.errors import CostlabError, DefinitionError, TargetError
from costlab.explore.budget import Check
from costlab.explore.budgets.limits import COUNTED
from costlab.explore.budgets.responsible import Part
from costlab.explore.running import RUNNING
from tests.explore.networks import BY_HAND, multiply_adds, parameters, small

WIDTHS = st.integers(1, 9)


def by_quantity(budget: costlab.Budget) -> dict[str, Check]:
    return {check.quantity: check for check in budget.checks}


@given(WIDTHS, WIDTHS, st.booleans(), st.sampled_from(list(BY_HAND)), st.integers(-2, 2))
@settings(max_examples=60, deadline=None)
def test_a_maximum_is_held_to_the_last_unit(a: int, b: int, deep: bool, quantity: str, above: int) -> None:
    sizes = {path: size for path, size in BY_HAND[quantity](a, b, deep).items() if size}
    whole = sum(sizes.values())
    limits: dict[str, Any] = {f"max_{quantity}": whole + above}
    held = costlab.budget(small, a=a, b=b, deep=deep, **limits)
    (check,) = held.checks
    assert (check.quantity, check.limit, check.size) == (quantity, whole + above, whole)
    assert (check.headroom, check.over, held.within) == (above, above < 0, above >= 0)
    assert held.over == held.checks * (above < 0)
    assert bool(check.modules) == (above < 0)


@given(WIDTHS, WIDTHS, st.booleans(), st.sampled_from(list(BY_HAND)))
@settings(max_examples=60, deadline=None)
def test_the_largest_modules_add_up_and_none_that_can_be_taken_apart_is_most_of_it(
    a: int, b: int, deep: bool, quantity: str
) -> None:
    sizes = BY_HAND[quantity](a, b, deep)
    whole = sum(sizes.values())
    limits: dict[str, Any] = {f"max_{quantity}": whole - 1}
    (check,) = costlab.budget(small, a=a, b=b, deep=deep, **limits).checks
    assert check.modules
    assert [part.size for part in check.modules] == sorted(
        (part.size for part in check.modules), reverse=True
    )
    assert sum(part.size for part in check.modules) == whole
    for part in check.modules:
        inside = [size for path, size in sizes.items() if f"{path}.".startswith(f"{part.path}.")]
        assert part == Part(part.path, sum(inside))
        assert 2 * part.size <= whole or sum(size > 0 for size in inside) == 1


@given(WIDTHS, WIDTHS, WIDTHS, WIDTHS, st.booleans(), st.integers(0, 300_000))
@settings(max_examples=60, deadline=None)
def test_an_increase_is_held_exactly_with_every_module_that_grew(
    a: int, b: int, c: int, d: int, deep: bool, thousandths: int
) -> None:
    share = Fraction(thousandths, 100_000)
    before: dict[str, Any] = {"a": a, "b": b}
    after: dict[str, Any] = {"a": c, "b": d, "deep": deep}
    held = costlab.budget(
        small, **after, against=costlab.variant(small, **before), max_increase=f"{thousandths / 1000}%"
    )
    checks = by_quantity(held)
    assert list(checks) == list(BY_HAND)
    for quantity, by_hand in BY_HAND.items():
        was, now = by_hand(**before), by_hand(**after)
        check = checks[quantity]
        assert (check.before, check.size, check.increase) == (sum(was.values()), sum(now.values()), share)
        assert check.over == (sum(now.values()) > sum(was.values()) * (1 + share))
        assert check.change == Fraction(sum(now.values()) - sum(was.values()), sum(was.values()))
        grown = {(path, size - was[path]) for path, size in now.items() if size > was[path]}
        assert check.modules is not None
        assert {(part.path, part.increase) for part in check.modules} == (grown if check.over else set())


@pytest.mark.parametrize("quantity", COUNTED)
def test_whatever_is_counted_may_have_a_limit(quantity: str) -> None:
    counted = costlab.count(small, batch=3).under("thop")
    whole = sum(int(row.size(quantity)) for row in counted.rows)
    limits: dict[str, Any] = {f"max_{quantity}": whole, "convention": "thop", "batch": 3}
    assert costlab.budget(small, **limits).within
    (check,) = costlab.budget(small, **limits | {f"max_{quantity}": whole - 1}).checks
    assert (check.over, check.headroom) == (True, -1)
    assert sum(part.size for part in check.modules or ()) == whole


def test_nothing_may_grow_by_one() -> None:
    same = costlab.budget(small, against=small, max_increase="0%")
    assert same.within
    assert [check.limit for check in same.checks] == [check.size for check in same.checks]
    counted = costlab.count(small)
    grew = costlab.budget(small, b=7, against=counted, max_increase=Fraction(0))
    assert not grew.within
    assert costlab.budget(small, against=costlab.count(small, b=7), max_increase="0%").within


class Wrapped(nn.Module):
    """A model in which all is in one module, most of it in one layer."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Conv2d(3, width, 3), nn.Flatten(), nn.Linear(36 * width, 50))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        passed: torch.Tensor = self.model(x)
        return passed


def test_a_model_of_pytorch_is_held_by_its_real_tensors() -> None:
    model = Wrapped()
    real = sum(each.numel() for each in model.parameters())
    assert costlab.budget(model, "3x8x8", max_parameters=real).within
    held = costlab.budget(Wrapped, torch.zeros(2, 3, 8, 8), max_parameters=real - 1, max_multiply_adds=1)
    assert [part.path for part in held.checks[0].modules or ()] == ["model.2", "model.0"]
    assert held.checks[0].size == 2 * (27 * 8 * 36 + 36 * 8 * 50)
    assert held.checks[1].modules == (Part("model.2", 36 * 8 * 50 + 50), Part("model.0", 27 * 8 + 8))
    wider = costlab.budget(Wrapped, "3x8x8", width=9, against=model, max_increase="1%")
    assert [part.path for part in by_quantity(wider)["parameters"].modules or ()] == ["model.2", "model.0"]


def test_a_convention_limits_its_own_cost() -> None:
    plain = sum(multiply_adds().values())
    held = costlab.budget(small, convention="flops", max_cost=2 * plain - 1, max_multiply_adds=plain)
    assert [(check.size, check.over) for check in held.checks] == [(plain, False), (2 * plain, True)]
    parts = {part.path: part.size for part in held.checks[1].modules or ()}
    assert sum(parts.values()) == 2 * plain
    assert parts["stem"] == 2 * multiply_adds()["stem"]
    grew = costlab.budget(small, convention="flops", a=5, against=small, max_increase="1%")
    assert list(by_quantity(grew)) == ["cost", "parameters", "activations"]
    assert by_quantity(grew)["cost"].before == 2 * plain


def test_heads_and_batches_are_held_as_they_are_counted() -> None:
    auxiliary = costlab.budget("inception_v3:aux=true", max_parameters="25M")
    assert (auxiliary.within, auxiliary.checks[0].size) == (False, 27_161_264)
    assert costlab.budget("inception_v3:aux=true", inference=True, max_parameters="25M").within
    assert costlab.budget(small, batch=3, max_multiply_adds=3 * sum(multiply_adds().values())).within
    assert not costlab.budget(small, batch=4, max_multiply_adds=3 * sum(multiply_adds().values())).within
    assert costlab.budget(small, batch=3, against=small, max_increase="0%").within


class Odd(nn.Module):
    """A model with an operation that nobody has a rule for."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = torch.linalg.svdvals(x)
        return values


def test_what_nobody_knows_the_cost_of_is_over_a_strict_budget() -> None:
    assert costlab.budget(Odd(), "1x1x4x4", max_multiply_adds=0).within
    held = costlab.budget(Odd(), "1x1x4x4", max_multiply_adds=0, strict=True)
    assert (held.within, held.checks[1][:3]) == (False, ("not_counted", 0, 1))
    assert costlab.budget(small, max_weights="1M", strict=True).within


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "there is no limit: give max_multiply_adds"),
        ({"max_parameters": -1}, "max_parameters: "),
        ({"max_cost": 3}, "max_cost needs convention"),
        ({"max_increase": "1%"}, "max_increase needs against"),
        ({"against": "stem"}, "against needs max_increase"),
        ({"max_weights": 3, "convention": "nosuch"}, "there is no convention 'nosuch'"),
        ({"max_weights": 3, "nosuch": 1}, "small has no parameter 'nosuch'"),
        ({"against": "nosuch", "max_increase": "1%"}, "there is no definition 'nosuch'"),
        ({"against": 3, "max_increase": "1%"}, "3 is no target"),
        ({"against": "stem", "max_increase": "1%"}, "stem was counted at 1x3x299x299"),
    ],
)
def test_what_cannot_be_held_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(CostlabError) as refused:
        costlab.budget(small, **given)
    assert str(refused.value).startswith(message)


def test_counts_that_were_not_made_alike_are_not_held_against_each_other() -> None:
    for other, told in (
        (costlab.count(small, batch=2), "at 2x3x8x8"),
        (costlab.count(small, (3, 9, 9)), "at 1x3x9x9"),
        (costlab.count(small, backward=True), "in a step of training"),
    ):
        with pytest.raises(TargetError, match=f"small was counted {told}"):
            costlab.budget(small, against=other, max_increase="1%")


def test_symbols_are_no_numbers() -> None:
    with pytest.raises(DefinitionError, match="a budget is for numbers"):
        costlab.budget(small, a=costlab.symbols("a"), max_weights=3)


def test_a_budget_shows_itself() -> None:
    whole = sum(parameters().values())
    held = costlab.budget(small, max_parameters=whole - 1)
    assert repr(held) == (
        f"Budget: small, input 3x8x8, batch 1: over budget\n  parameters {whole:,} of {whole - 1:,}: over"
    )


@pytest.mark.parametrize(
    "running", [{}, {"batch": 4}, {"batch": 4, "train": True, "optimizer": "adam", "average": True}]
)
def test_peak_memory_is_held_to_the_last_byte(running: dict[str, Any]) -> None:
    used = costlab.memory(small, **running)
    (check,) = costlab.budget(small, max_peak_memory=int(used.total), **running).checks
    assert (check.quantity, check.size, check.headroom) == ("peak_memory", used.total, 0)
    over = costlab.budget(small, max_peak_memory=f"{int(used.total) - 1}B", max_parameters="1G", **running)
    assert [each.quantity for each in over.over] == ["peak_memory"]
    parts = {part.path: part.size for part in over.over[0].modules or ()}
    assert sum(parts.values()) == used.total
    at_peak = parts.pop(used.peak.path)
    assert at_peak == (used.peak.live if used.peak.path else used.total)
    assert parts == ({"": used.resident} if used.peak.path else {})
    assert over.memory is not None
    assert over.memory.total == used.total


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"max_parameters": 3, "train": True}, "^train goes with max_peak_memory: it says whose memory$"),
        ({"max_peak_memory": "1GB", "optimizer": "adam"}, "^optimizer goes with train$"),
        ({"max_peak_memory": "1G"}, "^max_peak_memory: '1G' is no number of bytes, such as 16e9, 16GB"),
        ({"max_peak_memory": "0.1KiB"}, "^max_peak_memory: '0.1KiB' is no whole number$"),
        (
            {"max_peak_memory": 1, "train": True, "inference": True},
            "^inference leaves out auxiliary heads, which train runs$",
        ),
        ({"max_peak_memory": 1, "train": True, "optimizer": "x"}, "^optimizer='x' must be one of sgd, rms"),
        ({"max_peak_memory": 1, "dtype": "int8"}, "^dtype='int8' must be one of float32, bfloat16, amp$"),
    ],
)
def test_limits_of_memory_that_cannot_be(options: dict[str, Any], why: str) -> None:
    with pytest.raises(DefinitionError, match=why):
        costlab.budget(small, **options)


def test_the_options_are_those_of_memory() -> None:
    known = signature(costlab.memory).parameters
    assert {name: known[name].default for name in RUNNING} == RUNNING
    assert set(known) == {*RUNNING, "target", "input", "batch", "settings"}

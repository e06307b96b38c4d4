"""Operators over functions: `torch.cond`, loops and scans count what the same code in Python does."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._higher_order_ops import associative_scan, scan, while_loop
from torch._higher_order_ops import map as mapped
from torch.utils.flop_counter import FlopCounterMode

import costlab
from costlab.errors import DependsOnDataError
from tests.sampling import one_in
from tests.tracing import compiler
from tests.tracing.models import Calls

LOOP: Any = while_loop
MAP: Any = mapped


def layers() -> dict[str, Any]:
    return {
        "a": nn.Linear(8, 8),
        "b": nn.Linear(8, 8),
        "wide": nn.Sequential(nn.Linear(8, 32), nn.Linear(32, 8)),
    }


X = torch.zeros(2, 8)
LINEAR, WIDE = 2 * 8 * 8, 2 * 2 * 8 * 32


def pair(
    call: Callable[[Any, Tensor], Any], plain: Callable[[Any, Tensor], Any], x: Tensor = X
) -> tuple[Any, Any, Tensor]:
    return call, plain, x


def steps(m: Any, x: Tensor, number: int) -> Tensor:
    for _ in range(number):
        x = m.a(x)
    return x


def never(m: Any, x: Tensor) -> Any:
    return LOOP(lambda i, v: i < 0, lambda i, v: (i + 1, m.a(v)), (torch.tensor(0), x))[1]


def over_time(m: Any, x: Tensor, axis: int = 0) -> tuple[Tensor, Tensor]:
    state, states = torch.zeros_like(x.select(axis, 0)), []
    for each in x.unbind(axis):
        state = m.a(state) + m.b(each)
        states.append(state)
    return state, torch.stack(states, axis)


def step(m: Any) -> Callable[..., Any]:
    def combine(state: Tensor, each: Tensor) -> tuple[Tensor, Tensor]:
        new = m.a(state) + m.b(each)
        return new, new.clone()

    return combine


def in_two(m: Any) -> Callable[..., Any]:
    def combine(state: dict[str, Tensor], each: tuple[Tensor, Tensor]) -> Any:
        new = m.a(state["h"]) + m.b(each[0]) * each[1]
        return {"h": new, "n": state["n"] + 1}, [new.clone(), new * 2]

    return combine


KNOWN = {
    "cond on a size": pair(
        lambda m, x: torch.cond(torch.tensor(x.shape[0] > 5), m.a, m.wide, (x,)), lambda m, x: m.wide(x)
    ),
    "cond on a buffer": pair(lambda m, x: torch.cond(m.yes, m.a, m.wide, (x,)), lambda m, x: m.a(x)),
    "cond on a number": pair(lambda m, x: torch.cond(x.dim() == 2, m.a, m.wide, (x,)), lambda m, x: m.a(x)),
    "while_loop": pair(
        lambda m, x: LOOP(lambda i, v: i < 4, lambda i, v: (i + 1, m.a(v)), (torch.tensor(0), x)),
        lambda m, x: steps(m, x, 4),
    ),
    "while_loop that never runs": pair(
        lambda m, x: m.b(LOOP(lambda i, v: i < 0, lambda i, v: (i + 1, m.a(v)), (torch.tensor(0), x))[1]),
        lambda m, x: m.b(x),
    ),
    "while_loop over a dictionary": pair(
        lambda m, x: LOOP(
            lambda i, held: i < m.three,
            lambda i, held: (i + 1, {"v": m.a(held["v"])}),
            (torch.tensor(0), {"v": x}),
        ),
        lambda m, x: steps(m, x, 3),
    ),
    "scan": pair(
        lambda m, x: scan(step(m), torch.zeros(2, 8), x),
        over_time,
        torch.zeros(7, 2, 8),
    ),
    "scan of the second axis, backwards": pair(
        lambda m, x: scan(step(m), torch.zeros(7, 8), x, dim=1, reverse=True),
        lambda m, x: over_time(m, x, 1),
        torch.zeros(7, 5, 8),
    ),
    "scan of structures": pair(
        lambda m, x: scan(in_two(m), {"h": torch.zeros(2, 8), "n": torch.zeros(())}, (x, x)),
        over_time,
        torch.zeros(6, 2, 8),
    ),
    "map": pair(
        lambda m, x: MAP(m.wide, x),
        lambda m, x: torch.stack([m.wide(each) for each in x]),
        torch.zeros(5, 3, 8),
    ),
    "map with another argument": pair(
        lambda m, x: MAP(lambda each, w: {"y": each @ w}, x, torch.eye(8))["y"],
        lambda m, x: torch.stack([each @ torch.eye(8) for each in x]),
        torch.zeros(5, 3, 8),
    ),
}


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "step"])
@pytest.mark.parametrize("name", KNOWN)
def test_it_counts_what_the_same_code_in_python_does(name: str, backward: bool) -> None:
    call, plain, x = KNOWN[name]
    held = {**layers(), "yes": nn.Buffer(torch.tensor(True)), "three": nn.Buffer(torch.tensor(3))}
    counted = costlab.count(Calls(call, **held), x, backward=backward)
    with FlopCounterMode(display=False) as counter:
        output = Calls(plain, **held)(x)
        if backward:
            results = [
                each for each in (output if isinstance(output, tuple) else (output,)) if each.requires_grad
            ]
            torch.autograd.backward(results, list(map(torch.ones_like, results)))
    assert 2 * counted.multiply_adds == counter.get_total_flops()
    assert counted.parameters == sum(each.numel() for each in Calls(plain, **held).parameters())
    assert not counted.unsupported


def test_a_scan_of_an_associative_function_counts_the_pairs_that_torch_combines() -> None:
    # Of 8 elements, (0, 1), ..., (6, 7) are combined; of these 4, again; of the last 2, their pair. The
    # others follow from these: none of 2, one of 4, three of 8.
    pairs = 4 + 2 + 1 + 0 + 1 + 3
    model = Calls(lambda m, x: associative_scan(lambda a, b: a @ b, x, 0, combine_mode="generic"))
    assert costlab.count(model, torch.zeros(8, 4, 4)).multiply_adds == pairs * 4**3


def on_data(m: Any, x: Tensor, one: Any, other: Any) -> Any:
    return m.a(torch.cond(x.sum() > 0, one, other, (x,)))


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "step"])
def test_branches_of_one_cost_are_counted_once(backward: bool) -> None:
    held = layers()
    model = Calls(lambda m, x: on_data(m, x, m.a, lambda v: m.b(v) + 1), **held)
    plain = Calls(lambda m, x: m.a(m.b(x)), **layers())
    counted = costlab.count(model, X, backward=backward)
    assert counted.multiply_adds == costlab.count(plain, X, backward=backward).multiply_adds
    assert counted.multiply_adds == (2 + 3 * backward) * LINEAR
    assert not counted.unsupported
    assert counted.held is not None
    assert counted.held.unused == sum(each.numel() for each in held["wide"].parameters())


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "step"])
def test_branches_of_other_costs_are_both_counted_and_named(backward: bool) -> None:
    model = Calls(lambda m, x: on_data(m, x, m.b, m.wide), **layers())
    counted = costlab.count(model, X, backward=backward)
    assert list(counted.unsupported) == ["cond_on_data"]
    forward = LINEAR + WIDE + LINEAR
    # Of what reads the input, which needs no gradient: the weight's alone. Of the others, both.
    back = LINEAR + 3 * WIDE // 2 + 2 * LINEAR
    assert counted.multiply_adds == forward + backward * back
    modules = counted.by_module()
    assert modules["true_branch.b"] == LINEAR
    assert modules["false_branch.wide"] == WIDE


def test_branches_inside_a_module_are_named_below_it() -> None:
    inner = Calls(lambda m, x: torch.cond(x.sum() > 0, m.a, m.wide, (x,)), **layers())
    counted = costlab.count(nn.Sequential(nn.Linear(8, 8), inner), X)
    assert counted.by_module()["1.true_branch.a"] == LINEAR
    assert counted.by_module()["1.false_branch.wide"] == WIDE
    assert counted.unsupported == {"cond_on_data": ("1.cond_on_data",)}
    assert (counted.undecided, counted.without_rule) == (counted.unsupported, {})


def test_branches_in_branches() -> None:
    def inner(m: Any, x: Tensor) -> Any:
        return torch.cond(x.mean() > 0, m.a, m.b, (x,))

    model = Calls(lambda m, x: on_data(m, x, lambda v: inner(m, v), m.b), **layers())
    counted = costlab.count(model, X)
    assert counted.multiply_adds == 2 * LINEAR
    assert not counted.unsupported


def test_branches_that_write_into_what_is_known_leave_no_values() -> None:
    def write(m: Any, x: Tensor) -> Any:
        number = torch.tensor([2])
        torch.cond(x.sum() > 0, lambda n: n.add_(1) * 1.0, lambda n: n.add_(2) * 1.0, (number,))
        return steps(m, x, int(number))

    with pytest.raises(DependsOnDataError):
        costlab.count(Calls(write, **layers()), X)


def test_a_loop_whose_end_is_in_the_data_says_so() -> None:
    model = Calls(lambda m, x: LOOP(lambda v: v.sum() < 4, lambda v: (m.a(v),), (x,)), **layers())
    with pytest.raises(DependsOnDataError, match=r"torch\.while_loop, how often it runs"):
        costlab.count(model, X)


class Exported(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Any:
        with torch.no_grad():
            y = self.b(x)
        return torch.cond(x.sum() > 0, self.a, self.b, (y,))


def test_an_exported_program_counts_as_its_module() -> None:
    program = torch.export.export(Exported(), (X,), strict=True).module()
    assert costlab.count(program, X).multiply_adds == costlab.count(Exported(), X).multiply_adds == 2 * LINEAR


@pytest.mark.parametrize("model", compiler.MODELS)
def test_it_counts_where_torch_has_loaded_its_compiler(model: type[compiler.Plain]) -> None:
    import torch._dynamo  # noqa: F401  # which this very test is about

    compiler.check(model)


@pytest.mark.parametrize("model", one_in(2, reversed(compiler.MODELS)))
def test_it_counts_where_torch_has_not_loaded_its_compiler(model: type[compiler.Plain]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", compiler.__name__, model.__name__],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr

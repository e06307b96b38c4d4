"""Lazy modules count as the modules that they become, and stay as they are."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter, is_lazy

import costlab
from costlab.errors import DefinitionError, TargetError

Made = Callable[[], nn.Module]


def spatial(rank: int) -> list[tuple[str, Made, Made, Tensor]]:
    """Each kind of lazy module for a number of axes, and what it becomes."""
    x = torch.zeros(2, 3, *(7,) * rank)
    found: list[tuple[str, Made, Made, Tensor]] = []
    for name, own in (("Conv", {"dilation": 2}), ("ConvTranspose", {"bias": False})):
        kind = f"{name}{rank}d"
        lazy = partial(getattr(nn, f"Lazy{kind}"), 4, 3, padding=1, **own)
        found.append((kind, lazy, partial(getattr(nn, kind), 3, 4, 3, padding=1, **own), x))
    for name in ("BatchNorm", "InstanceNorm"):
        kind = f"{name}{rank}d"
        lazy = partial(getattr(nn, f"Lazy{kind}"), affine=True, track_running_stats=True)
        found.append((kind, lazy, partial(getattr(nn, kind), 3, affine=True, track_running_stats=True), x))
    return found


class Net(nn.Module):
    """Lazy modules among others, one of them used twice, one of them not at all."""

    def __init__(self, lazy: bool) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3)
        self.body = nn.Sequential(
            nn.LazyConv2d(8, 3) if lazy else nn.Conv2d(6, 8, 3),
            nn.LazyBatchNorm2d() if lazy else nn.BatchNorm2d(8),
            nn.ReLU(),
        )
        self.same = nn.LazyConv2d(8, 1) if lazy else nn.Conv2d(8, 8, 1)
        self.head = nn.LazyLinear(5) if lazy else nn.Linear(8, 5)
        self.steps = nn.Buffer(torch.tensor(2))

    def forward(self, x: Tensor) -> Any:
        x = self.body(self.stem(x))
        for _ in range(int(self.steps)):
            x = self.same(x)
        return self.head(x.mean((2, 3)))


CASES = [
    *(case for rank in (1, 2, 3) for case in spatial(rank)),
    ("Linear", lambda: nn.LazyLinear(6), lambda: nn.Linear(9, 6), torch.zeros(2, 5, 9)),
    ("in others", lambda: Net(True), lambda: Net(False), torch.zeros(2, 3, 9, 9)),
]


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "step"])
@pytest.mark.parametrize(("name", "lazy", "eager", "x"), CASES, ids=[name for name, *_ in CASES])
def test_it_counts_as_what_it_becomes(name: str, lazy: Made, eager: Made, x: Tensor, backward: bool) -> None:
    right = costlab.count(eager(), x, backward=backward)
    model = lazy()
    kinds = [type(each) for each in model.modules()]
    hooks = [dict(each._forward_pre_hooks) for each in model.modules()]
    modes = [each.training for each in model.modules()]
    state, drawn = list(model.state_dict()), torch.get_rng_state()
    for _ in range(2):
        counted = costlab.count(model, x, backward=backward)
        assert counted.held == right.held
        assert [(each.path, each.work) for each in counted.operations] == [
            (each.path, each.work) for each in right.operations
        ]
        assert kinds == [type(each) for each in model.modules()]
        assert hooks == [dict(each._forward_pre_hooks) for each in model.modules()]
        assert modes == [each.training for each in model.modules()]
        assert state == list(model.state_dict())
        assert any(map(is_lazy, model.parameters()))
        assert torch.equal(drawn, torch.get_rng_state())
    model(x)  # it runs as if nothing had been counted
    assert not any(map(is_lazy, model.parameters()))


def test_a_buffer_of_the_model_is_not_written_into() -> None:
    model = nn.Sequential(nn.BatchNorm1d(4), nn.LazyLinear(3))
    before = {name: each.clone() for name, each in model[0].state_dict().items()}
    costlab.count(model, torch.ones(5, 4), backward=True)
    assert all(torch.equal(each, before[name]) for name, each in model[0].state_dict().items())


class Own(nn.Module):
    """A parameter that its own code gives sizes, and one that nothing does."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.never = UninitializedParameter(), UninitializedParameter()

    def forward(self, x: Tensor) -> Any:
        if is_lazy(self.weight):
            self.weight.materialize((x.shape[-1], 5))
        return x @ self.weight


def test_a_parameter_without_sizes_has_no_elements() -> None:
    model = Own()
    counted = costlab.count(model, torch.zeros(2, 3))
    assert (counted.multiply_adds, counted.parameters) == (2 * 3 * 5, 3 * 5)
    assert is_lazy(model.weight)
    assert is_lazy(model.never)


@pytest.mark.parametrize("lazy", [Own, lambda: nn.LazyLinear(5)])
def test_one_that_was_not_reached_is_told_of(lazy: Made) -> None:
    class Chooses(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.after = nn.Linear(3, 3), lazy()

        def forward(self, x: Tensor) -> Any:
            y = self.first(x)
            return self.after(y) if y.sum() > 0 else y

    counted = costlab.count(Chooses(), torch.zeros(2, 3), partial=True)
    assert counted.partial
    assert counted.partial.unsized
    assert counted.partial.reason.endswith("; after has no sizes yet, so that its parameters are not counted")


def test_one_that_fails_says_why() -> None:
    with pytest.raises(TargetError, match=r"^1: .*"):
        costlab.count(nn.Sequential(nn.LazyConv2d(4, 3), nn.Linear(7, 2)), torch.zeros(1, 3, 8, 8))
    with pytest.raises(TargetError, match=r"^0: RuntimeError: "):
        costlab.count(nn.Sequential(nn.LazyConv2d(4, 30)), torch.zeros(1, 3, 8, 8))


def test_one_that_cannot_be_copied_is_told_so() -> None:
    model: Any = nn.Sequential(nn.LazyLinear(3))
    model.lock = threading.Lock()
    with pytest.raises(
        DefinitionError, match=r"^Sequential: it has lazy modules and cannot be copied .*run it once"
    ):
        costlab.count(model, torch.zeros(1, 3))

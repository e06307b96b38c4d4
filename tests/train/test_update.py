"""The update of all parameters at once against torch's optimizers on each."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from costlab.train.recipe import Recipe
from costlab.train.update import Update


class Odd(nn.Module):
    """Parameters of all kinds: transposed, tied, frozen, a single value, one without a gradient at times."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch takes it, its types do not
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.second.weight = self.first.weight
        self.turned = nn.Parameter(torch.randn(3, 4).t())
        self.sometimes, self.never = nn.Linear(4, 3), nn.Linear(4, 3)
        self.frozen = nn.Parameter(torch.randn(4), requires_grad=False)
        self.scale = nn.Parameter(torch.tensor(1.5))

    def forward(self, x: Tensor, also: bool) -> Tensor:
        features = self.second(self.first(self.conv(x).mean((2, 3)))) + self.frozen
        scores: Tensor = self.scale * features @ self.turned
        return scores + self.sometimes(features) if also else scores


def odd() -> Odd:
    torch.manual_seed(3)
    return Odd()


def oracle(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    common: Any = {"lr": recipe.learning_rate, "momentum": 0.9, "weight_decay": recipe.weight_decay}
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(network.parameters(), **common)
    return torch.optim.RMSprop(network.parameters(), alpha=0.9, eps=1.0, **common)


@pytest.mark.parametrize("optimizer", ["rmsprop", "sgd"])
@pytest.mark.parametrize("clip", [0.0, 0.1])
@pytest.mark.parametrize("uses", [(True, True, True), (True, False, True), (False, False, True)])
def test_the_parameters_are_those_of_torch(optimizer: Any, clip: float, uses: tuple[bool, ...]) -> None:
    recipe = Recipe(optimizer=optimizer, clip=clip, weight_decay=0.1, learning_rate=0.001)
    own, plain = odd(), odd()
    update, theirs = Update(own, recipe), oracle(plain, recipe)
    for step, also in enumerate(uses):
        torch.manual_seed(step)
        x = torch.randn(2, 3, 5, 5)
        for network in (own, plain):
            network(x, also).square().sum().backward()
        update.step()
        if clip:
            clip_grad_norm_(plain.parameters(), clip)
        theirs.step()
        theirs.zero_grad()
    assert all(parameter.grad is None for parameter in own.parameters())
    for (name, mine), expected in zip(own.named_parameters(), plain.parameters(), strict=True):
        assert torch.allclose(mine, expected, rtol=1e-5, atol=1e-7), name
        assert mine.stride() == expected.stride()
    assert own.first.weight is own.second.weight
    assert torch.equal(own.never.weight, odd().never.weight)
    assert not torch.equal(own.scale, odd().scale)


def test_small_parameters_are_one_to_the_optimizer_and_odd_types_each_their_own() -> None:
    assert len(Update(odd(), Recipe()).optimizer.param_groups[0]["params"]) == 1
    mixed = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).double())
    assert len(Update(mixed, Recipe()).optimizer.param_groups[0]["params"]) == 4
    shared = nn.Linear(2, 2)
    shared.weight = nn.Parameter(torch.ones(2, 1).expand(2, 2))
    assert len(Update(shared, Recipe()).optimizer.param_groups[0]["params"]) == 2


def test_values_that_a_network_changes_by_itself_are_kept() -> None:
    network = nn.Linear(2, 1)
    update = Update(
        network, Recipe(optimizer="sgd", momentum=0.0, weight_decay=0.0, learning_rate=1.0, clip=0.0)
    )
    network.weight.data = torch.tensor([[5.0, 7.0]])
    network(torch.ones(1, 2)).sum().backward()
    update.step()
    assert network.weight.tolist() == [[4.0, 6.0]]


def trained(make: Callable[[], nn.Module], recipe: Recipe, steps: int = 5) -> list[Tensor]:
    """Hold a network after some steps against one with torch's optimizer; returns its parameters."""
    networks = []
    for _ in range(2):
        torch.manual_seed(4)
        networks.append(make())
    own, plain = networks
    update, theirs = Update(own, recipe), oracle(plain, recipe)
    for step in range(steps):
        torch.manual_seed(step)
        x = torch.randn(2, 3, 5, 5)
        for network in networks:
            network(x).square().mean().backward()
        update.step()
        theirs.step()
        theirs.zero_grad()
    for mine, expected in zip(own.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(mine, expected, rtol=1e-5, atol=1e-7)
    return list(own.parameters())


class TiedByValues(nn.Module):
    """Two parameters with the same memory."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(5, 5), nn.Linear(5, 5)
        self.second.weight.data = self.first.weight.data

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.second(self.first(x))
        return out


class Scattered(nn.Module):
    """A parameter whose gradient is sparse."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(5, 3, sparse=True)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.table(torch.tensor([1, 3])) * x.mean()
        return out


class Replacing(nn.Module):
    """A layer that replaces its values in the middle of training, and how they lie."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch takes it, its types do not
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.calls == 3:
            self.conv.weight.data = self.conv.weight.data.contiguous() / 2
        out: Tensor = self.conv(x)
        return out


def test_values_that_parameters_share_are_changed_by_each() -> None:
    first, _, second, _ = trained(TiedByValues, Recipe(clip=0.0))
    assert first.data_ptr() == second.data_ptr()


def test_gradients_that_are_sparse() -> None:
    trained(Scattered, Recipe(optimizer="sgd", clip=0.0, weight_decay=0.0))


def test_values_that_lie_otherwise_from_a_step_on() -> None:
    trained(Replacing, Recipe(clip=0.0, learning_rate=1.0))


@pytest.mark.parametrize("optimizer", ["rmsprop", "sgd"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_state_is_that_of_torch_s_optimizer(optimizer: Any, momentum: float) -> None:
    """What was saved where parameters are updated one by one, as on a GPU, goes on here, and the reverse."""
    recipe = Recipe(optimizer=optimizer, momentum=momentum, clip=0.0)
    here, there = odd(), odd()
    alone = nn.ParameterList([*there.parameters(), nn.Parameter(torch.ones(1, dtype=torch.float64))])
    one, each = Update(here, recipe), Update(alone, recipe)
    x = torch.randn(2, 3, 5, 5)

    def step() -> None:
        for network in (here, there):
            network(x, True).square().mean().backward()
        one.step()
        each.step()

    def exchange() -> None:
        mine, theirs = one.state_dict(), each.state_dict()
        last = mine["param_groups"][0]["params"][-1] + 1
        groups = [
            [{**group, "params": list(range(n))} for group in theirs["param_groups"]]
            for n in (last, last + 1)
        ]
        one.load_state_dict({"state": theirs["state"], "param_groups": groups[0]})
        each.load_state_dict({"state": mine["state"], "param_groups": groups[1]})

    for _ in range(3):
        step()
        exchange()
    for mine, theirs in zip(here.parameters(), there.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    saved = one.state_dict()
    for i, parameter in enumerate(here.parameters()):
        for name, kept in saved["state"].get(i, {}).items():
            assert kept is None or name == "step" or kept.stride() == parameter.stride()
    assert len(saved["param_groups"][0]["params"]) == len(list(here.parameters()))


def test_a_state_of_other_parameters_is_refused() -> None:
    update, other = Update(nn.Linear(2, 3), Recipe()), Update(nn.Linear(3, 3), Recipe())
    more = Update(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)), Recipe())
    for each, width in ((other, 3), (more, 2)):
        each._parameters[0].grad = torch.ones(3, width)
        each.step()
        with pytest.raises(ValueError, match=r"of other parameters|of other shapes"):
            update.load_state_dict(each.state_dict())

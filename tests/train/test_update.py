"""The update of all parameters at once against torch's optimizers on each."""

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

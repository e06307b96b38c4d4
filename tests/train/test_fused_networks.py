"""Networks of users' own learn with the kernels what they learn without."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint

from costlab.train import learner
from costlab.train.batches import Batch
from costlab.train.fused import has_kernels
from costlab.train.learner import Learner
from costlab.train.recipe import Recipe

pytestmark = pytest.mark.skipif(not has_kernels(), reason="numba is not installed")


def block(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, channels, 3, bias=False), nn.BatchNorm2d(channels), nn.ReLU(True))


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block, self.pool, self.head = block(6), nn.AvgPool2d(3, 1, 1), nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(x).mean((2, 3)))
        return scores

    def features(self, x: Tensor) -> Tensor:
        features: Tensor = self.pool(self.block(x))
        return features


class Twice(Plain):
    def features(self, x: Tensor) -> Tensor:
        return super().features(x) + super().features(x.flip(3))


class Shared(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.again = nn.Sequential(nn.Conv2d(6, 6, 1), self.block[1], self.block[2])

    def features(self, x: Tensor) -> Tensor:
        features: Tensor = self.again(super().features(x))
        return features


class Parametrized(Plain):
    def __init__(self) -> None:
        super().__init__()
        parametrizations.weight_norm(self.block[0])
        parametrizations.spectral_norm(self.head)


class Frozen(Plain):
    def __init__(self) -> None:
        super().__init__()
        for parameter in (self.block[0].weight, self.block[1].weight):
            parameter.requires_grad_(False)


class FrozenStatistics(Plain):
    def train(self, mode: bool = True) -> "FrozenStatistics":
        super().train(mode)
        self.block[1].eval()
        return self


class Penalized(Plain):
    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        x = x.detach().requires_grad_()
        scores = super().forward(x)
        (slope,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
        return scores + slope.square().sum() * torch.arange(4)


class PassedAgain(Plain):
    def features(self, x: Tensor) -> Tensor:
        features: Tensor = checkpoint(super().features, x, use_reentrant=False)
        return features


class Sometimes(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.other, self.calls = block(6), 0

    def features(self, x: Tensor) -> Tensor:
        self.calls += 1
        features: Tensor = self.other(x) if self.calls % 2 else super().features(x)
        return features


class Mixed(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.between = nn.Conv2d(6, 6, 1).double()

    def features(self, x: Tensor) -> Tensor:
        features: Tensor = self.between(super().features(x).double()).float()
        return features


class Replaced(Plain):
    def features(self, x: Tensor) -> Tensor:
        doubled = {name: 2 * parameter for name, parameter in self.block.named_parameters()}
        features: Tensor = functional_call(self.block, doubled, (x,))
        return features


class Joined(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.five, self.one, self.head = block(5), block(1), nn.Linear(12, 4)

    def features(self, x: Tensor) -> Tensor:
        return torch.cat([self.block(x), self.five(x), self.one(x)], 1)


KINDS = [Plain, Twice, Shared, Parametrized, Frozen, FrozenStatistics, Penalized, PassedAgain, Sometimes]


@pytest.mark.parametrize("kind", [*KINDS, Mixed, Replaced, Joined])
def test_a_network_learns_the_same(kind: type[Plain], monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[dict[str, Any]] = []
    for uses_kernels in (True, False):
        monkeypatch.setattr(learner, "uses_kernels", lambda *_, uses=uses_kernels: uses)
        torch.manual_seed(1)
        own = Learner(kind(), Recipe(learning_rate=0.05), 4, torch.device("cpu"))
        for _ in range(3):
            images = torch.randn(5, 3, 7, 5).to(memory_format=torch.channels_last)
            own.step(Batch(images, torch.arange(5) % 4))
        states.append(own.network.state_dict())
    fast, plain = states
    assert fast.keys() == plain.keys() == kind().state_dict().keys()
    for name, value in fast.items():
        assert torch.allclose(value.double(), plain[name].double(), rtol=1e-4, atol=1e-6), name

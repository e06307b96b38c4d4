"""Probes: layers that several modules hold, that none of the model's holds, and that are called twice."""

from collections.abc import Callable, Mapping
from functools import partial

import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor, nn

from tests.checking.layer_probes import Packed
from tests.checking.probes import Attending
from tests.checking.unbatched_probes import Drawn


class Ways(nn.Module):
    """Modules that are called one after the other, beside others that are not."""

    def __init__(self, *called: nn.Module, beside: tuple[nn.Module, ...] = ()) -> None:
        super().__init__()
        self.called, self.beside = nn.ModuleList(called), nn.ModuleList(beside)

    def forward(self, x: Tensor) -> Tensor:
        for module in self.called:
            x = module(x)
        return x


class Names(nn.Module):
    """One layer under two names, called by both."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.one = self.other = layer

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.other(self.one(x))
        return y


class Outside(nn.Module):
    """A layer that is no part of the model, for a list holds it; frozen, or torch.jit.trace refuses it."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layers, self.part = [layer.requires_grad_(False)], nn.Linear(1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers[0](x)
        return y


class Around(nn.Module):
    """Functions around a layer, that no layer calls."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer, self.weight = layer, nn.Parameter(torch.rand(8, 8))

    def forward(self, x: Tensor) -> Tensor:
        return torch.mul(F.relu(self.layer(x)), 2).matmul(self.weight)


class Scaled(nn.Module):
    """Several operations on parameters of one's own, and one parameter without a name that tools know."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.rand(8)), nn.Parameter(torch.rand(8))
        self.scale, self.relative_bias = nn.Parameter(torch.rand(8)), nn.Parameter(torch.rand(3, 8))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weight + self.bias) * self.weight * self.scale + self.relative_bias


def _in_two(layer: nn.Module) -> nn.Module:
    return Ways(nn.Sequential(layer), nn.Sequential(nn.Sequential(layer), nn.Tanh()))


def _in_containers(layer: nn.Module) -> nn.Module:
    shared = nn.Sequential(layer, nn.Tanh())
    return Ways(nn.Sequential(shared), nn.Sequential(shared, nn.Sequential(shared)), beside=(shared,))


def _beside_its_container(layer: nn.Module) -> nn.Module:
    shared = nn.Sequential(layer)
    return Ways(nn.Sequential(shared, layer), nn.Sequential(shared))


def _held_only(layer: nn.Module) -> nn.Module:
    return Ways(nn.Sequential(layer), beside=(nn.Sequential(layer), nn.Sequential(layer)))


def _around(layer: nn.Module) -> nn.Module:
    shared = Around(layer)
    return Ways(nn.Sequential(shared), nn.Sequential(shared))


WAYS: Mapping[str, Callable[[nn.Module], nn.Module]] = {
    "two_parents": _in_two,
    "two_names": Names,
    "containers": _in_containers,
    "beside_its_container": _beside_its_container,
    "held_only": _held_only,
    "outside": Outside,
    "around": _around,
}
LEAVES: Mapping[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Linear(8, 8),
    "conv": lambda: nn.Conv1d(3, 3, 3, padding=1),
    "transposed": lambda: nn.ConvTranspose1d(3, 3, 3, padding=1),
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "prelu": nn.PReLU,
    "layer_norm": lambda: nn.LayerNorm(8),
    "batch_norm": lambda: nn.BatchNorm1d(3),
    "local_response_norm": lambda: nn.LocalResponseNorm(3),
    "avg_pool": lambda: nn.AvgPool1d(3, 1, 1),
    "upsample": lambda: nn.Upsample(size=8),
    "softmax": lambda: nn.Softmax(-1),
    "attention": lambda: Attending(8, False, batch_first=True),
    "attention_weights": lambda: Attending(8, True, batch_first=True),
    "lstm": lambda: Packed(nn.LSTM(8, 8, batch_first=True)),
    "scaled": Scaled,
}


def _made(way: Callable[[nn.Module], nn.Module], leaf: Callable[[], nn.Module]) -> nn.Module:
    return way(leaf())


SHARED: Mapping[str, Drawn] = {
    f"{leaf}_{way}": (partial(_made, WAYS[way], LEAVES[leaf]), (torch.rand(2, 3, 8) + 0.1,))
    for leaf in LEAVES
    for way in WAYS
}

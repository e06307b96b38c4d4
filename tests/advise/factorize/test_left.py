"""Layers in whose place nothing else can stand, and the reasons that are given."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from costlab.advise.factorize.factorize import factorize


def conv(bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(4, 4, 3, padding=1, bias=bias)


class Hidden(nn.Module):
    """Holds a layer in a list, where torch does not find it."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = [conv()]
        self.seen = conv()

    def forward(self, x: Tensor) -> Tensor:
        return self.seen(self.hidden[0](x))  # type: ignore[no-any-return]  # a call of a module


def with_module() -> nn.Module:
    layer = conv()
    layer.register_module("extra", nn.Identity())
    return nn.Sequential(layer)


def with_bias_as_buffer() -> nn.Module:
    layer = conv(bias=False)
    del layer.bias
    layer.register_buffer("bias", torch.zeros(4))
    return nn.Sequential(layer)


def with_fewer_channels() -> nn.Module:
    """Pruned by hand: its weights are cut, and what it says of itself is not."""
    layer = conv()
    assert layer.bias is not None
    layer.weight = nn.Parameter(layer.weight.detach()[:, :3])
    return nn.Sequential(nn.Conv2d(4, 3, 1), layer)


LEFT: dict[str, tuple[Callable[[], nn.Module], str, str]] = {
    "in a list": (Hidden, "Conv2d", "no module of the network"),
    "parametrized": (
        lambda: nn.Sequential(parametrizations.weight_norm(conv())),
        "0",
        "it is parametrized",
    ),
    "with a module": (with_module, "0", "it has modules in it"),
    "with a buffer": (with_bias_as_buffer, "0", "its weight or its bias is no parameter"),
    "cut": (with_fewer_channels, "1", "not counted by its settings alone"),
}


@pytest.mark.parametrize(("make", "path", "reason"), LEFT.values(), ids=LEFT)
def test_a_layer_that_can_not_be_replaced_is_left_with_the_reason(
    make: Callable[[], nn.Module], path: str, reason: str
) -> None:
    plan = factorize(make(), "1x4x8x8:float32")
    assert (path, reason) in [(each.path, each.reason) for each in plan.left]
    assert plan.apply()(torch.zeros(1, 4, 8, 8)).shape == (1, 4, 8, 8)


def test_a_layer_that_is_held_twice_is_chosen_by_either_name() -> None:
    layer = conv()
    model = nn.Sequential(layer, nn.Sequential(layer), conv())
    for pattern in ("0", "1", "1.0"):
        plan = factorize(model, "4x8x8", only=pattern)
        assert [each.path for each in plan.replacements] == ["0"]
        assert [each.path for each in plan.left] == ["2"]

"""What the tools report of torchvision's Inception v3, which calls most of its layers as functions."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - what everybody calls it

import costlab
from costlab.checking.peers import reports
from costlab.counting.count import Count, count

TOTALS = {
    "multiply_adds": 5_713_216_096,
    "fvcore": 5_731_282_144,
    "thop": 5_749_219_168,
    "ptflops": 5_747_660_552,
    "ptflops_aten": 5_713_217_096,
    "torchinfo": 5_713_251_528,
    "torchprofile": 5_724_188_032,
    "flopco": 5_713_216_096,  # all of its layers with weights are modules, called as such
    "calflops_macs": 5_713_216_096,
    "calflops_flops": 11_458_393_728,
    "deepspeed_macs": 5_713_216_096,
    "deepspeed_flops": 11_458_393_728,
    "torch_flop_counter": 11_426_432_192,
}


class Called(nn.Module):
    """A module of no layer's class, which calls a function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self._call = function

    def forward(self, x: Tensor) -> Tensor:
        return self._call(x)


def functional(layer: nn.Module, path: str) -> nn.Module:
    """What torchvision has in the place of a layer: functions, but for the pools of the stem and the last."""
    if isinstance(layer, nn.ReLU):
        return Called(lambda x: F.relu(x))  # noqa: PLW0108 - a function that is held is seen by other tools
    settings: dict[str, Any] = {
        name: getattr(layer, name) for name in ("kernel_size", "stride", "padding") if hasattr(layer, name)
    }
    if isinstance(layer, nn.AvgPool2d):
        return Called(lambda x: F.avg_pool2d(x, **settings))
    if isinstance(layer, nn.MaxPool2d) and not path.startswith("stem"):
        return Called(lambda x: F.max_pool2d(x, **settings))
    return layer


@pytest.fixture(scope="module")
def model() -> nn.Module:
    made = costlab.build("inception_v3").eval()
    for path, parent in list(made.named_modules()):
        for name, layer in list(parent.named_children()):
            setattr(parent, name, functional(layer, path))
    return made


@pytest.fixture(scope="module")
def counted(model: nn.Module) -> Count:
    return count(model, (1, 3, 299, 299))


@pytest.mark.parametrize("tool", TOTALS)
def test_what_was_published_is_predicted(counted: Count, tool: str) -> None:
    assert counted.under(tool).cost == TOTALS[tool]


def test_and_reported(model: nn.Module) -> None:
    found = {name: each.number for name, each in reports(model, (torch.zeros(1, 3, 299, 299),))}
    assert found == {name: TOTALS[name] for name in found}
    assert len(found) == 10

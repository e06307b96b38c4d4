"""Spaces of what makes modules of PyTorch: each member is traced, and has the totals of its count."""

from itertools import product
from typing import Any

import pytest
import torch
from torch import nn

import costlab
from costlab.errors import CostlabError
from costlab.explore.space import Space
from costlab.targets.target import Variant

INPUT = (3, 12, 12)


class Classifier(nn.Module):
    """A convolution and a linear layer."""

    def __init__(self, channels: int = 4, kernel: int = 3) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, channels, kernel), nn.Linear(channels, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled: torch.Tensor = self.head(self.conv(x).mean((2, 3)))
        return pooled


def stack(width: int = 4, depth: int = 1, flat: bool = False) -> nn.Module:
    """Convolutions, whose output is a feature map or a vector."""
    layers = [nn.Conv2d(3 if at == 0 else width, width, 3) for at in range(depth)]
    return nn.Sequential(*layers, *([nn.Flatten()] if flat else []))


@pytest.mark.parametrize(
    ("make", "axes", "input_"),
    [
        (Classifier, {"channels": [2, 5], "kernel": [3, 5, 13]}, INPUT),
        (stack, {"width": [1, 3], "depth": [1, 2, 6], "flat": [False, True]}, INPUT),
        (Classifier, {"kernel": [1, 9], "input": [8, 10]}, None),
    ],
)
def test_members_that_are_modules_have_the_totals_of_their_counts(
    make: Any, axes: dict[str, list[Any]], input_: Any
) -> None:
    wanted = []
    for values in product(*axes.values()):
        settings = dict(zip(axes, values, strict=True))
        side = settings.pop("input", 12)
        try:
            count = costlab.count(make, (3, side, side), **settings)
        except CostlabError:
            continue
        wanted.append((count.multiply_adds, count.parameters, count.activations))
    target: Variant = costlab.variant(make, INPUT)
    space = Space(target if input_ is None else make, **({"input": input_} if input_ else {}), **axes)
    assert space.count() == len(wanted) == space.size - sum(each.members for each in space.misfits())
    assert 0 < len(wanted) < space.size
    found = [(each.multiply_adds, each.parameters, each.activations) for each in space.top(99)]
    assert sorted(found) == sorted(wanted)

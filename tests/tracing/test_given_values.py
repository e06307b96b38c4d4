"""Indices and masks that are handed over keep their values; what is given by size alone has none."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab.counting.count import count
from costlab.errors import TargetError


class Chooses(nn.Module):
    """Takes the short way where the mask leaves nothing out, and as many rows as it keeps otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.short, self.long = nn.Linear(4, 2, bias=False), nn.Linear(4, 8, bias=False)

    def forward(self, x: Tensor, mask: Tensor) -> Any:
        seen = mask.to(device=x.device, dtype=torch.bool)
        if seen.all():
            return self.short(x)
        return self.long(x[seen])


X = torch.zeros(5, 4)


def test_what_a_mask_decides_is_decided() -> None:
    whole = torch.ones(5, dtype=torch.int64)
    part = torch.tensor([1, 0, 1, 1, 0])
    assert count(Chooses(), (X, whole)).multiply_adds == 5 * 4 * 2
    assert count(Chooses(), (X, part)).multiply_adds == 3 * 4 * 8
    assert count(Chooses(), {"x": X, "mask": part.bool()}).multiply_adds == 3 * 4 * 8
    assert part.tolist() == [1, 0, 1, 1, 0]


def test_without_values_it_is_told() -> None:
    with pytest.raises(TargetError, match="depends on the values of its data"):
        count(Chooses(), ["5x4", "mask:5:int64"])
    with pytest.raises(TargetError, match="depends on the values of its data"):
        count(Chooses(), (X, torch.ones(5)))  # of floating point: data, and no mask


def test_what_is_given_is_not_changed() -> None:
    class Writes(nn.Module):
        def forward(self, x: Tensor, mask: Tensor) -> Any:
            mask.zero_()
            return x * mask[:, None]

    mask = torch.ones(5, dtype=torch.int64)
    count(Writes(), (X, mask))
    assert mask.tolist() == [1] * 5

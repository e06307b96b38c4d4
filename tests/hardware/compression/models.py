"""Modules with zeros in their weights."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def with_zeros(module: nn.Module, share: float = 0.5) -> Any:
    """A module of whose parameters about a share is zero."""
    with torch.no_grad():
        for each in module.parameters():
            each.copy_(torch.rand(each.shape) + 0.5)
            each.mul_(torch.rand(each.shape) >= share)
    return module


def left_in(module: nn.Module) -> int:
    """The elements of its parameters that are not zero."""
    return sum(int(each.count_nonzero()) for each in module.parameters())


def convolved(weight: Any, image: Any) -> int:
    """The products of a plain convolution by loops, those by a zero weight left out."""
    filters, inputs, height, width = weight.shape
    done = 0
    for top in range(image.shape[1] - height + 1):
        for left in range(image.shape[2] - width + 1):
            window = image[0, top : top + height, left : left + width]
            done += sum(int(np.count_nonzero(weight[o, i])) for o in range(filters) for i in range(inputs))
            assert window.shape == (height, width)
    return done


class Calls(nn.Module):
    """A function of a weight and of data."""

    def __init__(self, function: Callable[..., Any], **held: Any) -> None:
        super().__init__()
        self.function = function
        for name, each in held.items():
            if isinstance(each, nn.Parameter | nn.Module):
                setattr(self, name, each)
            else:
                self.register_buffer(name, each)

    def forward(self, *args: Tensor) -> Any:
        return self.function(self, *args)

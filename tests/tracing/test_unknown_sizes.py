"""How many places there are that come from data is not known, whichever way it is asked."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab import count
from costlab.errors import DependsOnDataError

X = torch.rand(4, 8)


class Asks(nn.Module):
    """A layer for each of what is found."""

    def __init__(self, asks: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.layer, self.asks = nn.Linear(8, 8), asks

    def forward(self, x: Tensor) -> Any:
        for _ in range(int(self.asks((x > 0.5).nonzero()))):
            x = self.layer(x)
        return x


@pytest.mark.parametrize(
    "asks",
    [
        lambda found: found.shape[0],
        lambda found: found.size(0),
        len,
        lambda found: found.numel(),
        torch.numel,
        lambda found: found.nbytes,
        lambda found: found.stride(1),
        lambda found: found.untyped_storage().nbytes(),
        lambda found: len(torch.cat([found, found])),
        lambda found: torch.cat([found.unbind(1)[0]] * 2).numel(),
        lambda found: sum(1 for _ in found),
        lambda found: len(found + 1),
        lambda found: torch.ones_like(found).sum(),
    ],
)
def test_how_many_is_told(asks: Callable[[Tensor], Any]) -> None:
    with pytest.raises(DependsOnDataError, match="nonzero"):
        count(Asks(asks), X)

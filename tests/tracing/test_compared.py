"""Whether tensors are equal is known of data, too, where their sizes or memory decide."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from costlab.counting.count import count
from costlab.errors import DependsOnDataError


def _with_conjugate(x: Tensor) -> bool:
    return torch.equal(x, x.conj())


KNOWN: dict[str, Callable[[Tensor], object]] = {
    "another size": lambda x: torch.equal(x, x[:1]),
    "another size, of constants": lambda x: torch.equal(torch.zeros(3, 2), x),
    "another rank": lambda x: torch.equal(x, x[None]),
    "itself": lambda x: torch.equal(x, x),
    "a view": lambda x: torch.equal(x, x.view(-1).view(4, 4)),
    "all of it": lambda x: x[..., :].equal(x),
    "a part, twice": lambda x: torch.equal(x[1:3], x[1:3]),
    "turned, twice": lambda x: torch.equal(x.T, x.mT),
    "written into": lambda x: torch.equal(x, x.mul_(2)),
    "elements": lambda x: (x[:] == x).all(),
    "unequal elements": lambda x: (x != x.view(4, 4)).any(),
}
UNKNOWN: dict[str, Callable[[Tensor], object]] = {
    "a copy": lambda x: torch.equal(x, x.clone()),
    "rows": lambda x: torch.equal(x[0], x[1]),
    "turned": lambda x: torch.equal(x, x.T),
    "shifted": lambda x: (x[1:] == x[:-1]).all(),
    "conjugate": lambda x: _with_conjugate(torch.complex(x, x)),
    "negative": lambda x: torch.equal(x, torch._neg_view(x)),
    "bits": lambda x: torch.equal(x.view(torch.int32), x.view(torch.int32) + 1),
}


class Branches(nn.Module):
    """Once through a layer, or twice."""

    def __init__(self, question: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.question = question
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x)
        done: Tensor = y if self.question(y) else self.layer(y)
        return done


@pytest.mark.parametrize("question", KNOWN.values(), ids=KNOWN)
def test_sizes_and_memory_decide(question: Callable[[Tensor], object]) -> None:
    right = 64 if question(torch.randn(4, 4)) else 128
    assert count(Branches(question), torch.zeros(4, 4)).multiply_adds == right


@pytest.mark.parametrize("question", UNKNOWN.values(), ids=UNKNOWN)
def test_values_decide(question: Callable[[Tensor], object]) -> None:
    with pytest.raises(DependsOnDataError, match=r"test_compared\.py"):
        count(Branches(question), torch.zeros(4, 4))

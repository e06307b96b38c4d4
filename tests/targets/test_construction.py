"""A factory is called such that weights take no memory, and what it computes by has values."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab import count
from costlab.targets.resolve import resolve
from costlab.tracing.construction import WithoutWeights


class Held(nn.Module):
    """Small tensors of every kind that decide how often a layer runs, and weights that are large."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.large = nn.Linear(8, 8), nn.Linear(4096, 1024)
        self.stride = torch.tensor([2.0])
        self.places = torch.arange(3)
        self.betas: Tensor
        self.register_buffer("betas", torch.linspace(0, 1, 10))
        self.mask: Tensor
        self.register_buffer("mask", torch.ones(512, 512).tril())
        self.alphas = nn.Parameter(torch.zeros(3) + torch.tensor([0.0, 2.0, 1.0]))

    def forward(self, x: Tensor) -> Any:
        for _ in range(int(self.stride) + len(self.places) + int(self.alphas.argmax())):
            x = self.layer(x)
        for beta in self.betas.tolist():
            x = self.layer(x) if beta > 0.5 else x
        return self.layer(x) if self.mask.sum() == 512 * 513 // 2 else x


TIMES = 2 + 3 + 1 + 5 + 1


def refuses_meta() -> nn.Module:
    """Adds tensors of both kinds: only one of them can be had."""
    held = Held()
    with torch.no_grad():
        held.large.weight[:, :8] += torch.ones(8)
    return held


def reads() -> nn.Module:
    """Reads a value of a large tensor."""
    held = Held()
    assert float(held.large.weight.abs().max()) >= 0
    return held


@pytest.mark.parametrize("name", ["Held", "reads"])
def test_what_decides_has_values(name: str) -> None:
    assert count(f"{__name__}:{name}", "1x8").multiply_adds == TIMES * 64
    assert count(Held(), "1x8").multiply_adds == TIMES * 64


def test_weights_take_no_memory_and_draw_nothing() -> None:
    before = torch.get_rng_state()
    block: Any = resolve(f"{__name__}:Held", "1x8").block
    assert block.module.large.weight.is_meta
    assert block.module.layer.weight.device.type == "cpu"
    assert torch.equal(torch.get_rng_state(), before)


def test_what_needs_one_kind_of_tensors_gets_one() -> None:
    assert count(f"{__name__}:refuses_meta", "1x8").parameters == count(Held(), "1x8").parameters


def writes_into_its_own() -> nn.Module:
    """Draws numbers into a tensor that it has made before."""
    layer = nn.Linear(8, 8)
    layer.register_buffer("drawn", torch.randn(100, 10_000, out=torch.empty(0)))
    return layer


def test_what_is_written_into_a_tensor_stays_beside_it() -> None:
    with WithoutWeights():
        assert writes_into_its_own().get_buffer("drawn").shape == (100, 10_000)

"""Models that no machine here could hold are counted, exactly, quickly, and in little memory."""

import resource
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor, nn

from costlab import count
from costlab.algebra.traced import Parameters

WIDTH, HEADS, LAYERS, TOKENS, STEPS, N = 12_288, 96, 70, 50_257, 2048, 4


class Layer(nn.Module):
    """Attention and a perceptron four times as wide, after a norm each."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.after = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.fc = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        n, steps, _ = x.shape
        q, k, v = self.qkv(self.before(x)).reshape(n, steps, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(n, steps, -1))
        y: Tensor = x + self.fc(self.after(x))
        return y


class Huge(nn.Module):
    """Layers between a table of tokens and the same table."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.layers = (
            nn.Embedding(TOKENS, WIDTH),
            nn.Sequential(*(Layer() for _ in range(LAYERS))),
        )
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, TOKENS, bias=False)
        self.head.weight = self.table.weight

    def forward(self, tokens: Tensor) -> Tensor:
        y: Tensor = self.head(self.norm(self.layers(self.table(tokens))))
        return y


def within(call: Callable[[], Any], seconds: float, megabytes: int) -> Any:
    """What a call gives, where it keeps to a time and an amount of memory beyond the process's peak."""
    start, peak = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = call()
    assert time.process_time() - start < seconds
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024 < megabytes
    return result


LAYER = 12 * WIDTH**2 + (3 + 1 + 4 + 1) * WIDTH + 4 * WIDTH
PARAMETERS = LAYERS * LAYER + TOKENS * WIDTH + 2 * WIDTH
MATRICES = LAYERS * 12 * WIDTH**2 + TOKENS * WIDTH
ATTENTION = LAYERS * 2 * STEPS * WIDTH


def test_more_than_a_hundred_billion_parameters() -> None:
    def call() -> Any:
        with torch.device("meta"):
            model = Huge()
        return count(model, f"{N}x{STEPS}:int64")

    counted = within(call, seconds=8, megabytes=300)
    assert counted.parameters == PARAMETERS > 100 * 10**9
    assert counted.multiply_adds == N * STEPS * (MATRICES + ATTENTION)
    assert counted.held == Parameters(trainable=PARAMETERS, shared=TOKENS * WIDTH)
    assert counted.bias_adds == N * STEPS * LAYERS * 9 * WIDTH
    rows = counted.modules(2)
    layers = [row for row in rows if row.path.startswith("layers.")]
    assert {row.work.parameters for row in layers} == {LAYER}
    assert len(layers) == LAYERS
    assert counted.unsupported == {}


def test_a_step_of_training_of_as_many() -> None:
    """Each product of the way forward has two on the way back; a table reads no gradient.

    The kernel of attention computes its weights once more on the way back: five products for two.
    """

    def call() -> Any:
        with torch.device("meta"):
            model = Huge()
        return count(model, f"{N}x{STEPS}:int64", backward=True)

    counted = within(call, seconds=15, megabytes=300)
    assert counted.parameters == PARAMETERS
    assert counted.multiply_adds == N * STEPS * (3 * MATRICES + 7 * ATTENTION // 2)


def test_a_class_that_is_named_is_made_without_memory() -> None:
    counted = within(lambda: count(f"{__name__}:Huge", f"1x{STEPS}:int64"), seconds=8, megabytes=300)
    assert counted.parameters == PARAMETERS

"""Attention in every way that torch offers it, and by hand."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor, nn

from costlab import count
from costlab.algebra.inputs import Inputs
from tests.tracing import brute
from tests.tracing.brute import assert_counted

N, STEPS, WIDTH, HEADS = 2, 5, 8, 2
WITHIN = brute.linear(N * STEPS, WIDTH, 3 * WIDTH), brute.linear(N * STEPS, WIDTH, WIDTH)
ATTENDED = brute.attention(N * HEADS, STEPS, STEPS, WIDTH // HEADS)
PERCEPTRON = 2 * brute.linear(N * STEPS, WIDTH, 16)


class Attention(nn.Module):
    """Attention with its products written out, or by the function of torch."""

    def __init__(self, fused: bool = False, masked: bool = False) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.fused, self.masked = fused, masked

    def forward(self, x: Tensor) -> Tensor:
        n, steps, _ = x.shape
        q, k, v = self.qkv(x).reshape(n, steps, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        mask = torch.ones(steps, steps, dtype=torch.bool).tril() if self.masked else None
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        else:
            scores = q @ k.transpose(-1, -2) / 2
            y = (scores if mask is None else scores.masked_fill(~mask, float("-inf"))).softmax(-1) @ v
        result: Tensor = self.out(y.transpose(1, 2).reshape(n, steps, -1))
        return result


class Transformer(nn.Module):
    """Tokens, places, layers whose norms come first, and the table of tokens once more."""

    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(11, WIDTH), nn.Embedding(STEPS, WIDTH)
        self.layers = nn.ModuleList(
            [nn.ModuleDict({"norm": nn.LayerNorm(WIDTH), "mix": Attention(fused), "fc": self.perceptron()})
             for _ in range(2)]
        )  # fmt: skip
        self.head = nn.Linear(WIDTH, 11, bias=False)
        self.head.weight = self.tokens.weight

    @staticmethod
    def perceptron() -> nn.Sequential:
        return nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 16), nn.GELU(), nn.Linear(16, WIDTH))

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.tokens(tokens) + self.places(torch.arange(tokens.shape[1], device=tokens.device))
        for layer in self.layers:
            assert isinstance(layer, nn.ModuleDict)
            x = x + layer["mix"](layer["norm"](x))
            x = x + layer["fc"](x)
        result: Tensor = self.head(x)
        return result


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("fused", [False, True])
def test_attention_by_hand(fused: bool, masked: bool) -> None:
    model = Attention(fused, masked)
    counted = assert_counted(model, torch.rand(N, STEPS, WIDTH), sum(WITHIN) + ATTENDED)
    kinds = [row.work.kind for row in counted.rows if row.work.multiply_adds != 0]
    assert kinds == ["linear", *(["attention"] if fused else ["matmul", "matmul"]), "linear"]


@pytest.mark.parametrize("fused", [False, True])
def test_a_transformer(fused: bool) -> None:
    expected = 2 * (sum(WITHIN) + ATTENDED + PERCEPTRON) + brute.linear(N * STEPS, WIDTH, 11)
    counted = assert_counted(Transformer(fused), torch.randint(11, (N, STEPS)), expected)
    held = counted.held
    assert held is not None
    assert (held.shared, held.unused, held.frozen) == (11 * WIDTH, 0, 0)
    rows = {row.path: row for row in counted.rows}
    assert rows["tokens"].work.parameters == 11 * WIDTH
    assert rows["head"].work.parameters == 0
    assert counted.unsupported == {}
    modules = {row.path: row for row in counted.modules(3)}
    assert modules["layers.1.mix"].work.multiply_adds == sum(WITHIN) + ATTENDED


@pytest.mark.parametrize(
    ("query", "key", "more"),
    [
        ((2, 2, 3, 4), (2, 2, 5, 4), {}),
        ((2, 2, 3, 4), (2, 2, 5, 4), {"is_causal": True}),
        ((2, 4, 3, 4), (2, 2, 5, 4), {"enable_gqa": True}),
        ((2, 2, 3, 4), (1, 2, 5, 4), {}),
        ((6, 3, 4), (6, 5, 4), {}),
    ],
)
def test_the_function_of_torch(query: Any, key: Any, more: dict[str, Any]) -> None:
    class Model(nn.Module):
        def forward(self, q: Tensor, k: Tensor) -> Tensor:
            return F.scaled_dot_product_attention(q, key=k, value=k, **more)

    expected = brute.attention(torch.Size(query[:-2]).numel(), 3, 5, 4)
    assert_counted(Model(), (torch.rand(query), torch.rand(key)), expected)


def test_values_may_be_wider_than_keys() -> None:
    class Model(nn.Module):
        def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            return F.scaled_dot_product_attention(q, k, v)

    inputs = torch.rand(2, 2, 3, 4), torch.rand(2, 2, 5, 4), torch.rand(2, 2, 5, 7)
    counted = assert_counted(Model(), inputs, brute.attention(4, 3, 5, 4, 7))
    assert str(counted.root.output) == "2x2x3x7"


MULTIHEAD: list[dict[str, Any]] = [
    {},
    {"kdim": 6, "vdim": 7},
    {"add_bias_kv": True},
    {"add_zero_attn": True},
    {"bias": False},
]


@pytest.mark.parametrize("weights", [True, False])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("more", MULTIHEAD, ids=str)
def test_multihead_attention(more: dict[str, Any], first: bool, weights: bool) -> None:
    model = nn.MultiheadAttention(WIDTH, HEADS, batch_first=first, **more)
    keys, kdim, vdim = 3, more.get("kdim", WIDTH), more.get("vdim", WIDTH)
    inputs: list[Tensor] = [torch.rand(N, STEPS, WIDTH), torch.rand(N, keys, kdim), torch.rand(N, keys, vdim)]
    if not first:
        inputs = [each.transpose(0, 1) for each in inputs]
    seen = keys + (1 if "add_bias_kv" in more or "add_zero_attn" in more else 0)
    expected = (
        brute.linear(N * STEPS, WIDTH, WIDTH)
        + brute.linear(N * keys, kdim, WIDTH)
        + brute.linear(N * keys, vdim, WIDTH)
        + brute.attention(N * HEADS, STEPS, seen, WIDTH // HEADS)
        + brute.linear(N * STEPS, WIDTH, WIDTH)
    )
    counted = assert_counted(model, Inputs(inputs, {"need_weights": weights}), expected)
    if not more:
        biases = WIDTH * (N * STEPS + 2 * N * keys + N * STEPS)
        assert counted.bias_adds == biases
        alone = Inputs([each[:, 0] if not first else each[0] for each in inputs])
        assert count(model, alone).multiply_adds * N == expected


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")  # torch's, where it would not help
def test_layers_of_torch(before: bool) -> None:
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 16, norm_first=before, batch_first=True)
    x = torch.rand(N, STEPS, WIDTH)
    each = sum(WITHIN) + ATTENDED + PERCEPTRON
    assert_counted(layer.eval(), x, each)
    counted = assert_counted(nn.TransformerEncoder(layer, 3), x, 3 * each)
    assert [row.work.multiply_adds for row in counted.modules(2)] == [each] * 3
    assert counted.unsupported == {}


def test_encoder_and_decoder() -> None:
    model = nn.Transformer(WIDTH, HEADS, 1, 1, 16, batch_first=True)
    rows = N * 3
    encoder = sum(WITHIN) + ATTENDED + PERCEPTRON
    itself = 4 * brute.linear(rows, WIDTH, WIDTH) + brute.attention(N * HEADS, 3, 3, WIDTH // HEADS)
    other = 2 * brute.linear(rows, WIDTH, WIDTH) + 2 * brute.linear(N * STEPS, WIDTH, WIDTH)
    other += brute.attention(N * HEADS, 3, STEPS, WIDTH // HEADS)
    expected = encoder + itself + other + 2 * brute.linear(rows, WIDTH, 16)
    assert_counted(model, (torch.rand(N, STEPS, WIDTH), torch.rand(N, 3, WIDTH)), expected)

"""Layers with packed weights count as those of floats, their parameters too."""

from typing import Any

import pytest
import torch
import torch.ao.nn.intrinsic.quantized
import torch.ao.nn.quantized.dynamic
import torch.ao.nn.sparse.quantized.dynamic
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence

from costlab import count
from tests.quantizing import QUIET, any_engine

quantization: Any = torch.ao.quantization  # torch leaves these without types
static: Any = torch.ao.nn.quantized
dynamic: Any = torch.ao.nn.quantized.dynamic
fused: Any = torch.ao.nn.intrinsic.quantized
blocks: Any = torch.ao.nn.sparse.quantized.dynamic
IMAGES = {rank: torch.rand(2, 4, *[7] * rank) for rank in (1, 2, 3)}
STEPS, ROWS, PLACES = torch.rand(5, 2, 8), torch.rand(2, 8), torch.randint(0, 10, (2, 5))
TYPES: Any = (torch.qint8, torch.float16)
FOUR: Any = torch.quint4x2
pytestmark = QUIET


class Quantized(nn.Module):
    """A module of numbers that are quantized first."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Any:
        return self.module(torch.quantize_per_tensor(x, 0.1, 0, torch.quint8))


@pytest.fixture(autouse=True)
def _engine() -> Any:
    with any_engine():
        yield


def same(quantized: Any, plain: Any, x: Any) -> None:
    found, wanted = count(quantized.eval(), x), count(plain, x)
    assert found.multiply_adds == wanted.multiply_adds
    assert found.total.weights == wanted.total.weights
    assert found.total.parameters == wanted.total.parameters == sum(p.numel() for p in plain.parameters())
    assert found.unsupported == {}


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("name", ["Conv", "ConvTranspose"])
def test_convolutions(name: str, rank: int) -> None:
    plain = getattr(nn, f"{name}{rank}d")(4, 6, 3, stride=2)
    same(getattr(dynamic, f"{name}{rank}d")(4, 6, 3, stride=2), plain, IMAGES[rank])
    same(Quantized(getattr(static, f"{name}{rank}d")(4, 6, 3, stride=2)), plain, IMAGES[rank])
    if name == "Conv":
        same(Quantized(getattr(fused, f"ConvReLU{rank}d")(4, 6, 3, stride=2)), plain, IMAGES[rank])


def test_linear_layers() -> None:
    plain = nn.Linear(8, 6)
    for made in (static.Linear(8, 6), fused.LinearReLU(8, 6), fused.LinearTanh(8, 6)):
        same(Quantized(made), plain, ROWS)
    for kind in TYPES:
        same(dynamic.Linear(8, 6, dtype=kind), plain, ROWS)


def test_a_linear_layer_in_blocks() -> None:
    plain: Any = nn.Linear(8, 6)
    plain.sparse_params, plain.qconfig = {"sparse_block_shape": (1, 4)}, quantization.default_dynamic_qconfig
    if "qnnpack" not in torch.backends.quantized.supported_engines:
        return  # torch has these layers for it alone
    torch.backends.quantized.engine = "qnnpack"
    same(blocks.Linear.from_float(plain), plain, ROWS)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_recurrent_layers(name: str, kind: Any) -> None:
    for settings in ({"num_layers": 2, "bidirectional": True}, {"batch_first": True}):
        packed = getattr(dynamic, name)(8, 6, dtype=kind, **settings)
        plain = getattr(nn, name)(8, 6, **settings)
        same(packed, plain, STEPS)
        ran, told = packed(STEPS)[0].shape, count(packed, STEPS).root.output
        assert tuple(told) == tuple(ran)
    same(getattr(dynamic, name)(8, 6), getattr(nn, name)(8, 6), pack_sequence([STEPS[:, 0], STEPS[:3, 1]]))


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", ["LSTMCell", "GRUCell", "RNNCell"])
def test_cells(name: str, kind: Any) -> None:
    same(getattr(dynamic, name)(8, 6, dtype=kind), getattr(nn, name)(8, 6), ROWS)


@pytest.mark.parametrize("kind", [torch.quint8, FOUR])
def test_embeddings(kind: Any) -> None:
    rows = torch.quantize_per_channel(torch.rand(10, 16), torch.ones(10) / 9, torch.zeros(10), 0, kind)
    same(static.Embedding(10, 16, _weight=rows, dtype=kind), nn.Embedding(10, 16), PLACES)
    bags = static.EmbeddingBag(10, 16, mode="sum", _weight=rows, dtype=kind)
    same(bags, nn.EmbeddingBag(10, 16, mode="sum"), PLACES)
    assert tuple(count(bags, PLACES).root.output) == tuple(bags(PLACES).shape)


def test_a_layer_that_is_run_twice_has_its_parameters_once() -> None:
    class Twice(nn.Module):
        def __init__(self, layer: Any) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: Tensor) -> Any:
            return self.layer(self.layer(x))

    same(Twice(dynamic.Linear(8, 8)), Twice(nn.Linear(8, 8)), ROWS)


def test_weights_that_wait_are_unused() -> None:
    class Waits(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.waits = dynamic.Linear(8, 8), dynamic.Linear(8, 3)

        def forward(self, x: Tensor) -> Any:
            return self.used(x)

    block: Any = count(Waits(), ROWS).root.block
    assert (block.held.frozen, block.held.unused) == (72 + 27, 27)


def test_products_by_packed_weights_of_few_bits() -> None:
    class Int8(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return torch.ops.aten._weight_int8pack_mm(x, torch.ones(6, 8, dtype=torch.int8), torch.ones(6))

    class Int4(nn.Module):
        def forward(self, x: Tensor) -> Any:  # for CUDA: tiles of 8 features and 16 * 8 inputs
            packed, scales = torch.zeros(4, 8, 32, 4, dtype=torch.int32), torch.ones(32, 32, 2)
            return torch.ops.aten._weight_int4pack_mm(x, packed, 32, scales.bfloat16())

    told = count(Int8(), ROWS)
    assert (told.multiply_adds, told.total.weights) == (2 * 8 * 6, 8 * 6)
    told = count(Int4(), torch.rand(2, 1024).bfloat16())
    assert (told.multiply_adds, told.total.weights) == (2 * 1024 * 32, 1024 * 32)
    assert (tuple(told.root.output), told.unsupported) == ((2, 32), {})

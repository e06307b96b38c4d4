"""Quantized modules cost what the modules of floats cost that they are made from."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.ao.nn.quantized import FloatFunctional

from costlab import count
from costlab.errors import CostlabError
from tests.quantizing import QUIET, any_engine

quantization: Any = torch.ao.quantization  # torch leaves it without types
pytestmark = QUIET


@pytest.fixture(autouse=True)
def _engine() -> Any:
    with any_engine():
        yield


class Joined(nn.Module):
    """Branches that are added and concatenated."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 1, bias=False)
        self.sum, self.join = FloatFunctional(), FloatFunctional()

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.a(x), self.b(x)
        return self.join.cat([self.sum.add(a, b), self.sum.mul(a, b)], 1)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear": (lambda: nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4)), (2, 16)),
    "linear of three axes": (lambda: nn.Sequential(nn.Linear(16, 32)), (2, 3, 16)),
    "convolution": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3, groups=8)
        ),
        (2, 3, 16, 16),
    ),
    "head": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.Hardswish(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)
        ),
        (2, 3, 9, 9),
    ),
    "one axis": (lambda: nn.Sequential(nn.Conv1d(3, 8, 3, 2, 1, 2), nn.ReLU6()), (2, 3, 16)),
    "upwards": (lambda: nn.Sequential(nn.Conv2d(3, 4, 1), nn.Upsample(scale_factor=2)), (2, 3, 5, 5)),
    "branches": (Joined, (2, 3, 8, 8)),
}


def wrapped(model: nn.Module) -> Any:
    return nn.Sequential(quantization.QuantStub(), model, quantization.DeQuantStub()).eval()


def same(quantized: Any, plain: Any) -> None:
    assert quantized.multiply_adds == plain.multiply_adds != 0
    assert quantized.activations == plain.activations
    assert quantized.total.weights == plain.total.weights
    assert quantized.unsupported == {}


@pytest.mark.parametrize("name", NETWORKS)
def test_static(name: str) -> None:
    make, sizes = NETWORKS[name]
    model, x = wrapped(make()), torch.rand(sizes)
    plain = count(model, x)
    model.qconfig = quantization.get_default_qconfig(torch.backends.quantized.engine)
    prepared = quantization.prepare(model)
    same(count(prepared, x), plain)
    prepared(x)
    seen = prepared.state_dict()
    same(count(prepared, x), plain)
    assert all(torch.equal(each, seen[name]) for name, each in prepared.state_dict().items())
    converted = quantization.convert(prepared)
    before = converted(x)
    same(count(converted, x), plain)
    assert torch.equal(converted(x), before)


def test_transposed() -> None:
    model, x = wrapped(nn.Sequential(nn.ConvTranspose2d(3, 4, 2, 2, groups=1))), torch.rand(2, 3, 5, 5)
    plain = count(model, x)
    model.qconfig = quantization.QConfig(
        activation=quantization.default_observer, weight=quantization.default_weight_observer
    )
    prepared = quantization.prepare(model)
    prepared(x)
    same(count(quantization.convert(prepared), x), plain)


def test_fused() -> None:
    model = wrapped(nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU()))
    x = torch.rand(2, 3, 9, 9)
    plain = count(model, x)
    model[1] = quantization.fuse_modules(model[1], [["0", "1", "2"]])
    model.qconfig = quantization.get_default_qconfig(torch.backends.quantized.engine)
    prepared = quantization.prepare(model)
    prepared(x)
    same(count(quantization.convert(prepared), x), plain)


@pytest.mark.parametrize("name", ["linear", "linear of three axes"])
@pytest.mark.parametrize("kind", [torch.qint8, torch.float16])
def test_dynamic(name: str, kind: torch.dtype) -> None:
    make, sizes = NETWORKS[name]
    model, x = make().eval(), torch.rand(sizes)
    same(count(quantization.quantize_dynamic(model, {nn.Linear}, dtype=kind), x), count(model, x))


def test_training_with_rounding() -> None:
    model, x = wrapped(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())).train(), torch.rand(2, 3, 9, 9)
    plain = count(model, x)
    model.qconfig = quantization.get_default_qat_qconfig(torch.backends.quantized.engine)
    prepared = quantization.prepare_qat(model)
    within = count(prepared, x)
    assert (within.multiply_adds, within.activations) == (plain.multiply_adds, plain.activations)
    assert within.unsupported == {}


def test_rounding() -> None:
    class Rounded(nn.Module):
        def forward(self, x: Tensor) -> Any:
            scales, zeros = torch.ones(4), torch.zeros(4, dtype=torch.int32)
            return (
                torch.fake_quantize_per_tensor_affine(x, 0.1, 0, 0, 255),
                torch.fake_quantize_per_channel_affine(x, scales, zeros, 0, 0, 255),
            )

    within = count(Rounded(), torch.rand(4, 4))
    assert (within.multiply_adds, within.unsupported) == (0, {})


def test_integer_weights() -> None:
    class Int8(nn.Module):
        """A linear layer of integers, whose rows are rounded as they come."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Buffer(torch.ones(16, 8, dtype=torch.int8))
            self.scale = nn.Buffer(torch.ones(8))

        def forward(self, x: Tensor) -> Tensor:
            scale = x.abs().amax(1, keepdim=True) / 127
            rows = (x / scale).round().to(torch.int8)
            product: Tensor = torch._int_mm(rows, self.weight)
            return product * scale * self.scale

    within = count(Int8(), torch.rand(32, 16))
    assert (within.multiply_adds, within.activations, within.unsupported) == (32 * 16 * 8, 32 * 8, {})


def test_what_is_not_counted_says_that_it_is_quantized() -> None:
    class Packs(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return torch.ops.quantized.embedding_bag_byte_prepack(x)

    with pytest.raises(CostlabError) as raised:
        count(nn.Sequential(Packs()), torch.rand(5, 8))
    text = str(raised.value)
    assert text.startswith("0: it is quantized, and quantized::embedding_bag_byte_prepack is not counted")
    assert "count the module it was made from, of floats" in text
    assert "\n" not in text

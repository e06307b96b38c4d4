"""Widths, zeros and bytes of quantized modules, against what torch says of their packed weights."""

from typing import Any

import pytest
import torch
import torch.ao.nn.quantized.dynamic
import torch.ao.quantization.quantize_fx
from torch import Tensor, nn

from costlab import compression
from tests.hardware.compression.models import Calls, with_zeros
from tests.quantizing import QUIET, any_engine

quantization: Any = torch.ao.quantization  # torch leaves it without types
ROWS, STEPS = torch.rand(2, 16), torch.rand(5, 2, 16)
EIGHT, HALF, FOUR = torch.qint8, torch.float16, torch.quint4x2
pytestmark = QUIET


@pytest.fixture(autouse=True)
def _engine() -> Any:
    with any_engine():
        yield


def dynamic(model: nn.Module, kind: torch.dtype) -> Any:
    kinds = {type(each) for each in model.modules()} & {nn.Linear, nn.LSTM, nn.GRUCell}
    return quantization.quantize_dynamic(model.eval(), kinds, dtype=kind)


def test_a_linear_layer() -> None:
    layer = dynamic(nn.Sequential(with_zeros(nn.Linear(16, 32))), EIGHT)
    told = compression(layer, ROWS)
    weight, bias = layer[0]._packed_params._packed_params.unpack()
    left = int(weight.int_repr().count_nonzero())  # its zero point is 0
    assert (told.multiply_adds, told.effective_multiply_adds) == (1024, 2 * left)
    assert (told.parameters, told.nonzero_parameters) == (544, left + int(bias.count_nonzero()))
    assert (told.bit_operations, told.effective_bit_operations) == (64 * 1024, 64 * 2 * left)
    assert told.whole.widths == ("8x8",)
    size = weight.int_repr().numel() * weight.element_size()
    assert told.bytes_by_role == {"weights": size, "biases": 128, "scales": 8, "zero_points": 8}


@pytest.mark.parametrize(("kind", "width", "bits"), [(EIGHT, "8x8", 64), (HALF, "16x32", 512)])
@pytest.mark.parametrize("name", ["LSTM", "GRUCell", "Linear"])
def test_widths(name: str, kind: torch.dtype, width: str, bits: int) -> None:
    plain = getattr(nn, name)(16, 6)
    x = STEPS if name == "LSTM" else ROWS
    dense, told = compression(plain, x), compression(dynamic(nn.Sequential(plain), kind), x)
    assert told.whole.widths == (width,)
    assert told.bit_operations == bits * dense.multiply_adds == bits * told.multiply_adds
    assert told.parameters == dense.parameters
    assert told.bytes_by_role["weights"] == dense.bytes_by_role["weights"] * (1 if kind is EIGHT else 2) // 4
    assert told.bytes_by_role["biases"] == dense.bytes_by_role["biases"]


def test_channels_of_static_convolutions() -> None:
    convolution = with_zeros(nn.Conv2d(8, 16, 3, groups=2), 0.0)
    convolution.weight.data[5] = 0
    model = nn.Sequential(quantization.QuantStub(), convolution, quantization.DeQuantStub()).eval()
    model.qconfig = quantization.get_default_qconfig(torch.backends.quantized.engine)
    x = torch.rand(2, 8, 5, 5)
    prepared = quantization.prepare(model)
    prepared(x)
    told = compression(quantization.convert(prepared), x)
    assert told.whole.widths == ("8x8",)
    assert (told.zeros.outputs, told.zeros.in_outputs, told.zeros.elements) == (1, 36, 576)
    assert told.effective_multiply_adds == told.multiply_adds * 15 // 16
    assert told.bytes_by_role["weights"] == 576
    assert (told.bytes_by_role["scales"], told.bytes_by_role["zero_points"]) == (16 * 8 + 4, 16 * 8 + 8)


def test_training_with_rounding_is_of_floats() -> None:
    model = nn.Sequential(with_zeros(nn.Linear(16, 8))).train()
    model.qconfig = quantization.get_default_qat_qconfig(torch.backends.quantized.engine)
    prepared = quantization.prepare_qat(model)
    prepared(ROWS)
    told = compression(prepared, ROWS)
    layer = prepared[0]
    left = int(layer.weight_fake_quant(layer.weight).count_nonzero())
    assert (told.whole.widths, told.effective_multiply_adds) == (("32x32",), 2 * left)
    assert told.nonzero_parameters == left + int(layer.bias.count_nonzero())


def test_embeddings_of_four_bits() -> None:
    rows = torch.quantize_per_channel(torch.rand(10, 16), torch.ones(10) / 9, torch.zeros(10), 0, FOUR)
    table = torch.ao.nn.quantized.Embedding(10, 16, dtype=FOUR, _weight=rows)
    told = compression(table, torch.zeros(2, 3, dtype=torch.int64))
    assert (told.multiply_adds, told.bit_operations, told.parameters) == (0, 0, 160)
    assert told.bytes_by_role == {"weights": 80, "scales": 40, "zero_points": 40}


def test_weights_of_few_bits_alone() -> None:
    weight = torch.randint(-1, 2, (32, 16), dtype=torch.int8)
    eight = Calls(
        lambda m, x: torch.ops.aten._weight_int8pack_mm(x, m.weight, m.scales),
        weight=weight,
        scales=torch.ones(32),
    )
    told = compression(eight, ROWS)
    assert told.whole.widths == ("8x32",)
    assert told.effective_multiply_adds == 2 * int(weight.count_nonzero())
    assert told.bytes_by_role == {"weights": 512, "scales": 128}
    read = Calls(lambda m, x: x @ (m.weight.float() * m.scale).t(), weight=weight, scale=torch.ones(32, 1))
    told = compression(read, ROWS)
    assert (told.whole.widths, told.zeros.nonzero) == (("32x32",), int(weight.count_nonzero()))
    packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(torch.ones(32, 64, dtype=torch.int32), 1)
    four = Calls(
        lambda m, x: torch.ops.aten._weight_int4pack_mm_for_cpu(x, m.weight, 32, m.scales_and_zeros),
        weight=packed,
        scales_and_zeros=torch.ones(2, 32, 2),
    )
    told = compression(four, torch.rand(2, 64))
    assert (told.multiply_adds, told.effective_multiply_adds) == (4096, None)
    assert (told.bit_operations, told.whole.widths) == (4096 * 4 * 32, ("4x32",))
    assert told.bytes_by_role == {"weights": 32 * 64 // 2, "scales": 512}


class Composed(Tensor):
    """A weight of int8 with a scale for each row, as libraries keep it."""

    @staticmethod
    def __new__(cls, whole: Tensor, scale: Tensor) -> Any:
        made: Any = Tensor._make_wrapper_subclass
        return made(cls, whole.shape, dtype=torch.float32)

    def __init__(self, whole: Tensor, scale: Tensor) -> None:
        self.whole, self.scale = whole, scale

    def __tensor_flatten__(self) -> Any:
        return ["whole", "scale"], None

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, *given: Any, **_: Any) -> Any:  # type: ignore[override]  # its stub lacks cls
        args = given[0]
        if func is torch.ops.aten.detach.default:
            return Composed(args[0].whole, args[0].scale)
        return func(*(each.whole * each.scale if isinstance(each, cls) else each for each in args))


class Halved(Composed):
    """Of twice as many elements as it has numbers: packed, or the others are zero."""

    @staticmethod
    def __new__(cls, whole: Tensor, scale: Tensor) -> Any:
        made: Any = Tensor._make_wrapper_subclass
        return made(cls, (whole.shape[0], 2 * whole.shape[1]), dtype=torch.float32)

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, *given: Any, **_: Any) -> Any:  # type: ignore[override]  # its stub lacks cls
        return Halved(given[0][0].whole, given[0][0].scale)


def test_a_weight_of_a_class_of_its_own() -> None:
    layer = nn.Linear(16, 32)
    weight: Any = Composed(torch.ones(32, 16, dtype=torch.int8), torch.ones(32, 1))
    layer.weight = nn.Parameter(weight, requires_grad=False)
    told = compression(layer, ROWS)
    assert (told.multiply_adds, told.effective_multiply_adds) == (1024, None)
    assert (told.whole.widths, told.bit_operations) == (("8x32",), 1024 * 256)
    assert told.bytes_by_role == {"weights": 512, "biases": 128, "scales": 128}


@pytest.mark.parametrize(("whole", "bits"), [(torch.uint8, 4), (torch.float16, 16)])
def test_two_elements_in_a_byte_and_half_of_the_elements(whole: torch.dtype, bits: int) -> None:
    layer = nn.Linear(16, 32, bias=False)
    weight: Any = Halved(torch.ones(32, 8, dtype=whole), torch.ones(32, 1))
    layer.weight = nn.Parameter(weight, requires_grad=False)
    told = compression(layer, ROWS)
    assert (told.multiply_adds, told.effective_multiply_adds) == (1024, None)
    assert told.bit_operations == 1024 * bits * 32
    assert told.bytes_by_role == {"weights": 256 * whole.itemsize, "scales": 128}


def test_weights_that_a_program_for_other_devices_rounds() -> None:
    model = with_zeros(nn.Sequential(nn.Conv2d(8, 4, 3), nn.Flatten(), nn.Linear(36, 5))).eval()
    model[0].weight.data[:, 0] /= 1000  # which are rounded to zero
    x = torch.rand(2, 8, 5, 5)
    mapping = quantization.get_default_qconfig_mapping(torch.backends.quantized.engine)
    prepared = quantization.quantize_fx.prepare_fx(model, mapping, x)
    prepared(x)
    program = quantization.quantize_fx._convert_to_reference_decomposed_fx(prepared)
    told = compression(program, x)
    first, last = (int(program.get_submodule(at).get_weight().count_nonzero()) for at in "02")
    assert first < int(model[0].weight.count_nonzero())
    assert told.effective_multiply_adds == 2 * (9 * first + last)

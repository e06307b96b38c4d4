"""Which tensors of a file are parameters, and which bias belongs to the product before it."""

from typing import Any

import numpy as np
import onnx.parser
import pytest
import torch
from onnx import TensorProto, numpy_helper
from torch import nn

import costlab
from costlab.onnx.graph import OnnxGraph
from tests.onnx.rules.exporting import KEPT, counted, exported, kinds, quantities, weight

HEAD = '<ir_version: 8, opset_import: ["" : 17]>'


def parsed(text: str, *held: TensorProto) -> OnnxGraph:
    """A graph as onnx's parser reads it, with what the file holds."""
    model = onnx.parser.parse_model(f"{HEAD} {text}")
    model.graph.initializer.extend(held)
    return OnnxGraph("parsed", model)


def values(name: str, array: Any, kind: Any = np.float32) -> TensorProto:
    """A tensor that the file holds, with its values."""
    return numpy_helper.from_array(np.asarray(array, kind), name)


W, B = weight("w", 4, 5), weight("b", 5)
INT8 = weight("q", 4, 5, kind=TensorProto.INT8)
PARAMETERS: list[tuple[str, str, tuple[TensorProto, ...], int]] = [
    ("a weight that two read counts once", "y = MatMul(x, w) z = MatMul(x, w) o = Add(y, z)", (W,), 20),
    (
        "a part of a weight",
        "p, q = Split<axis=1, num_outputs=2>(u) o = MatMul(x, p)",
        (weight("u", 4, 10),),
        40,
    ),
    (
        "both parts",
        "p, q = Split<axis=1>(u) y = MatMul(x, p) z = MatMul(x, q) o = Add(y, z)",
        (weight("u", 4, 10),),
        40,
    ),
    ("a weight that is turned", "t = Transpose(u) o = MatMul(x, t)", (weight("u", 5, 4),), 20),
    ("weights that are joined", "t = Concat<axis=1>(w, v) o = MatMul(x, t)", (W, weight("v", 4, 3)), 32),
    (
        "a quantized weight, and no scale of it",
        "d = DequantizeLinear(q, s) o = MatMul(x, d)",
        (INT8, values("s", 0.5)),
        20,
    ),
    (
        "a weight that is quantized twice",
        "d = DequantizeLinear(q, s) e = QuantizeLinear(d, s) f = DequantizeLinear(e, s) o = MatMul(x, f)",
        (INT8, values("s", 0.5)),
        20,
    ),
    (
        "scales for each channel",
        "d = DequantizeLinear<axis=1>(q, s) o = MatMul(x, d)",
        (INT8, weight("s", 5)),
        20,
    ),
    ("one number", "o = Mul(x, s)", (values("s", 0.125),), 0),
    ("a shift of each feature", "o = Add(x, s)", (weight("s", 4),), 4),
    ("a mask", "o = Add(x, s)", (values("s", [0, -np.inf, 0, 0]),), 0),
    ("whole numbers", "c = Cast<to=1>(s) o = Add(x, c)", (values("s", [1, 2, 3, 4], np.int64),), 0),
    (
        "a constant",
        "s = Constant<value_floats = [1.0, 2.0]>() y = MatMul(x, v) o = Add(y, s)",
        (weight("v", 4, 1),),
        4,
    ),
    (
        "a constant where no weight is an initializer",
        "s = Constant<value_floats = [1.0, 2.0, 3.0, 4.0]>() o = Add(x, s)",
        (),
        4,
    ),
    (
        "one value that is repeated",
        "k = Constant<value_ints = [3, 4]>() s = ConstantOfShape(k) o = Add(x, s)",
        (),
        0,
    ),
    ("statistics", "o = Sub(x, bn_running_mean)", (weight("bn_running_mean", 4),), 0),
    ("a token that is repeated", "o = Concat<axis=0>(t, x)", (weight("t", 1, 4),), 4),
]


@pytest.mark.parametrize(
    ("name", "body", "held", "expected"), PARAMETERS, ids=[each[0] for each in PARAMETERS]
)
def test_parameters(name: str, body: str, held: tuple[TensorProto, ...], expected: int) -> None:
    body = body.replace(", num_outputs=2", "")
    count = counted(parsed(f"g (float[3, 4] x) => (float[m, n] o) {{ {body} }}", *held))
    assert not count.unknown
    assert count.parameters == expected


def test_a_table_is_a_parameter_where_data_choose_its_rows() -> None:
    text = "g (int64[3] i) => (float[m, n] o) { y = Gather(t, i) o = Add(y, p) }"
    count = counted(parsed(text, weight("t", 10, 4), weight("p", 3, 4)))
    assert kinds(count) == ["embedding", "add"]
    assert count.parameters == 40 + 12


def test_a_table_of_places_is_none() -> None:
    text = "g (int64[3] i) => (int64[m, n] o) { o = Gather(t, i) }"
    assert counted(parsed(text, weight("t", 10, 4, kind=TensorProto.INT64))).parameters == 0


BIASES: list[tuple[str, str, tuple[int, list[str]]]] = [
    ("is the product's", "y = MatMul(x, w) o = Add(y, b)", (15, ["linear"])),
    ("stands first", "y = MatMul(x, w) o = Add(b, y)", (15, ["linear"])),
    ("comes after a cast", "y = MatMul(x, w) k = Cast<to=1>(y) o = Add(k, b)", (15, ["linear"])),
    ("is a second one", "y = MatMul(x, w) z = Add(y, b) o = Add(z, c)", (15, ["linear", "add"])),
    (
        "is added where others read, too",
        "y = MatMul(x, w) z = Add(y, b) o = Mul(y, z)",
        (0, ["linear", "add", "mul"]),
    ),
    ("is one number", "y = MatMul(x, w) o = Add(y, s)", (0, ["linear", "add"])),
    ("is one for each element", "y = MatMul(x, w) o = Add(y, p)", (0, ["linear", "add"])),
    (
        "comes after an activation",
        "y = MatMul(x, w) z = Relu(y) o = Add(z, b)",
        (0, ["linear", "relu", "add"]),
    ),
    (
        "is added to what is no layer",
        "t = Transpose(x) y = MatMul(x, t) o = Add(y, three)",
        (0, ["matmul", "add"]),
    ),
]


@pytest.mark.parametrize(("name", "body", "expected"), BIASES, ids=[each[0] for each in BIASES])
def test_a_bias(name: str, body: str, expected: tuple[int, list[str]]) -> None:
    held = (W, B, weight("c", 5), values("s", 2.0), weight("p", 3, 5), weight("three", 3))
    count = counted(parsed(f"g (float[3, 4] x) => (float[m, n] o) {{ {body} }}", *held))
    assert (count.total.bias_adds, kinds(count)) == expected


def test_a_bias_of_a_layer_that_is_quantized_as_it_runs() -> None:
    """As onnxruntime quantizes a linear layer: of integers, then scaled, then the bias."""
    body = """
        c, cs, cz = DynamicQuantizeLinear(x)
        y = MatMulInteger(c, q, cz)
        f = Cast<to=1>(y)
        s = Mul(cs, qs)
        m = Mul(f, s)
        o = Add(m, b)
    """
    text = f"g (float[3, 4] x) => (float[m, n] o) {{ {body} }}"
    count = counted(parsed(text, INT8, values("qs", 0.5), B))
    assert kinds(count) == ["quantize_per_tensor_dynamic", "linear", "mul", "mul"]
    assert (count.multiply_adds, count.total.bias_adds, count.parameters) == (60, 15, 25)


def test_scales_of_a_layer_that_is_quantized_as_it_runs_are_no_parameters() -> None:
    text = """g (float[2,4] x) => (float[2,5] o) {
        i, s, z = DynamicQuantizeLinear (x)
        a = Mul (s, scales)
        p = MatMulInteger (i, q, z)
        f = Cast <to = 1> (p)
        o = Mul (f, a)
    }"""
    assert counted(parsed(text, INT8, values("scales", [1, 2, 3, 4, 5]))).parameters == 20


def test_a_bias_of_a_layer_of_integers() -> None:
    """As onnxruntime writes it: a product of integers, then a sum of integers."""
    model = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["" : 17, "com.microsoft" : 1]>
        g (int8[3, 4] x, float s, int8 n) => (int8[3, 5] o) {
            y = QLinearMatMul(x, s, n, q, s, n, s, n)
            o = com.microsoft.QLinearAdd(b, s, n, y, s, n, s, n)
        }"""
    )
    model.graph.initializer.extend([INT8, weight("b", 5, kind=TensorProto.INT8)])
    count = counted(OnnxGraph("parsed", model))
    assert kinds(count) == ["linear"]
    assert (count.multiply_adds, count.total.bias_adds, count.parameters) == (60, 15, 25)


def test_a_bias_of_filters_has_the_axis_of_channels() -> None:
    text = "g (float[1, 3, 6, 6] x) => (float[m, n, h, w_] o) { y = Conv(x, w) o = Add(y, b) }"
    held = (weight("w", 4, 3, 3, 3), weight("b", 1, 4, 1, 1))
    count = counted(parsed(text, *held))
    assert (count.total.bias_adds, count.parameters) == (4 * 16, 112)
    other = counted(parsed(text, held[0], weight("b", 4)))  # along the width, which is as large
    assert (other.total.bias_adds, other.parameters) == (0, 112)


def test_norms_that_are_equal_at_first_are_two() -> None:
    """The exporter keeps one of equal tensors, and copies it: scales of ones, shifts of zeros."""
    module = nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.BatchNorm2d(4))
    graph = exported(module, torch.zeros(1, 4, 3, 3), **KEPT)
    assert "Identity" in {node.op_type for node in graph.model.graph.node}
    assert counted(graph).parameters == costlab.count(module, (torch.zeros(1, 4, 3, 3),)).parameters == 16


LOWEST = float(np.finfo(np.float32).min)


@pytest.mark.parametrize("length", [9, 70], ids=["small", "large"])
@pytest.mark.parametrize("hidden", [-np.inf, LOWEST, -65504.0, -1e4, -100.0])
def test_a_mask_is_no_parameter(hidden: float, length: int) -> None:
    text = f"g (float[2,{length},{length}] x) => (float[2,{length},{length}] o) {{ o = Add(x, m) }}"
    mask = np.triu(np.full((length, length), hidden), 1)
    assert counted(parsed(text, values("m", mask))).parameters == 0
    kept = np.triu(np.full((length, length), 100.0), 1)
    assert counted(parsed(text, values("m", kept))).parameters == length**2


def test_a_weight_that_is_folded_into_its_transpose_counts_once() -> None:
    text = "g (int64[N] i, float[N,4] x) => (float[N,4] e, float[N,6] o) {e = Gather(t, i) o = MatMul(x, w)}"
    table = np.arange(24).reshape(6, 4)
    for turned, wanted in ((table.T, 24), (table.T + 1, 48), (np.zeros((4, 6)), 48)):
        graph = parsed(text, values("t", table), values("w", turned))
        assert costlab.count(graph, batch=2).parameters == wanted
    square = "g (float[N,4] x) => (float[N,4] o) {y = MatMul(x, t) o = MatMul(y, w)}"
    for kept, wanted in ((np.eye(4), 32), (np.arange(16).reshape(4, 4), 16), (np.ones((4, 4)), 32)):
        graph = parsed(square, values("t", kept), values("w", kept.T))
        assert costlab.count(graph, batch=2).parameters == wanted


def test_a_weight_that_is_tied_counts_once() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False)
            self.second.weight = self.first.weight

        def forward(self, data: torch.Tensor) -> Any:
            return self.second(self.first(data))

    module, data = Tied(), torch.randn(2, 3, 8)
    graph = counted(exported(module, data, do_constant_folding=False))
    assert quantities(graph) == quantities(costlab.count(module, (data,)))
    assert graph.parameters == 64

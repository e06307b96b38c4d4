"""What is zero in the weights of a graph, and how wide they are: against numpy, and the same module."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import ModelProto, TensorProto, helper, load_model_from_string, numpy_helper
from torch import nn

from costlab import compression, count
from costlab.hardware.compression.compression import Compression

RANDOM = np.random.default_rng(7)
IMAGE, ROWS = (2, 8, 5, 5), (3, 8)
BYTES: Any = TensorProto.UINT8


def zeros(*sizes: int, kind: Any = np.float32) -> Any:
    """Numbers of which about half is zero."""
    return ((RANDOM.random(sizes) > 0.5) * RANDOM.integers(1, 5, sizes)).astype(kind)


def graph(
    nodes: list[Any], held: dict[str, Any], x: tuple[int, ...], kind: Any = TensorProto.FLOAT
) -> ModelProto:
    made = {"x": helper.make_tensor_value_info("x", kind, x)}
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    tensors = [numpy_helper.from_array(np.asarray(each), name) for name, each in held.items()]
    whole = helper.make_graph(nodes, "net", [*made.values()], [out], tensors)
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def node(operator: str, inputs: str, **attributes: Any) -> Any:
    *given, made = ("" if each == "-" else each for each in inputs.split())
    return helper.make_node(operator, given, [made], **attributes)


def left(array: Any) -> int:
    return int(np.count_nonzero(array))


def told(
    nodes: list[Any], held: dict[str, Any], x: tuple[int, ...], kind: Any = TensorProto.FLOAT
) -> Compression:
    model = graph(nodes, held, x, kind)
    found, counted = compression(model), count(model)
    assert (found.multiply_adds, found.parameters) == (counted.multiply_adds, counted.total.parameters)
    return found


def test_layers_of_floats() -> None:
    w, b = zeros(16, 4, 3, 3), zeros(16)
    found = told([node("Conv", "x w b y", group=2)], {"w": w, "b": b}, IMAGE)
    assert found.effective_multiply_adds == 18 * left(w)
    assert found.nonzero_parameters == left(w) + left(b)
    assert found.bytes_by_role == {"weights": w.nbytes, "biases": b.nbytes}
    w = zeros(8, 4, 3, 3)
    w[2], w[:, 1] = 0, 0
    found = told([node("ConvTranspose", "x w y", group=2)], {"w": w}, IMAGE)
    assert (found.effective_multiply_adds, found.zeros.outputs, found.zeros.inputs) == (50 * left(w), 2, 1)
    w, b = zeros(8, 4), zeros(4)
    found = told([node("MatMul", "x w m"), node("Add", "m b y")], {"w": w, "b": b}, ROWS)
    assert (found.effective_multiply_adds, found.nonzero_parameters) == (3 * left(w), left(w) + left(b))
    for turned in (node("Gemm", "x w b y", transB=1), node("Gemm", "x w b y", transB=1, alpha=0.5)):
        assert told([turned], {"w": w.T.copy(), "b": b}, ROWS).effective_multiply_adds == 3 * left(w)
    found = told([node("MatMul", "w x y")], {"w": zeros(5, 3)}, ROWS)
    assert found.effective_multiply_adds == 8 * found.zeros.nonzero


def test_rows_and_columns_of_a_matrix() -> None:
    w = np.ones((8, 4), np.float32)
    w[:, 1] = 0  # a feature that comes out
    w[[0, 3]] = 0  # two that go in
    for nodes, held in (
        ([node("MatMul", "x w y")], w),
        ([node("Gemm", "x w y", transB=1)], w.T.copy()),
        ([node("Transpose", "w v", perm=[1, 0]), node("MatMul", "x v y")], w.T.copy()),
    ):
        found = told(nodes, {"w": held}, ROWS).zeros
        assert (found.outputs, found.inputs, found.in_outputs, found.in_inputs) == (1, 2, 8, 6)


def test_two_of_four() -> None:
    w = np.zeros((16, 8, 3, 3), np.float32)
    w[:, [0, 3, 5, 6]] = 1
    w[1] = w[1][[1, 0, 3, 2, 5, 4, 7, 6]]
    found = told([node("Conv", "x w y")], {"w": w}, IMAGE).zeros
    assert (found.pattern, found.in_channels + found.in_pattern, found.unstructured) == ("2:4", 576, 0)


def test_recurrent_layers() -> None:
    w, r = zeros(2, 24, 8), zeros(2, 24, 6)
    found = told(
        [node("LSTM", "x w r y", hidden_size=6, direction="bidirectional")], {"w": w, "r": r}, (5, 2, 8)
    )
    assert found.effective_multiply_adds == 10 * (left(w) + left(r))


def test_weights_that_nodes_put_together() -> None:
    w, r, axes = zeros(24, 8), zeros(12, 6), np.array([0])
    nodes = [
        node("Unsqueeze", "w axes v"),
        node("Concat", "r r rr", axis=0),
        node("Unsqueeze", "rr axes q"),
        node("LSTM", "x v q y", hidden_size=6),
    ]
    found = told(nodes, {"w": w, "r": r, "axes": axes}, (5, 2, 8))
    assert found.effective_multiply_adds == 10 * (left(w) + 2 * left(r))
    assert found.whole.widths == ("32x32",)


def test_what_is_within_a_function_is_not_known() -> None:
    w, other = zeros(8, 4), zeros(8, 4)
    model = graph([helper.make_node("Layer", ["x", "w"], ["y"], domain="mine")], {"w": w, "v": other}, ROWS)
    opsets = [helper.make_opsetid("", 21)]
    inside = helper.make_function("mine", "Layer", ["a", "v"], ["b"], [node("MatMul", "a v b")], opsets)
    model.functions.append(inside)
    model.opset_import.append(helper.make_opsetid("mine", 1))
    found = compression(model)
    assert (found.multiply_adds, found.effective_multiply_adds, found.bit_operations) == (96, None, None)


def test_a_weight_that_is_computed_by_others_has_a_width_alone() -> None:
    found = told([node("Exp", "w v"), node("Conv", "x v y")], {"w": zeros(16, 8, 3, 3)}, IMAGE)
    assert (found.effective_multiply_adds, found.bit_operations) == (None, 1024 * 18 * 1152)


def test_masks_that_the_graph_multiplies_by() -> None:
    w, mask = zeros(16, 8, 3, 3) + 1, zeros(16, 8, 3, 3)
    found = told([node("Mul", "w mask v"), node("Conv", "x v y")], {"w": w, "mask": mask}, IMAGE)
    assert found.effective_multiply_adds == 18 * left(mask)


def test_integers_that_stand_for_floats() -> None:
    w = RANDOM.integers(-3, 3, (16, 8, 3, 3)).astype(np.int8)
    points = RANDOM.integers(-1, 2, 16).astype(np.int8)
    scale, point, scales = np.float32(0.1), np.uint8(3), np.ones(16, np.float32)
    numbers = {"w": w, "s": scale, "p": point, "ws": scales, "wp": points}
    kept = left(w != points[:, None, None, None])
    around = [
        node("QuantizeLinear", "x s p q"),
        node("DequantizeLinear", "q s p d"),
        node("DequantizeLinear", "w ws wp v", axis=0),
        node("Conv", "d v y"),
    ]
    forms: list[tuple[list[Any], Any]] = [
        (around, TensorProto.FLOAT),
        ([node("QLinearConv", "x s p w ws wp s p y")], BYTES),
        ([node("ConvInteger", "x w p wp y")], BYTES),
    ]
    for nodes, kind in forms:
        used = {each for one in nodes for each in one.input}
        found = told(nodes, {name: each for name, each in numbers.items() if name in used}, IMAGE, kind)
        assert found.effective_multiply_adds == 18 * kept
        assert (found.whole.widths, found.bit_operations) == (("8x8",), 64 * 18 * w.size)
        assert found.bytes_by_role["weights"] == w.size
        assert found.bytes_by_role["zero_points"] == 1 + 16
    m, columns = RANDOM.integers(-3, 3, (8, 4)).astype(np.int8), np.array([1, 0, 1, 0], np.int8)
    found = told([node("MatMulInteger", "x w - wp y")], {"w": m, "wp": columns}, ROWS, BYTES)
    assert found.effective_multiply_adds == 3 * left(m != columns)


@pytest.mark.parametrize("whole_first", [False, True])
def test_a_weight_that_is_masked_in_one_of_two_uses(whole_first: bool) -> None:
    w, m = np.ones((8, 8), np.float32), zeros(8, 8)
    first, second = ("w", "v") if whole_first else ("v", "w")
    nodes = [node("Mul", "w m v"), node("MatMul", f"x {first} h"), node("MatMul", f"h {second} y")]
    found = told(nodes, {"w": w, "m": m}, ROWS)
    assert found.effective_multiply_adds == 3 * (64 + left(m))
    assert found.nonzero_parameters == 64 + left(m)  # a mask of a file is a parameter as any other
    assert (found.zeros.elements, found.zeros.zeros) == (64, 0)


def test_what_is_cast_may_become_zero() -> None:
    w = np.array([[0.5, 1.5, 0, 2], [1e-9, 1, 1e-9, 0]] * 4, np.float32)
    whole = [node("Cast", "w i", to=TensorProto.INT32), node("Cast", "i v", to=TensorProto.FLOAT)]
    assert told([*whole, node("MatMul", "x v y")], {"w": w}, ROWS).effective_multiply_adds == 3 * 4 * 3
    half = [node("Mul", "w m v"), node("Cast", "v h", to=TensorProto.FLOAT16)]
    back = [node("Cast", "h u", to=TensorProto.FLOAT), node("MatMul", "x u y")]
    found = told([*half, *back], {"w": w, "m": np.ones((8, 4), np.float32)}, ROWS)
    assert found.effective_multiply_adds == 3 * 4 * 4


def test_zero_points_of_a_turned_matrix() -> None:
    w, rows = RANDOM.integers(0, 3, (4, 4)).astype(np.uint8), np.array([1, 0, 1, 0], np.uint8)
    scales = {"s": np.float32(0.1), "ws": np.full(4, 0.1, np.float32), "z": np.uint8(0)}
    made = node("QGemm", "x s z w ws wp - s z y", transB=1, domain="com.microsoft")
    model = graph([made], {"w": w, "wp": rows} | scales, (3, 4), BYTES)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    assert compression(model).effective_multiply_adds == 3 * left(w != rows[:, None])


def test_weights_alone_in_few_bits() -> None:
    w = RANDOM.integers(-3, 3, (8, 4)).astype(np.int8)
    nodes = [node("DequantizeLinear", "w s v"), node("MatMul", "x v y")]
    found = told(nodes, {"w": w, "s": np.float32(0.1)}, ROWS)
    assert (found.whole.widths, found.effective_multiply_adds) == (("8x32",), 3 * left(w))


def test_what_is_not_in_the_file_is_not_known() -> None:
    model = graph([node("Conv", "x w y")], {"w": zeros(16, 8, 3, 3)}, IMAGE)
    (tensor,) = model.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    found = compression(model)
    assert (found.multiply_adds, found.effective_multiply_adds, found.nonzero_parameters) == (
        18 * 1152,
        None,
        None,
    )
    assert (found.bit_operations, found.bytes) == (1024 * 18 * 1152, 4 * 1152)
    data = told([node("MatMul", "x x y")], {}, (4, 4))
    assert (data.effective_multiply_adds, data.whole.widths) == (64, ("32x32",))


def test_weights_in_another_file_are_read_where_it_is_there(tmp_path: Path) -> None:
    weight = zeros(16, 8, 3, 3)
    file, beside = tmp_path / "net.onnx", tmp_path / "weights.bin"
    onnx.save(
        graph([node("Conv", "x w y")], {"w": weight}, IMAGE),
        file,
        save_as_external_data=True,
        location=beside.name,
        size_threshold=0,
    )
    found = compression(str(file))
    assert (found.effective_multiply_adds, found.nonzero_parameters) == (18 * left(weight), left(weight))
    for damage in (lambda: beside.write_bytes(beside.read_bytes()[:-1]), beside.unlink):
        damage()
        found = compression(str(file))
        assert (found.multiply_adds, found.effective_multiply_adds) == (18 * 1152, None)
        assert found.bytes == 4 * 1152


def test_what_the_tensors_of_a_recurrent_layer_are_for() -> None:
    held = {"w": zeros(1, 24, 8), "r": zeros(1, 24, 6), "b": zeros(1, 48), "h": zeros(1, 2, 6)}
    sizes = np.array([5, 2, 6])  # as any integers
    nodes = [node("LSTM", "x w r b - h m", hidden_size=6), node("Reshape", "m sizes y")]
    found = told(nodes, held | {"sizes": sizes}, (5, 2, 8))
    assert found.bytes_by_role == {"weights": 4 * 24 * 14, "biases": 4 * 48, "buffers": 4 * 12 + 8 * 3}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_module_that_was_exported() -> None:
    module = nn.Sequential(nn.Conv2d(8, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36, 5)).eval()
    with torch.no_grad():
        for each in module.parameters():
            each.mul_(torch.rand(each.shape) > 0.5)
    x = torch.rand(1, 8, 5, 5)
    file: Any = io.BytesIO()
    torch.onnx.export(module, (x,), file, dynamo=False)
    graph_of, plain = compression(load_model_from_string(file.getvalue())), compression(module, x)
    for name in (
        "multiply_adds",
        "effective_multiply_adds",
        "parameters",
        "nonzero_parameters",
        "zeros",
        "bytes",
    ):
        assert getattr(graph_of, name) == getattr(plain, name)

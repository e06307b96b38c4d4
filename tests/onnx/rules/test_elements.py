"""What has no multiply-adds: kinds as torch calls them, elements in and out; and what is no operation."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, numpy_helper

from costlab.onnx.rules import NOT_COUNTED, NOTHING
from costlab.onnx.rules.registry import MICROSOFT
from tests.onnx.rules.exporting import counted, kinds, node_graph, weight, works

Inputs = dict[str, Any]
MAP = (2, 3, 4, 4)


def number(name: str, *values: float, kind: Any = np.float32) -> TensorProto:
    """A single number that the file holds, or several."""
    return numpy_helper.from_array(np.array(values if len(values) > 1 else values[0], kind), name)


CASES: list[tuple[str, Inputs, dict[str, Any], tuple[str, int, int]]] = [
    # operator, inputs, attributes; kind, elements in, elements out
    ("Relu", {"x": MAP}, {}, ("relu", 96, 96)),
    ("Add", {"x": MAP, "y": (4,)}, {}, ("add", 100, 96)),
    ("Sum", {"x": MAP, "y": MAP, "z": MAP}, {}, ("add", 288, 96)),
    ("Concat", {"x": MAP, "y": MAP}, {"axis": 1}, ("concat", 192, 192)),
    ("Flatten", {"x": MAP}, {}, ("flatten", 96, 96)),
    ("ReduceMean", {"x": MAP}, {}, ("mean", 96, 1)),
    ("ReduceMax", {"x": MAP, "axes": number("axes", 2, 3, kind=np.int64)}, {}, ("amax", 96, 6)),
    ("CumSum", {"x": MAP, "axis": number("axis", 1, kind=np.int64)}, {}, ("cumsum", 96, 96)),
    ("Clip", {"x": MAP, "a": number("a", 0), "b": number("b", 6)}, {}, ("relu6", 96, 96)),
    ("Clip", {"x": MAP, "a": number("a", -1), "b": number("b", 1)}, {}, ("clamp", 96, 96)),
    ("Dropout", {"x": MAP}, {}, ("dropout", 96, 96)),
    ("Resize", {"x": MAP, "_r": (), "s": number("s", 1, 1, 2, 2)}, {}, ("interpolate_nearest", 96, 384)),
    (
        "Resize",
        {"x": MAP, "_r": (), "s": number("s", 1, 1, 2, 2)},
        {"mode": "linear"},
        ("interpolate_bilinear", 96, 384),
    ),
    (
        "Resize",
        {"x": MAP, "_r": (), "s": number("s", 1, 1, 2, 2)},
        {"mode": "cubic"},
        ("interpolate_bicubic", 96, 384),
    ),
    ("GridSample", {"x": MAP, "g": (2, 5, 5, 2)}, {"mode": "linear"}, ("grid_sample_bilinear", 196, 150)),
    ("GridSample", {"x": MAP, "g": (2, 5, 5, 2)}, {"mode": "nearest"}, ("grid_sample_nearest", 196, 150)),
    ("SwiGLU", {"x": MAP, "y": MAP}, {}, ("swiglu", 192, 96)),
]


@pytest.mark.parametrize(("operator", "inputs", "attributes", "expected"), CASES)
def test_elements_in_and_out(
    operator: str, inputs: Inputs, attributes: dict[str, Any], expected: tuple[str, int, int]
) -> None:
    (work,) = works(node_graph(operator, inputs, opset=28, **attributes))
    assert (work.kind, work.inputs, work.outputs) == expected
    assert (work.multiply_adds, work.bias_adds, work.parameters, work.activations) == (0, 0, 0, 0)


def test_a_table_that_is_packed_in_blocks_is_an_embedding() -> None:
    inputs: Inputs = {"t": weight("t", 10, 16, kind=TensorProto.INT8), "i": (2, 3)}
    (work,) = works(node_graph("Gather", inputs, types={"i": int(TensorProto.INT64)}))
    assert (work.kind, work.inputs, work.outputs, work.parameters) == ("embedding", 6, 96, 160)


def test_a_grid_is_a_product_at_each_of_its_places() -> None:
    size = number("size", 2, 3, 5, 6, kind=np.int64)
    (work,) = works(node_graph("AffineGrid", {"theta": (2, 2, 3), "size": size}))
    assert work.multiply_adds == 2 * 5 * 6 * 2 * 3


MOVES: list[tuple[str, Inputs, dict[str, Any]]] = [
    ("Transpose", {"x": MAP}, {"perm": [0, 2, 3, 1]}),
    ("Reshape", {"x": MAP, "s": number("s", 6, 16, kind=np.int64)}, {}),
    ("Identity", {"x": MAP}, {}),
    ("DepthToSpace", {"x": (2, 4, 4, 4)}, {"blocksize": 2}),
    ("Slice", {"x": MAP, "a": number("a", 1, 1, kind=np.int64), "b": number("b", 3, 3, kind=np.int64)}, {}),
]


@pytest.mark.parametrize(("operator", "inputs", "attributes"), MOVES)
def test_what_only_moves_costs_nothing(operator: str, inputs: Inputs, attributes: dict[str, Any]) -> None:
    assert ("", operator) in NOTHING
    count = counted(node_graph(operator, inputs, **attributes))
    assert not count.unknown
    assert (count.multiply_adds, count.parameters, count.activations) == (0, 0, 0)


@pytest.mark.parametrize(("operator", "inputs"), [("Det", {"x": (3, 3)}), ("DFT", {"x": (2, 8, 1)})])
def test_what_is_not_counted_is_listed(operator: str, inputs: Inputs) -> None:
    assert ("", operator) in NOT_COUNTED
    count = counted(node_graph(operator, inputs))
    assert list(count.unknown) == [operator]


def test_an_operator_of_somebody_is_listed_and_its_parameters_are_counted() -> None:
    graph = node_graph("Own", {"x": (2, 3), "w": weight("w", 3, 4)}, domain="com.example")
    count = counted(graph)
    assert list(count.unknown) == ["Own"]
    assert count.parameters == 12


def test_embedding_and_norm_of_one_node_are_two_operations() -> None:
    tables = {name: weight(name, rows, 8) for name, rows in (("w", 10), ("p", 5), ("t", 2))}
    inputs: Inputs = {"i": (2, 3), "s": (2, 3), **tables, "g": weight("g", 8), "b": weight("b", 8)}
    graph = node_graph("EmbedLayerNormalization", inputs, domain=MICROSOFT, types={"i": 6, "s": 6})
    assert kinds(counted(graph)) == ["embedding", "layer_norm"]
    assert counted(graph).parameters == 8 * (10 + 5 + 2 + 2)

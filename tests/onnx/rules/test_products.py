"""Products and attention in one node, by arithmetic: those of onnx and those that onnxruntime fuses to."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, numpy_helper

from costlab.onnx.rules.registry import MICROSOFT, ML
from tests.onnx.rules.exporting import counted, node_graph, weight, works

Inputs = dict[str, Any]
INT8 = {"kind": TensorProto.INT8}


def scale(name: str) -> TensorProto:
    """A scale of quantization."""
    return numpy_helper.from_array(np.array(0.5, np.float32), name)


def zero(name: str) -> TensorProto:
    """A zero point."""
    return numpy_helper.from_array(np.array(0, np.int8), name)


def quantized(*names: str) -> Inputs:
    """Scales and zero points by the names of what they are of."""
    made: Inputs = {}
    for name in names:
        made |= {f"{name}_scale": scale(f"{name}_scale"), f"{name}_zero": zero(f"{name}_zero")}
    return made


INTEGER = ("MatMulInteger", "QLinearMatMul", "QGemm", "MatMulIntegerToFloat")
A, B4 = (2, 3, 4), weight("b", 4, 5)
PRODUCTS: list[tuple[str, str, Inputs, dict[str, Any], tuple[Any, ...]]] = [
    # operator, domain, inputs, attributes; kind, multiply-adds, bias adds, weights, parameters
    ("MatMul", "", {"a": A, "b": B4}, {}, ("linear", 2 * 3 * 4 * 5, 0, 20, 20)),
    ("MatMul", "", {"a": A, "b": (2, 4, 5)}, {}, ("matmul", 120, 0, 0, 0)),
    ("MatMul", "", {"a": A, "b": weight("b", 2, 4, 5)}, {}, ("matmul", 120, 0, 0, 40)),
    ("MatMul", "", {"a": weight("a", 3, 4), "b": (4, 5)}, {}, ("matmul", 60, 0, 0, 12)),
    ("MatMul", "", {"a": A, "b": (4,)}, {}, ("matvec", 24, 0, 0, 0)),
    (
        "Gemm",
        "",
        {"a": (3, 4), "b": weight("b", 5, 4), "c": weight("c", 5)},
        {"transB": 1},
        ("linear", 60, 15, 20, 25),
    ),
    ("Gemm", "", {"a": (4, 3), "b": (4, 5)}, {"transA": 1}, ("mm", 60, 0, 0, 0)),
    ("Gemm", "", {"a": (3, 4), "b": (4, 5), "c": (5,)}, {}, ("addmm", 60, 15, 0, 0)),
    ("Gemm", "", {"a": (3, 4), "b": (4, 5), "c": (5,)}, {"beta": 0.0}, ("mm", 60, 0, 0, 0)),
    ("MatMulInteger", "", {"a": A, "b": weight("b", 4, 5, **INT8)}, {}, ("linear", 120, 0, 20, 20)),
    (
        "QLinearMatMul",
        "",
        {"a": A, **quantized("a"), "b": weight("b", 4, 5, **INT8), **quantized("b", "y")},
        {},
        ("linear", 120, 0, 20, 20),
    ),
    ("FusedMatMul", MICROSOFT, {"a": (2, 4, 3), "b": B4}, {"transA": 1}, ("linear", 120, 0, 20, 20)),
    ("FusedMatMul", MICROSOFT, {"a": A, "b": (2, 5, 4)}, {"transB": 1}, ("matmul", 120, 0, 0, 0)),
    ("FusedGemm", MICROSOFT, {"a": (3, 4), "b": B4, "c": weight("c", 5)}, {}, ("linear", 60, 15, 20, 25)),
    (
        "QGemm",
        MICROSOFT,
        {
            "a": (3, 4),
            **quantized("a"),
            "b": weight("b", 4, 5, **INT8),
            **quantized("b"),
            "c": weight("c", 5, kind=6),
        },
        {},
        ("linear", 60, 15, 20, 25),
    ),
    (
        "DynamicQuantizeMatMul",
        MICROSOFT,
        {"a": A, "b": weight("b", 4, 5, **INT8), **quantized("b"), "bias": weight("bias", 5)},
        {},
        ("linear", 120, 30, 20, 25),
    ),
    (
        "MatMulIntegerToFloat",
        MICROSOFT,
        {
            "a": A,
            "b": weight("b", 4, 5, **INT8),
            "as": scale("as"),
            "bs": scale("bs"),
            "_az": (),
            "_bz": (),
            "c": weight("c", 5),
        },
        {},
        ("linear", 120, 30, 20, 25),
    ),
    (
        "MatMulNBits",
        MICROSOFT,
        {"a": (2, 3, 32), "b": weight("b", 8, 1, 16, kind=TensorProto.UINT8), "s": weight("s", 8)},
        {"K": 32, "N": 8, "bits": 4, "block_size": 32},
        ("linear", 2 * 3 * 32 * 8, 0, 256, 256),
    ),
]


@pytest.mark.parametrize(("operator", "domain", "inputs", "attributes", "expected"), PRODUCTS)
def test_products(
    operator: str, domain: str, inputs: Inputs, attributes: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    types = {"a": int(TensorProto.INT8)} if operator in INTEGER else None
    graph = node_graph(operator, inputs, domain=domain, types=types, **attributes)
    (work,) = works(graph)
    assert (work.kind, work.multiply_adds, work.bias_adds, work.weights, work.parameters) == expected
    assert work.activations == work.outputs == work.multiply_adds // _inner(operator, inputs, attributes)


def _inner(operator: str, inputs: Inputs, attributes: dict[str, Any]) -> int:
    a = inputs["a"]
    sizes = tuple(a.dims) if isinstance(a, TensorProto) else a
    return int(sizes[-2 if attributes.get("transA") else -1])


PAST = {"past_key": (2, 4, 7, 8), "past_value": (2, 4, 7, 8)}
ATTENTION: list[tuple[str, str, Inputs, int, dict[str, Any], list[tuple[str, int]]]] = [
    # of 2 inputs, queries of 4 heads, 5 steps, 8 wide; then how many outputs
    (
        "Attention",
        "",
        {"q": (2, 4, 5, 8), "k": (2, 4, 6, 8), "v": (2, 4, 6, 3)},
        1,
        {},
        [("attention", 2 * 4 * 5 * 6 * 11)],
    ),
    (
        "Attention",
        "",
        {"q": (2, 4, 5, 8), "k": (2, 2, 6, 8), "v": (2, 2, 6, 8)},
        1,
        {},
        [("attention", 2 * 4 * 5 * 6 * 16)],
    ),
    (
        "Attention",
        "",
        {"q": (2, 5, 32), "k": (2, 6, 16), "v": (2, 6, 16)},
        1,
        {"q_num_heads": 4, "kv_num_heads": 2, "is_causal": 1},
        [("attention", 2 * 4 * 5 * 6 * 16)],
    ),
    (
        "Attention",
        "",
        {"q": (2, 4, 5, 8), "k": (2, 4, 5, 8), "v": (2, 4, 5, 8), "_mask": (), **PAST},
        4,
        {},
        [("attention", 2 * 4 * 5 * 12 * 16)],
    ),
    (
        "Attention",
        MICROSOFT,
        {"x": (2, 5, 16), "w": weight("w", 16, 48), "b": weight("b", 48)},
        1,
        {"num_heads": 4},
        [("linear", 2 * 5 * 16 * 48), ("attention", 2 * 5 * 5 * 32)],
    ),
    (
        "QAttention",
        MICROSOFT,
        {
            "x": (2, 5, 16),
            "w": weight("w", 16, 48, **INT8),
            "b": weight("b", 48),
            "xs": scale("xs"),
            "ws": scale("ws"),
        },
        1,
        {"num_heads": 4},
        [("linear", 2 * 5 * 16 * 48), ("attention", 2 * 5 * 5 * 32)],
    ),
    (
        "MultiHeadAttention",
        MICROSOFT,
        {"q": (2, 5, 32), "k": (2, 6, 32), "v": (2, 6, 32)},
        1,
        {"num_heads": 4},
        [("attention", 2 * 4 * 5 * 6 * 16)],
    ),
    (
        "MultiHeadAttention",
        MICROSOFT,
        {"q": (2, 5, 4, 3, 8)},
        1,
        {"num_heads": 4},
        [("attention", 2 * 4 * 5 * 5 * 16)],
    ),
    (
        "LinearAttention",
        "",
        {"q": (2, 5, 32), "k": (2, 5, 16), "v": (2, 5, 16)},
        2,
        {"q_num_heads": 4, "kv_num_heads": 2, "update_rule": "linear"},
        [("linear_attention", 2 * 5 * 64 * (2 + 4))],
    ),
]


@pytest.mark.parametrize(("operator", "domain", "inputs", "outputs", "attributes", "expected"), ATTENTION)
def test_attention(
    operator: str,
    domain: str,
    inputs: Inputs,
    outputs: int,
    attributes: dict[str, Any],
    expected: list[tuple[str, int]],
) -> None:
    opset = 28 if operator == "LinearAttention" else 23
    made = works(node_graph(operator, inputs, outputs, domain=domain, opset=opset, **attributes))
    assert [(work.kind, work.multiply_adds) for work in made] == expected
    held = [each for each in inputs.values() if isinstance(each, TensorProto)]
    assert sum(work.parameters for work in made) == sum(
        16 * 48 if each.name == "w" else 48 for each in held if each.name in "wb"
    )


def test_a_linear_model_is_counted_by_its_coefficients() -> None:
    graph = node_graph(
        "LinearRegressor", {"x": (3, 4)}, domain=ML, coefficients=[1.0] * 8, intercepts=[0.0] * 2, targets=2
    )
    count = counted(graph)
    assert (count.multiply_adds, count.total.bias_adds, count.parameters) == (3 * 8, 3 * 2, 10)


GROUPED: Inputs = {"q": (2, 5, 32), "k": (2, 5, 16), "v": (2, 5, 16)}
GROUPED_PAST: Inputs = {"pk": (2, 2, 7, 8), "pv": (2, 2, 7, 8), "lengths": (2,)}


@pytest.mark.parametrize(
    ("inputs", "keys"),
    [
        (GROUPED, 5),
        ({"q": (2, 5, 64), "_k": (), "_v": ()}, 5),  # queries of 4 heads, keys and values of 2, side by side
        (GROUPED | GROUPED_PAST | {"total": (1,)}, 12),
        (GROUPED | GROUPED_PAST | {"total": numpy_helper.from_array(np.array([9], np.int32), "total")}, 9),
    ],
)
def test_groups_of_queries_share_keys(inputs: Inputs, keys: int) -> None:
    types = {name: int(TensorProto.INT32) for name in ("lengths", "total")}
    graph = node_graph(
        "GroupQueryAttention", inputs, 3, domain=MICROSOFT, types=types, num_heads=4, kv_num_heads=2
    )
    (work,) = works(graph)
    assert (work.kind, work.multiply_adds) == ("attention", 2 * 4 * 5 * keys * 16)
    assert (work.outputs, work.parameters) == (2 * 5 * 32, 0)

"""Convolutions, pooling and normalization in nodes of their own, by arithmetic and brute force."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from costlab.onnx.rules.registry import MICROSOFT
from tests.onnx.rules.exporting import node_graph, weight, works
from tests.onnx.rules.test_products import INT8, quantized, scale

Inputs = dict[str, Any]
MAP, LAST = (2, 4, 8, 8), (2, 8, 8, 4)
INTEGER = ("ConvInteger", "QLinearConv")
KERNEL = weight("w", 6, 4, 3, 3)
CONVOLUTIONS: list[tuple[str, str, Inputs, dict[str, Any], tuple[Any, ...]]] = [
    # operator, domain, inputs, attributes; kind, multiply-adds, bias adds, weights, parameters
    (
        "Conv",
        "",
        {"x": MAP, "w": KERNEL, "b": weight("b", 6)},
        {},
        ("conv2d", 2 * 36 * 216, 2 * 36 * 6, 216, 222),
    ),
    (
        "Conv",
        "",
        {"x": MAP, "w": weight("w", 6, 2, 3, 3)},
        {"group": 2},
        ("conv2d", 2 * 36 * 108, 0, 108, 108),
    ),
    ("Conv", "", {"x": MAP, "w": KERNEL}, {"auto_pad": "SAME_UPPER"}, ("conv2d", 2 * 64 * 216, 0, 216, 216)),
    (
        "Conv",
        "",
        {"x": (2, 4, 9), "w": weight("w", 6, 4, 3)},
        {"dilations": [3]},
        ("conv1d", 2 * 3 * 72, 0, 72, 72),
    ),
    ("Conv", "", {"x": MAP, "w": (6, 4, 3, 3)}, {}, ("conv2d", 2 * 36 * 216, 0, 216, 0)),
    (
        "ConvTranspose",
        "",
        {"x": MAP, "w": weight("w", 4, 6, 3, 3), "b": weight("b", 6)},
        {"strides": [2, 2], "output_padding": [1, 1]},
        ("conv_transpose2d", 2 * 64 * 216, 2 * 18 * 18 * 6, 216, 222),
    ),
    (
        "ConvInteger",
        "",
        {"x": MAP, "w": weight("w", 6, 4, 3, 3, **INT8)},
        {},
        ("conv2d", 2 * 36 * 216, 0, 216, 216),
    ),
    (
        "QLinearConv",
        "",
        {
            "x": MAP,
            **quantized("x"),
            "w": weight("w", 6, 4, 3, 3, **INT8),
            **quantized("w", "y"),
            "b": weight("b", 6, kind=TensorProto.INT32),
        },
        {},
        ("conv2d", 2 * 36 * 216, 2 * 36 * 6, 216, 222),
    ),
    (
        "QLinearConv",
        MICROSOFT,
        {"x": LAST, **quantized("x"), "w": weight("w", 6, 4, 3, 3, **INT8), **quantized("w", "y")},
        {"channels_last": 1, "pads": [1, 1, 1, 1], "strides": [2, 2]},
        ("conv2d", 2 * 16 * 216, 0, 216, 216),
    ),
    (
        "FusedConv",
        MICROSOFT,
        {"x": MAP, "w": KERNEL, "b": weight("b", 6)},
        {"activation": "Relu"},
        ("conv2d", 15552, 432, 216, 222),
    ),
    ("NhwcConv", MICROSOFT, {"x": LAST, "w": KERNEL}, {}, ("conv2d", 2 * 36 * 216, 0, 216, 216)),
    (
        "DeformConv",
        "",
        {"x": MAP, "w": KERNEL, "offset": (2, 18, 6, 6), "b": weight("b", 6)},
        {"kernel_shape": [3, 3]},
        ("deform_conv2d", 2 * 36 * 216, 432, 216, 222),
    ),
    (
        "CausalConvWithState",
        "",
        {"x": (2, 4, 9), "w": weight("w", 4, 1, 3), "b": weight("b", 4)},
        {},
        ("conv1d", 2 * 9 * 12, 72, 12, 16),
    ),
]


@pytest.mark.parametrize(("operator", "domain", "inputs", "attributes", "expected"), CONVOLUTIONS)
def test_convolutions(
    operator: str, domain: str, inputs: Inputs, attributes: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    types = {"x": int(TensorProto.INT8)} if operator in INTEGER else None
    count = 2 if operator == "CausalConvWithState" else 1
    (work,) = works(node_graph(operator, inputs, count, domain=domain, types=types, opset=27, **attributes))
    assert (work.kind, work.multiply_adds, work.bias_adds, work.weights, work.parameters) == expected
    assert work.activations == work.outputs


NORMALIZATIONS: list[tuple[str, str, Inputs, dict[str, Any], tuple[str, int, int, int]]] = [
    # operator, domain, inputs, attributes; kind, scalings, bias adds, parameters
    ("LayerNormalization", "", {"x": (2, 3, 8), "s": weight("s", 8)}, {}, ("layer_norm", 48, 0, 8)),
    ("RMSNormalization", "", {"x": (2, 3, 8), "s": weight("s", 8)}, {}, ("rms_norm", 48, 0, 8)),
    (
        "GroupNormalization",
        "",
        {"x": MAP, "s": weight("s", 4), "b": weight("b", 4)},
        {"num_groups": 2},
        ("group_norm", 512, 0, 8),
    ),
    (
        "BatchNormalization",
        "",
        {"x": MAP, **{name: weight(name, 4) for name in ("s", "b", "mean", "variance")}},
        {},
        ("batch_norm2d", 512, 0, 8),
    ),
    (
        "SkipLayerNormalization",
        MICROSOFT,
        {"x": (2, 3, 8), "skip": (2, 3, 8), **{name: weight(name, 8) for name in ("s", "b", "bias")}},
        {},
        ("layer_norm", 48, 48, 24),
    ),
    (
        "SkipSimplifiedLayerNormalization",
        MICROSOFT,
        {"x": (2, 3, 8), "skip": (2, 3, 8), "s": weight("s", 8)},
        {},
        ("rms_norm", 48, 0, 8),
    ),
    ("BiasGelu", MICROSOFT, {"x": (2, 3, 8), "b": weight("b", 8)}, {}, ("gelu", 0, 48, 8)),
    ("FastGelu", MICROSOFT, {"x": (2, 3, 8)}, {}, ("gelu", 0, 0, 0)),
    ("QuickGelu", MICROSOFT, {"x": (2, 3, 8)}, {}, ("gelu", 0, 0, 0)),
    ("PRelu", "", {"x": MAP, "s": weight("s", 4, 1, 1)}, {}, ("prelu", 0, 0, 4)),
    ("LRN", "", {"x": MAP}, {"size": 3}, ("local_response_norm", 0, 0, 0)),
    ("DequantizeLinear", "", {"x": MAP, "s": scale("s")}, {}, ("dequantize", 0, 0, 0)),
]


@pytest.mark.parametrize(("operator", "domain", "inputs", "attributes", "expected"), NORMALIZATIONS)
def test_what_is_normalized(
    operator: str,
    domain: str,
    inputs: Inputs,
    attributes: dict[str, Any],
    expected: tuple[str, int, int, int],
) -> None:
    types = {"x": int(TensorProto.INT8)} if operator == "DequantizeLinear" else None
    (work,) = works(node_graph(operator, inputs, domain=domain, types=types, opset=23, **attributes))
    assert (work.kind, work.scalings, work.bias_adds, work.parameters) == expected
    assert work.multiply_adds == 0


def within(
    sizes: tuple[int, ...], counts: tuple[int, ...], attributes: dict[str, Any], begins: tuple[int, ...]
) -> int:
    """The elements in all windows, one by one."""
    found = 0
    for place in product(*map(range, counts)):
        for step in product(*map(range, attributes["kernel_shape"])):
            at = [
                p * s - b + d * k
                for p, s, b, d, k in zip(
                    place, attributes["strides"], begins, attributes["dilations"], step, strict=True
                )
            ]
            found += all(0 <= a < size for a, size in zip(at, sizes, strict=True))
    return found


AXIS = st.tuples(
    st.integers(7, 10), *(st.integers(1, 3) for _ in range(3)), st.integers(0, 1), st.integers(0, 1)
)


@settings(max_examples=10, deadline=None)
@given(
    st.lists(AXIS, min_size=1, max_size=2),
    st.booleans(),
    st.sampled_from(["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]),
)
def test_means_hold_the_elements_of_their_windows(axes: list[Any], up: bool, mode: str) -> None:
    sizes, kernel, strides, dilations, before, after = zip(*axes, strict=True)
    attributes = {"kernel_shape": kernel, "strides": strides, "dilations": dilations}
    more: dict[str, Any] = (
        {"pads": (*before, *after), "ceil_mode": int(up)} if mode == "NOTSET" else {"auto_pad": mode}
    )
    given: dict[str, Any] = attributes | more
    graph = node_graph("AveragePool", {"x": (2, 3, *sizes)}, **given)
    (work,) = works(graph)
    counts = graph_sizes(graph)
    reached = [
        (c - 1) * s + d * (k - 1) + 1 - n
        for c, s, d, k, n in zip(counts, strides, dilations, kernel, sizes, strict=True)
    ]
    lower = [max(each, 0) // 2 for each in reached]
    upper = [max(each, 0) - each_low for each, each_low in zip(reached, lower, strict=True)]
    begins = {
        "NOTSET": before,
        "VALID": (0,) * len(sizes),
        "SAME_UPPER": tuple(lower),
        "SAME_LOWER": tuple(upper),
    }[mode]
    assert work.kind == f"avg_pool{len(sizes)}d"
    assert work.window_elements == 2 * 3 * within(sizes, counts, attributes, begins)


def graph_sizes(graph: Any) -> tuple[int, ...]:
    """The sizes of the map that comes out."""
    return tuple(graph.walk(graph.default_input).output)[2:]


POOLS: list[tuple[str, str, tuple[int, ...], dict[str, Any], tuple[str, int, int]]] = [
    ("MaxPool", "", MAP, {"kernel_shape": [2, 2]}, ("max_pool2d", 2 * 4 * 49, 0)),
    (
        "NhwcMaxPool",
        MICROSOFT,
        LAST,
        {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
        ("max_pool2d", 2 * 4 * 16, 0),
    ),
    ("GlobalAveragePool", "", MAP, {}, ("adaptive_avg_pool2d", 8, 512)),
    ("GlobalMaxPool", "", MAP, {}, ("adaptive_max_pool2d", 8, 0)),
    ("LpPool", "", MAP, {"kernel_shape": [2, 2]}, ("lp_pool2d", 392, 0)),
    ("GlobalLpPool", "", MAP, {}, ("lp_pool2d", 8, 0)),
    (
        "AveragePool",
        "",
        MAP,
        {"kernel_shape": [3, 3], "pads": [1] * 4, "count_include_pad": 1},
        ("avg_pool2d", 512, 512 * 9),
    ),
]


@pytest.mark.parametrize(("operator", "domain", "sizes", "attributes", "expected"), POOLS)
def test_pools(
    operator: str,
    domain: str,
    sizes: tuple[int, ...],
    attributes: dict[str, Any],
    expected: tuple[str, int, int],
) -> None:
    (work,) = works(node_graph(operator, {"x": sizes}, domain=domain, **attributes))
    assert (work.kind, work.outputs, work.window_elements) == expected
    assert (work.multiply_adds, work.activations, work.parameters) == (0, 0, 0)

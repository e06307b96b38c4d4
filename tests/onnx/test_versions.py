"""Operators as versions have them, types that they do not take yet, maps that onnxruntime lays out anew."""

import numpy as np
import pytest

from costlab import TargetError, count
from tests.onnx.graphs import counted, parsed, sizes_in


def test_bfloat16_is_taken_by_operators_of_before_it() -> None:
    """Of operator set 17 a convolution takes none; exporters write it all the same."""
    text = """g (bfloat16[2,3,8,8] x, bfloat16[%s] w) => (bfloat16[2,4,12,12] y) {
        c = Conv (x, w)
        y = Resize <mode = "nearest"> (c, , f)
    }"""
    factors = np.array([1, 1, 2, 2], np.float32)
    head = '<ir_version: 10, opset_import: ["" : 11]>'
    t = counted(head + text % "4,3,3,3", f=factors)
    assert t.multiply_adds == 2 * 36 * 4 * 27
    assert t.root.output == (2, 4, 12, 12)
    assert t.unsized == {}
    with pytest.raises(TargetError, match="its weights are for 2 channels, and 2x3x8x8 has 3"):
        counted(head + text % "4,2,3,3", f=factors)


@pytest.mark.parametrize("version", [9, 11, 12, 13, 18])
def test_sizes_that_are_computed_by_operators_of_any_version(version: int) -> None:
    """Until 13 axes are attributes, and until 10 so is where a slice begins and ends."""
    late, cut = version >= 13, version >= 10
    over, reduced = ("", "s, zeros") if version >= 18 else ("axes = [0], ", "s")
    text = f"""g (float[2,3,4,5] x, float[12,7] w) => (float[N] y) {{
        s = Shape (x)
        f = Slice {"(s, zeros, ones)" if cut else "<starts = [0], ends = [1]> (s)"}
        n = Squeeze {"(f, zeros)" if late else "<axes = [0]> (f)"}
        u = Unsqueeze {"(n, zeros)" if late else "<axes = [0]> (n)"}
        p = ReduceProd <{over}keepdims = 0> ({reduced})
        q = Unsqueeze {"(p, zeros)" if late else "<axes = [0]> (p)"}
        d = Div (q, twelve)
        k = Concat <axis = 0> (d, rest)
        r = Reshape (x, k)
        y = MatMul (r, w)
    }}"""
    integers = {"zeros": [0], "ones": [1], "twelve": [12], "rest": [12]}
    held = {name: np.array(each, np.int64) for name, each in integers.items()}
    model = parsed(
        f'<ir_version: 8, opset_import: ["" : {version}]> {text}', w=np.ones((12, 7), np.float32), **held
    )
    sizes = sizes_in(model, {"x": (2, 3, 4, 5)})
    assert (sizes["n"], sizes["u"], sizes["r"], sizes["y"]) == ((), (1,), (10, 12), (10, 7))
    assert count(model).multiply_adds == 10 * 12 * 7


def test_an_operator_of_later_versions_is_that_operator() -> None:
    """onnxruntime fuses to a layer norm, which begins with 17, in files of any version."""
    head = '<ir_version: 7, opset_import: ["" : 14]>'
    text = """g (float[2,5,4] x, float[4] a, float[4] b, float[4,3] w) => (float[N,5,3] y) {
        n = %s <axis = -1> (x, a, b)
        y = MatMul (n, w)
    }"""
    for operator in ("LayerNormalization", "SimplifiedLayerNormalization"):
        t = counted(head + text % operator)
        assert (t.multiply_adds, t.unsized, t.without_rule) == (2 * 5 * 3 * 4, {}, {})
    made = "i = NonZero (z) x = Cast <to = 1> (i) n ="
    t = counted(head + text.replace("] x", "] z").replace("n =", made) % "LayerNormalization")
    assert list(t.unsized) == ["NonZero", "LayerNormalization", "MatMul"]


BLOCKED = """<ir_version: 8, opset_import: ["" : 17, "com.microsoft.nchwc" : 1]>
g (float[2,12,8,8] x, float[16,12,3,3] w, float[16] b, float[32,16,1,1] v) => (float[N] y, float[N] z) {
    i = com.microsoft.nchwc.ReorderInput (x)
    c = com.microsoft.nchwc.Conv <strides = [2,2], pads = [1,1,1,1]> (i, w, b)
    m = com.microsoft.nchwc.MaxPool <kernel_shape = [2,2], strides = [2,2]> (c)
    u = com.microsoft.nchwc.Upsample <scales = [1,1,3,3], mode = "nearest"> (m)
    a = com.microsoft.nchwc.AveragePool <kernel_shape = [3,3], count_include_pad = 1> (u)
    d = com.microsoft.nchwc.Conv (a, v)
    y = com.microsoft.nchwc.ReorderOutput <channels = 30, channels_last = 1> (d)
    p = com.microsoft.nchwc.GlobalAveragePool (d)
    q = com.microsoft.nchwc.GlobalMaxPool (p)
    z = com.microsoft.nchwc.ReorderOutput <channels = 30> (q)
}"""


def test_what_onnxruntime_lays_out_in_blocks_of_channels() -> None:
    held = {"w": np.ones((16, 12, 3, 3), np.float32), "v": np.ones((32, 16, 1, 1), np.float32)}
    model = parsed(BLOCKED, **held, b=np.ones(16, np.float32))
    sizes = sizes_in(model, {"x": (2, 12, 8, 8)})
    assert [sizes[name] for name in "cmua"] == [(2, 16, size, size) for size in (4, 2, 6, 4)]
    assert (sizes["d"], sizes["y"]) == ((2, 32, 4, 4), (2, 4, 4, 30))
    assert (sizes["p"], sizes["z"]) == ((2, 32, 1, 1), (2, 30, 1, 1))
    t = count(model)
    first, second = 2 * 16 * 16 * 12 * 9, 2 * 16 * 32 * 16
    assert t.by_operator() == {
        "conv2d": first + second,
        **dict.fromkeys(("max_pool2d", "interpolate_nearest", "avg_pool2d"), 0),
        **dict.fromkeys(("adaptive_avg_pool2d", "adaptive_max_pool2d"), 0),
    }
    assert (t.parameters, t.bias_adds) == (16 * 12 * 9 + 16 + 32 * 16, 2 * 16 * 16)
    assert (t.unsized, t.without_rule) == ({}, {})

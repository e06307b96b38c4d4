"""The sizes of tensors, held against onnx's own inference and against what its reference computes."""

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, shape_inference
from onnx.reference import ReferenceEvaluator

from costlab import TargetError
from tests.onnx.graphs import counted, parsed, sizes_in

W = np.ones((4, 3, 3, 3), np.float32)
RESHAPED = """agraph (float[N,3,H,W] x) => (float[A,B] y) {
    c = Conv <pads = [1,1,1,1]> (x, w)
    s = Shape (c)
    n = Gather <axis = 0> (s, zero)
    u = Unsqueeze (n, zeros)
    k = Concat <axis = 0> (u, rest)
    r = Reshape (c, k)
    h = Slice (s, two, four)
    f = Cast <to = 1> (h)
    d = Mul (f, twice)
    i = Cast <to = 7> (d)
    both = Concat <axis = 0> (front, i)
    z = Resize <mode = "nearest"> (c, , , both)
    m = ReduceMean <keepdims = 0> (z, axes)
    y = Add (m, one)
}"""
HELD = {
    "w": W,
    "zero": np.array(0),
    "zeros": np.array([0]),
    "rest": np.array([-1]),
    "two": np.array([2]),
    "four": np.array([4]),
    "twice": np.array([2.0], np.float32),
    "front": np.array([2, 4]),
    "axes": np.array([2, 3]),
    "one": np.float32(1),
}


def real_sizes(model: ModelProto, given: dict[str, np.ndarray[Any, Any]]) -> dict[str, tuple[int, ...]]:
    """The sizes of all that onnx's reference computes."""
    for node in model.graph.node:
        known = {each.name for each in model.graph.output}
        model.graph.output.extend(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
            for name in node.output
            if name not in known
        )
    run = ReferenceEvaluator(model)
    return dict(zip(run.output_names, (np.shape(each) for each in run.run(None, given)), strict=True))


def test_sizes_are_those_of_what_is_computed() -> None:
    model = parsed(RESHAPED, **HELD)
    told = sizes_in(model, {"x": (2, 3, 6, 10)})
    real = real_sizes(model, {"x": np.zeros((2, 3, 6, 10), np.float32)})
    assert len(real) == 14
    assert {name: told[name] for name in real} == real
    assert told["z"] == (2, 4, 12, 20)


def test_it_sizes_more_than_inference_of_the_whole_graph() -> None:
    model = parsed(RESHAPED, **HELD)
    for place, size in enumerate((2, 3, 6, 10)):
        model.graph.input[0].type.tensor_type.shape.dim[place].dim_value = size
    inferred = shape_inference.infer_shapes(model, data_prop=True)
    told = sizes_in(model, {"x": (2, 3, 6, 10)})
    whole = {
        each.name: tuple(dim.dim_value for dim in each.type.tensor_type.shape.dim)
        for each in inferred.graph.value_info
        if all(dim.HasField("dim_value") for dim in each.type.tensor_type.shape.dim)
    }
    assert {name: told[name] for name in whole} == whole
    assert "z" not in whole  # through a product of floating point


@pytest.mark.parametrize(
    ("node", "given", "wanted"),
    [
        ("Gelu (x)", {"x": (2, 5, 8)}, (2, 5, 8)),
        ("SkipLayerNormalization (x, x, w)", {"x": (2, 5, 8), "w": (8,)}, (2, 5, 8)),
        ("FusedMatMul <transA = 1, transB = 1> (x, w)", {"x": (2, 8, 5), "w": (7, 8)}, (2, 5, 7)),
        ("FusedConv <strides = [2,2]> (x, w)", {"x": (1, 3, 9, 9), "w": (4, 3, 3, 3)}, (1, 4, 4, 4)),
        ("Attention (x, w, b)", {"x": (2, 5, 8), "w": (8, 24), "b": (24,)}, (2, 5, 8)),
        ("MultiHeadAttention (x, w, b)", {"x": (2, 5, 8), "w": (2, 7, 8), "b": (2, 7, 16)}, (2, 5, 16)),
        ("MatMulNBits <K = 8, N = 6> (x, w)", {"x": (2, 5, 8), "w": (6, 1, 4)}, (2, 5, 6)),
        (
            "QLinearConcat <axis = 1> (s, z, x, s, z, w, s, z)",
            {"s": (), "z": (), "x": (1, 3), "w": (1, 4)},
            (1, 7),
        ),
        ("QLinearGlobalAveragePool (x, s, z, s, z)", {"x": (1, 3, 9, 9), "s": (), "z": ()}, (1, 3, 1, 1)),
        ("DynamicQuantizeMatMul (x, w, s)", {"x": (4, 3), "w": (3, 5), "s": ()}, (4, 5)),
        ("NobodyKnows (x)", {"x": (4, 3)}, None),
    ],
)
def test_operators_of_onnxruntime(node: str, given: dict[str, Any], wanted: Any) -> None:
    inputs = ", ".join(f"float[{','.join('?' for _ in sizes)}] {name}" for name, sizes in given.items())
    text = inputs.replace("float[]", "float")
    head = '<ir_version: 10, opset_import: ["" : 18, "com.microsoft" : 1]>\n'
    model = parsed(f"{head}agraph ({text}) => (float y) {{ y = com.microsoft.{node} }}")
    assert sizes_in(model, given)["y"] == wanted


def test_what_the_file_declares_helps_where_nobody_knows() -> None:
    head = '<ir_version: 10, opset_import: ["" : 18, "com.acme" : 1]>\n'
    text = """agraph (float[N,8] x) => (float[N,4] y) <float[N,8] z> {
        z = com.acme.Mystery (x)
        y = MatMul (z, w)
    }"""
    found = counted(head + text, batch=5, w=np.ones((8, 4), np.float32))
    assert found.multiply_adds == 5 * 8 * 4
    assert dict(found.without_rule) == {"Mystery": ("Mystery",)}
    assert not found.unsized


def test_what_has_no_sizes_is_told_and_not_counted_as_nothing() -> None:
    text = """agraph (float[3,4] x) => (float[N,5] y) {
        p = NonZero (x)
        t = Transpose (p)
        f = Cast <to = 1> (t)
        y = MatMul (f, w)
    }"""
    found = counted(text, w=np.ones((2, 5), np.float32))
    assert found.multiply_adds == 0
    assert dict(found.unsized)["MatMul"] == ("MatMul",)
    assert "MatMul" not in found.without_rule
    assert "MatMul" in found.unsupported
    assert found.parameters == 10  # which are known all the same


@pytest.mark.parametrize(
    ("text", "given", "told"),
    [
        (
            "agraph (float[N,C] x) => (float[N,M] y) { y = MatMul (x, w) }",
            "2x7",
            "MatMul 'y' does not take 2x7 and 3x5",
        ),
        (
            "agraph (float[A,B] x, float[C,D] z) => (float[E,F] y) { y = Add (x, z) }",
            ["2x3", "z:4x3"],
            "Add 'y' does not take 2x3 and 4x3",
        ),
        (
            "agraph (float[A,B,C] x, float[D,E,F] z) => (float[G,H,I] y) { y = Concat <axis = 1> (x, z) }",
            ["x:1x3x4", "z:1x3x5"],
            "Concat 'y' does not take 1x3x4 and 1x3x5",
        ),
        (
            "agraph (float[N,C,H,W] x) => (float[N,M,A,B] y) { y = Conv (x, k) }",
            "1x4x8x8",
            "Conv 'y': its weights are for 3 channels, and 1x4x8x8 has 4",
        ),
        (
            "agraph (float[N,C,H,W] x) => (float[N,M,A,B] y) { y = ConvTranspose (x, k) }",
            "1x3x8x8",
            "ConvTranspose 'y': its weights are for 4 channels, and 1x3x8x8 has 3",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(text: str, given: Any, told: str) -> None:
    with pytest.raises(TargetError, match=f"^agraph: {told}"):
        counted(text, given, w=np.ones((3, 5), np.float32), k=W)


def test_spectra_of_real_signals_have_half_of_the_frequencies() -> None:
    model = parsed(
        "agraph (float[1,128,1] x) => (float[A,B,C,D] y) { y = STFT (x, step, , length) }",
        step=np.array(8),
        length=np.array(16),
    )
    real = real_sizes(model, {"x": np.zeros((1, 128, 1), np.float32)})
    assert sizes_in(model, {"x": (1, 128, 1)})["y"] == real["y"] == (1, 15, 9, 2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of onnx's own tests, as they are made
def test_sizes_of_all_nodes_of_onnxs_own_tests() -> None:
    from onnx.backend.test.case.node import collect_testcases

    right = 0
    for case in collect_testcases(None):
        model = case.model
        assert model is not None
        assert case.data_sets is not None
        given, wanted = case.data_sets[0]
        del model.graph.value_info[:]
        arrays = dict(zip((each.name for each in model.graph.input), given, strict=False))
        plain = {name: each for name, each in arrays.items() if isinstance(each, np.ndarray)}
        tensors = [each for each in model.graph.input if each.type.HasField("tensor_type")]
        if len(plain) < len(model.graph.input) or len(tensors) < len(model.graph.input):
            continue
        told = sizes_in(
            model,
            {
                name: each if each.dtype in ("int64", "int32", "bool") else each.shape
                for name, each in plain.items()
            },
        )
        for output, real in zip(model.graph.output, wanted, strict=False):
            sizes = told.get(output.name)
            if sizes is not None and None not in sizes and isinstance(real, np.ndarray):
                assert sizes == real.shape, case.name
                right += 1
    assert right > 1_800

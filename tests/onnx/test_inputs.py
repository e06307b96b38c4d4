"""What goes into a graph: what its file says, and what is given."""

from typing import Any

import numpy as np
import pytest

from costlab import DefinitionError, TargetError, count
from tests.onnx.graphs import counted, parsed

W = np.ones((3, 5), np.float32)
ONE = "agraph (float[N,3] x) => (float[N,5] y) { y = MatMul (x, w) }"
TWO = """agraph (
    float[batch,3] x, int64[batch,length] tokens, float[2,batch,length] state
) => (float[batch,5] y) {
    y = MatMul (x, w)
}"""
IMAGE = "agraph (float[?,3,?,?] x) => (float[N,3,A,B] y) { y = Relu (x) }"


def test_a_batch_that_is_open_is_one_and_may_be_another() -> None:
    assert str(counted(ONE, w=W).input) == "1x3"
    found = counted(ONE, batch=4, w=W)
    assert str(found.input) == "4x3"
    assert found.multiply_adds == 4 * 15


def test_a_batch_that_the_file_fixes_stays() -> None:
    fixed = ONE.replace("N,3", "7,3").replace("N,5", "7,5")
    assert counted(fixed, w=W).multiply_adds == 7 * 15
    with pytest.raises(DefinitionError, match=r"^agraph is fixed at 7x3: leave batch=2 out$"):
        counted(fixed, batch=2, w=W)


def test_sizes_of_one_name_are_one() -> None:
    found = counted(TWO, ["tokens:2x9"], w=W)
    assert str(found.input) == "x:2x3 tokens:2x9:int64 state:2x2x9:float32"
    with pytest.raises(DefinitionError, match=r"'batch' is 4 in the input x and 2 in tokens: sizes of one"):
        counted(TWO, ["4x3", "2x9"], w=W)


@pytest.mark.parametrize(
    ("text", "given", "told"),
    [
        (
            IMAGE,
            "2x3x5",
            r"1x2x3x5 does not fit the input x: \?x3x\?x\?: the file fixes",
        ),
        (IMAGE, "2x4x5x5", r"2x4x5x5 does not fit the input x: \?x3x\?x\?: the file fixes size 2 at 3"),
        (IMAGE, "1x2x3x4x5", r"1x2x3x4x5 does not fit the input x: \?x3x\?x\?: it has 4 sizes"),
        (IMAGE, ["1x3x5x5", "1x3x5x5"], r"2 inputs are given, and the graph takes 1 \(x: \?x3x\?x\?\)"),
        (IMAGE, ["z:1x3x5x5"], r"there is no input 'z'"),
        (IMAGE, ["1x3x5x5:int64"], r"the input x holds float32, not int64"),
        (IMAGE, ["1x3x5x5", "x:1x3x5x5"], r"the input x is given twice, in its order and by name"),
        (
            TWO,
            ["1x3"],
            r"tokens is not given, and it takes x: batch x 3; tokens: batch x length",
        ),
        (IMAGE, {"x": "what"}, r"the input x must be sizes or a tensor, not 'what'"),
    ],
)
def test_what_does_not_fit_is_refused(text: str, given: Any, told: str) -> None:
    with pytest.raises(DefinitionError, match=f"^agraph: ({told})"):
        counted(text, given, w=W)


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ("[N,3,?,?]", r"x: N x 3 x \? x \?; give --input x:1x3x224x224"),
        ("[?,3,?,?]", r"x: \?x3x\?x\?; give --input x:1x3x224x224"),
        ("[1,length]", r"x: 1 x length; give --input x:1x128"),
        ("[length,8]", r"x: length x 8; give --input x:1x8"),
        ("[]", r"x: of any rank; give --input x:1x3x224x224"),
    ],
)
def test_what_is_open_is_asked_for(sizes: str, told: str) -> None:
    model = parsed(f"agraph (float{sizes} x) => (float y) {{ y = Relu (x) }}")
    if sizes == "[]":
        model.graph.input[0].type.tensor_type.ClearField("shape")
    with pytest.raises(TargetError, match=f"^agraph has no input shape of its own: it takes {told}$"):
        count(model)


def test_a_shape_without_its_batch_gets_one() -> None:
    assert str(counted(IMAGE, (3, 8, 9)).input) == "1x3x8x9"
    assert str(counted(IMAGE, "3x8x9", batch=5).input) == "5x3x8x9"
    assert (
        str(counted("agraph (float[3,A,B] x) => (float[3,A,B] y) { y = Relu (x) }", "3x8x9").input)
        == "3x8x9:float32"
    )


def test_tensors_are_inputs_and_small_integers_keep_their_values() -> None:
    text = """agraph (float[N,3] x, int64[2] shape) => (float[A,B] y) {
        r = Reshape (x, shape)
        y = MatMul (r, w)
    }"""
    given = {"x": np.zeros((4, 3), np.float32), "shape": np.array([6, 2])}
    found = counted(text, given, w=np.ones((2, 5), np.float32))
    assert found.multiply_adds == 6 * 2 * 5
    unknown = counted(text, ["x:4x3", "shape:2:int64"], w=np.ones((2, 5), np.float32))
    assert set(unknown.unsized) == {"MatMul"}


def test_what_the_file_holds_is_no_input() -> None:
    text = "agraph (float[N,3] x, float[3,5] w) => (float[N,5] y) { y = MatMul (x, w) }"
    assert str(counted(text, w=W).input) == "1x3"


def test_names_that_are_no_arguments_of_python() -> None:
    model = parsed("agraph (float[A,3] a, float[B,3] b) => (float[A,3] y) { y = Add (a, b) }")
    names = {"a": "input.1", "b": "images:0"}
    for each in model.graph.input:
        each.name = names[each.name]
    model.graph.node[0].input[:] = names.values()
    found = count(model, ["input.1:2x3", "images:0:2x3"])
    assert str(found.input) == "input.1:2x3 images:0:2x3"


@pytest.mark.parametrize("written", [0, -1])
def test_sizes_that_exporters_write_for_open_ones(written: int) -> None:
    model = parsed(ONE, w=W)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = written
    assert str(count(model, batch=2).input) == "2x3"


def test_names_that_say_nothing_are_not_one_size() -> None:
    model = parsed("agraph (float[1,3,A,B] x) => (float[1,3,A,B] y) { y = Relu (x) }")
    for place in (2, 3):
        model.graph.input[0].type.tensor_type.shape.dim[place].dim_param = "?"
    assert str(count(model, "1x3x4x6").input) == "1x3x4x6"


def test_sequences_are_no_inputs_with_sizes() -> None:
    text = "agraph (seq(float[N]) s, float[N,3] x) => (float[N,5] y) { y = MatMul (x, w) }"
    assert str(counted(text, w=W).input) == "1x3"

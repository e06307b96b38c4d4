"""Branches, loops and functions of a graph."""

import numpy as np
import pytest

from costlab import Count, TargetError, lint
from costlab.algebra.traced import COND_ON_DATA
from tests.onnx.graphs import HEAD, counted, parsed

W, V = np.ones((3, 5), np.float32), np.ones((3, 7), np.float32)
BRANCH = """agraph (float[N,3] x, bool c) => (float[N,M] y) {{
    y = If (c) <
        then_branch = one () => (float[N,A] a) {{ a = MatMul (x, {0}) }},
        else_branch = two () => (float[N,B] b) {{ b = MatMul (x, {1}) }}
    >
}}"""
LOOP = """agraph (float[N,3] x) => (float[N,3] y, float[K,N,5] all) {
    y, all = Loop (trips, , x) <
        body = round (int64 i, bool go, float[N,3] state) => (bool on, float[N,3] next, float[N,5] out) {
            on = Identity (go)
            out = MatMul (state, w)
            next = Relu (state)
        }
    >
}"""


def branched(one: str, two: str) -> Count:
    return counted(
        BRANCH.format(one, two), ["x:1x3", "c:scalar:bool"], w=W, v=V, u=np.ones((3, 5), np.float32)
    )


def test_both_branches_are_counted_where_data_decides() -> None:
    found = branched("w", "v")
    assert found.multiply_adds == 15 + 21
    assert dict(found.undecided) == {COND_ON_DATA: (COND_ON_DATA,)}
    charged = [row.path for row in found.rows if row.work.multiply_adds != 0]
    assert charged == ["if.true_branch", "if.false_branch"]


def test_branches_that_cost_the_same_are_one() -> None:
    found = branched("w", "u")
    assert found.multiply_adds == 15
    assert found.parameters == 30  # of the other, too
    assert not found.undecided


def test_a_condition_that_is_known_chooses() -> None:
    text = BRANCH.format("w", "v").replace(", bool c", "")
    assert counted(text, "1x3", w=W, v=V, c=np.array(True)).multiply_adds == 15
    assert counted(text, "1x3", w=W, v=V, c=np.array(False)).multiply_adds == 21


def test_a_branch_that_does_not_take_what_goes_in_cannot_run() -> None:
    text = BRANCH.format("w", "v")
    found = counted(text, ["x:1x3", "c:scalar:bool"], w=W, v=np.ones((4, 7), np.float32))
    assert found.multiply_adds == 15
    assert found.parameters == 15
    assert not found.undecided
    with pytest.raises(TargetError, match="MatMul 'a' does not take"):
        counted(text, ["x:1x3", "c:scalar:bool"], w=W.T.copy(), v=V.T.copy())


def test_a_loop_is_done_as_often_as_it_says() -> None:
    found = counted(LOOP, batch=2, w=W, trips=np.array(6))
    assert found.multiply_adds == 6 * 2 * 15
    assert found.parameters == 15  # held once
    assert not found.unsupported
    assert counted(LOOP, w=W, trips=np.array(0)).multiply_adds == 0


def test_a_loop_whose_sizes_grow_is_followed_round_by_round() -> None:
    text = """agraph (float[1,3] x) => (float[A,3] y) {
        y = Loop (trips, , x) <
            body = round (int64 i, bool go, float[A,3] state) => (bool on, float[B,3] next) {
                on = Identity (go)
                p = MatMul (state, w)
                next = Concat <axis = 0> (state, x)
            }
        >
    }"""
    found = counted(text, w=W, trips=np.array(4))
    assert found.multiply_adds == (1 + 2 + 3 + 4) * 15
    assert found.root.output == (5, 3)


@pytest.mark.parametrize("ends", ["trips", "data"])
def test_a_loop_that_data_ends_is_told_and_not_counted(ends: str) -> None:
    text = LOOP.replace("on = Identity (go)", "m = ReduceMax <keepdims = 0> (state)\n on = Cast <to = 9> (m)")
    if ends == "trips":
        text = LOOP.replace("float[N,3] x)", "float[N,3] x, int64 trips)", 1)
        found = counted(text, ["x:1x3", "trips:scalar:int64"], w=W)
    else:
        found = counted(text, w=W, trips=np.array(6))
    assert found.multiply_adds == 0
    assert found.parameters == 15
    assert dict(found.without_rule) == {"Loop": ("Loop",)}


def test_a_scan_is_done_for_each_slice() -> None:
    text = """agraph (float[N,3] s, float[9,N,3] x) => (float[N,3] y, float[9,N,5] all) {
        y, all = Scan <num_scan_inputs = 1,
            body = step (float[N,3] state, float[N,3] slice) => (float[N,3] next, float[N,5] out) {
                next = Add (state, slice)
                out = MatMul (next, w)
            }
        > (s, x)
    }"""
    found = counted(text, ["s:2x3", "x:9x2x3:float32"], w=W)
    assert found.multiply_adds == 9 * 2 * 15
    assert not found.unsupported


def test_functions_of_a_file_are_modules() -> None:
    head = HEAD.replace('"" : 18', '"" : 18, "local" : 1')
    text = """agraph (float[N,3] x) => (float[N,5] y) {
        a = local.twice (x, w)
        y = local.twice (x, v)
    }
    <domain: "local", opset_import: ["" : 18]>
    twice (x, k) => (z) { m = MatMul (x, k)  n = MatMul (x, k)  z = Add (m, n) }
    """
    found = counted(head + text, batch=2, w=W, v=W)
    assert found.multiply_adds == 4 * 2 * 15
    assert {row.path.partition(".")[0] for row in found.rows} == {"twice"}
    assert found.root.output == (2, 5)


SPLIT = """agraph (float[N,6] x) => (float[N,A] y) {{
    s = SplitToSequence <axis = 1> (x, parts)
    {0}
    y = MatMul (a, w)
}}"""


@pytest.mark.parametrize(
    ("nodes", "columns"),
    [
        ("a = SequenceAt (s, one)", 3),
        ("a = ConcatFromSequence <axis = 1> (s)", 6),
        ("e = SequenceErase (s, one) a = ConcatFromSequence <axis = 1> (e)", 3),
        ("e = SequenceInsert (s, x) a = ConcatFromSequence <axis = -1> (e)", 12),
        ("e = SequenceConstruct (x, x) a = ConcatFromSequence <axis = -1> (e)", 12),
        ("n = SequenceEmpty () e = SequenceInsert (n, x) a = SequenceAt (e, last)", 6),
        (
            """m = SequenceMap (s) <body = each (float[N,3] i) => (float[N,4] o) { o = MatMul (i, v) }>
            a = ConcatFromSequence <axis = 1> (m)""",
            8,
        ),
    ],
)
def test_sequences_whose_items_are_known(nodes: str, columns: int) -> None:
    held = {
        "w": np.ones((columns, 5), np.float32),
        "v": np.ones((3, 4), np.float32),
        "parts": np.array([3, 3]),
        "one": np.array(1),
        "last": np.array(-1),
    }
    found = counted(SPLIT.format(nodes), batch=2, **held)
    mapped = 2 * 2 * 3 * 4 if "SequenceMap" in nodes else 0
    assert found.multiply_adds == 2 * columns * 5 + mapped
    assert not found.unsupported


@pytest.mark.parametrize(
    ("nodes", "columns"),
    [("a = SequenceAt (s, one)", 4), ("a = ConcatFromSequence <axis = 1> (s)", 8)],
)
def test_parts_of_a_weight_are_weights(nodes: str, columns: int) -> None:
    text = f"""agraph (float[N,3] x) => (float[N,{columns}] y) {{
        s = SplitToSequence <axis = 1> (w, parts)
        {nodes}
        y = MatMul (x, a)
    }}"""
    held = {"w": np.ones((3, 8), np.float32), "parts": np.array([4, 4]), "one": np.array(1)}
    found = counted(text, batch=2, **held)
    assert (found.multiply_adds, found.weights) == (2 * 3 * columns, 3 * columns)
    assert (found.parameters, found.activations) == (24, 2 * columns)
    assert [row.operation for row in found.kinds()] == ["linear"]


def test_a_sequence_whose_items_are_in_the_data_is_told() -> None:
    text = """agraph (float[N,6] x, int64[k] parts) => (float[N,A] y) {
        s = SplitToSequence <axis = 1> (x, parts)
        m = SequenceMap (s) <body = each (float[N,B] i) => (float[N,C] o) { o = Relu (i) }>
        a = ConcatFromSequence <axis = 1> (m)
        y = MatMul (a, w)
    }"""
    found = counted(text, ["x:1x6", "parts:2:int64"], w=np.ones((6, 5), np.float32))
    assert found.multiply_adds == 0
    assert {"SequenceMap", "MatMul"} <= set(found.unsupported)


def test_convolutions_in_functions_are_linted() -> None:
    head = HEAD.replace('"" : 18', '"" : 18, "local" : 1')
    text = """agraph (float[N,3,32,32] x) => (float[N,8,A,B] y) { y = local.large (x, k) }
    <domain: "local", opset_import: ["" : 18]>
    large (x, w) => (z) { a = Conv (x, w)  z = Relu (a) }
    """
    found = lint(parsed(head + text, k=np.ones((8, 3, 7, 7), np.float32)))
    assert [row.convolutions for row in found.grids] == [1]

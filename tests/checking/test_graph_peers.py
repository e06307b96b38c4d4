"""Tools that read graphs of ONNX report what their conventions predict: of each operator, and of networks."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import onnx
import pytest
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from packaging.version import Version
from torch import nn

import costlab
from costlab.algebra.block import Node
from costlab.algebra.dim import total
from costlab.checking.graph_peers import GRAPH_PEERS, graph_reports
from costlab.counting.convention import GRAPHS
from costlab.counting.count import Count
from costlab.counting.holds import failures
from costlab.counting.terms import fits
from costlab.errors import DefinitionError
from costlab.onnx.graph import OnnxGraph
from tests.checking.graph_elements import ELEMENTS
from tests.checking.graph_layers import LAYERS
from tests.checking.graph_probes import GraphProbe

PROBES: Mapping[str, GraphProbe] = {**LAYERS, **ELEMENTS}

TOOLS = [name for name, each in costlab.conventions().items() if each.of == GRAPHS]
LIGHT = Path(onnx.__file__).parent / "backend/test/data/light"
NETWORKS = {
    "bvlc_alexnet": (675_839_112, 716_707_408),
    "densenet121": (3_369_419_240, 2_931_194_856),
    "inception_v1": (1_481_545_240, 1_444_698_768),
    "inception_v2": (2_157_663_112, 2_051_215_792),
    "resnet50": (4_450_789_512, 4_152_352_400),
    "shufflenet": (234_546_984, 136_498_408),
    "squeezenet": (357_511_224, 354_845_344),
    "vgg19": (19_667_941_512, 19_792_129_424),
    "zfnet512": (1_542_366_888, 1_572_141_232),
}
"""What onnx-tool 1.0.1 and onnx-opcounter 0.0.4 report of the networks that come with onnx."""
SMALL = ["resnet50", "shufflenet", "squeezenet", "vgg19"]


def counted(model: ModelProto) -> Count:
    graph = OnnxGraph("probe", model)
    return costlab.count(graph, graph.default_input)


def predicted(count: Count) -> dict[str, int | None]:
    """What each tool is predicted to report; None where it is predicted to fail."""
    return {
        name: None if failures(costlab.convention(name), count) else int(count.under(name).cost)
        for name in TOOLS
    }


def hold(count: Count, onnx_tool: int | None, onnx_opcounter: int | None) -> None:
    """Hold what was reported, and what the installed tools report, against what is predicted."""
    ours = predicted(count)
    assert ours == {"onnx_tool": onnx_tool, "onnx_opcounter": onnx_opcounter}
    assert count.graph is not None
    theirs = {name: report.number for name, report in graph_reports(count.graph.fixed())}
    assert theirs == {name: ours[name] for name in theirs}


@pytest.mark.parametrize("name", PROBES)
def test_each_operator(name: str) -> None:
    probe = PROBES[name]
    hold(counted(probe.model), probe.onnx_tool, probe.onnx_opcounter)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SMALL else pytest.mark.slow) for name in NETWORKS]
)
def test_networks(name: str) -> None:
    hold(costlab.count(str(LIGHT / f"light_{name}.onnx")), *NETWORKS[name])


def test_the_tools_are_the_conventions_of_graphs() -> None:
    assert sorted(TOOLS) == sorted(GRAPH_PEERS)
    for name, peer in GRAPH_PEERS.items():
        named, _, release = costlab.convention(name).measured_on.partition(" ")
        assert named == peer.package
        assert peer.release in (None, release), "a new release is measured first, then named"
        assert str(Version(release)) == release


def test_what_is_computed_of_constants_is_charged_at_each_run() -> None:
    """An addition of 12 elements that the file holds, and one of the sum to what comes in."""
    held = [numpy_helper.from_array(torch.zeros(3, 4).numpy(), name) for name in "bc"]
    nodes = [helper.make_node("Add", ["b", "c"], ["d"]), helper.make_node("Mul", ["x", "d"], ["y"])]
    count = counted(_model(nodes, (3, 4), held))
    assert [node.work.kind for node in count.operations if node.work] == ["mul"]
    hold(count, 24, 24)
    for name in TOOLS:
        (term,) = [each for each in terms(count, name) if each.reason]
        assert (term.amount, "once and before any run" in term.reason) == (12, True)


def test_a_size_that_inference_leaves_open_is_0() -> None:
    """To onnx-opcounter; costlab computes the shape that the expansion is given, and sees 2 x 3 x 4."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Max", ["s", "m"], ["t"]),
        helper.make_node("Expand", ["x", "t"], ["y"]),
        helper.make_node("Relu", ["y"], ["z"]),
    ]
    m = numpy_helper.from_array(torch.tensor([2, 3, 4]).numpy(), "m")
    count = counted(_model(nodes, (2, 1, 4), [m], out="z"))
    assert count.operations[-1].output == (2, 3, 4)
    hold(count, 27, 3)


def test_open_sizes_are_those_that_are_given() -> None:
    """A batch that the file leaves open: 2 x 3 x 4 rectified, one each."""
    model = _model([helper.make_node("Relu", ["x"], ["y"])], ("n", 3, 4), [])
    count = costlab.count(OnnxGraph("open", model), (2, 3, 4))
    hold(count, 24, 24)


def test_tensors_elsewhere_need_not_be_there() -> None:
    weight = TensorProto(name="w", dims=(4, 5), data_type=TensorProto.FLOAT)
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="nowhere.bin")
    model = _model([helper.make_node("MatMul", ["x", "w"], ["y"])], (3, 4), [weight])
    hold(counted(model), 60, 60)


def _model(
    nodes: list[onnx.NodeProto], x: tuple[int | str, ...], held: list[TensorProto], out: str = "y"
) -> ModelProto:
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, x)
    made = helper.make_tensor_value_info(out, TensorProto.UNDEFINED, None)
    graph = helper.make_graph(nodes, "g", [given], [made], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def terms(count: Count, name: str) -> list[costlab.counting.terms.Term]:
    by = costlab.convention(name)
    return [term for node in count.under(name).operations for term in by.terms(node)]


@cache
def operations(name: str) -> tuple[Node, ...]:
    """The operations of every probe of which the tool has a number, as it sees them."""
    counts = (counted(probe.model) for probe in PROBES.values())
    return tuple(
        node for each in counts if predicted(each)[name] is not None for node in each.under(name).operations
    )


@pytest.mark.parametrize("name", TOOLS)
def test_the_terms_add_up_to_the_cost(name: str) -> None:
    by = costlab.convention(name)
    for node in operations(name):
        assert total(term.amount for term in by.terms(node)) == by.cost(node), node


@pytest.mark.parametrize("name", TOOLS)
def test_every_pattern_means_some_operator(name: str) -> None:
    """One that means none is misspelt, or was never held against the tool."""
    by = costlab.convention(name)
    every = [
        each
        for probe in PROBES.values()
        for node in counted(probe.model).operations
        for each in by.operations_of(node)
    ]
    asked = {(each.kind, each.form) for each in every}
    told = [*(each.match for each in by.defects), *(each.match for each in by.fails)]
    patterns = [*by.charges, *(pattern for match in told for pattern in match)]
    assert [pattern for pattern in patterns if not any(fits(pattern, *each) for each in asked)] == []
    taken = {next((pattern for pattern in by.charges if fits(pattern, *each)), None) for each in asked}
    assert [pattern for pattern in by.charges if pattern not in taken] == []


def test_a_defect_is_named_with_its_amount() -> None:
    """2 x 1 matrices of 3 x 4 by 1 x 5 of 4 x 5: 2 x 5 x 3 x 4 x 5, of which each tool sees less."""
    count = counted(PROBES["matmul_broadcast"].model)
    assert count.multiply_adds == 600
    assert {name: [term.amount for term in terms(count, name) if term.reason] for name in TOOLS} == {
        "onnx_tool": [-300],
        "onnx_opcounter": [-480],
    }


def test_conventions_hold_for_what_their_tools_count() -> None:
    graph = counted(PROBES["relu"].model)
    with pytest.raises(DefinitionError, match="thop has no number for it: it counts modules of PyTorch"):
        graph.under("thop")
    for target in (costlab.count("mini"), costlab.count(nn.ReLU(), torch.zeros(1, 3))):
        with pytest.raises(DefinitionError, match="onnx_tool has no number for it: it counts graphs of ONNX"):
            target.under("onnx_tool")
    assert graph.under("flops").cost == 0
    failing = counted(PROBES["acos"].model)
    with pytest.raises(DefinitionError, match=r"onnx-tool fails on it: no rule for Acos \(1\)"):
        failing.under("onnx_tool")
    inputs = counted(PROBES["not"].model)
    with pytest.raises(DefinitionError, match=r"onnx-opcounter fails on it: an input of bool \(1\)"):
        inputs.under("onnx_opcounter")

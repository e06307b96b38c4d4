"""The modules of a graph, by the names that exporters give its nodes; what feeds what in it."""

import io
import json
import warnings
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import ModelProto, helper

from costlab import build, count, lint
from costlab.advise.graph import graph_of
from costlab.onnx.names import name_of
from costlab.report.netron import attachment
from costlab.targets.resolve import resolve
from tests.onnx.graphs import parsed


@pytest.mark.parametrize(
    ("name", "operator", "kind", "path"),
    [
        ("/layer1/layer1.0/conv1/Conv", "Conv", "conv2d", "layer1.0.conv1.conv2d"),
        ("/layer1/layer1.0/layer1.0.1/Conv_3", "Conv", "conv2d", "layer1.0.1.conv2d"),
        ("/blocks.0/attn/MatMul", "MatMul", "matmul", "blocks.0.attn.matmul"),
        ("Conv_12", "Conv", "conv2d", "conv2d"),
        ("", "Conv", "conv2d", "conv2d"),
        ("p2o.Conv.7", "Conv", "conv2d", "conv2d"),
        ("node_Conv_445", "Conv", "conv2d", "conv2d"),
        ("StatefulPartitionedCall/model/conv1/Conv2D", "Conv", "conv2d", "model.conv1.conv2d"),
        ("model/conv1/Conv2D__23", "Conv", "conv2d", "model.conv1.conv2d"),
        ("model/dense/BiasAdd", "Add", "add", "model.dense.BiasAdd"),
        ("resnet_stage1_conv0_fwd", "Conv", "conv2d", "resnet_stage1_conv0_fwd"),
        ("inception_3a/1x1", "Conv", "conv2d", "inception_3a.1x1"),
        ("größe/von allem/Relu", "Relu", "relu", "größe.von allem.relu"),
        ("//..//Relu", "Relu", "relu", "relu"),
    ],
)
def test_paths_by_names(name: str, operator: str, kind: str, path: str) -> None:
    node = helper.make_node(operator, ["x"], ["y"], name=name)
    assert ".".join(name_of(node, kind).parts) == path


def noted(scopes: str, classes: str = "[]") -> ModelProto:
    model = parsed("agraph (float[1,3] x) => (float[1,3] y) { y = Relu (x) }")
    for key, value in (("name_scopes", scopes), ("class_hierarchy", classes)):
        model.graph.node[0].metadata_props.add(key=f"pkg.torch.onnx.{key}", value=value)
    model.graph.node.append(helper.make_node("Neg", ["x"], ["z"], name="n"))
    return model


def test_paths_and_classes_that_the_newer_exporter_notes() -> None:
    found = count(
        noted("['', 'stem', 'stem.act', 'relu']", "['my.Net', 'my.Stem', 'torch.nn.ReLU', 'aten.relu']")
    )
    assert [row.path for row in found.rows] == ["stem.act", "neg"]
    assert [row.operation for row in found.modules(1)] == ["Stem", "neg"]
    assert found.root.children[0].path == "stem"


@pytest.mark.parametrize("broken", ["", "[", "7", "__import__('os')", "[7, 8]"])
def test_notes_that_are_none_are_left_alone(broken: str) -> None:
    assert count(noted(broken)).rows[0].work.kind == "relu"


def test_many_nodes_of_one_name_are_numbered() -> None:
    nodes = [helper.make_node("Relu", [f"x{i}"], [f"x{i + 1}"], name="/act/Relu") for i in range(1_000)]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "chain", [value("x0", 1, [1, 3])], [value("x1000", 1, [1, 3])])
    found = count(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10))
    paths = [row.path for row in found.rows]
    assert paths[:2] == ["act.relu", "act.relu_2"]
    assert paths[-1] == "act.relu_1000"
    assert len(set(paths)) == 1_000


def exported(module: Any, sizes: tuple[int, ...]) -> ModelProto:
    file: Any = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            (torch.zeros(sizes),),
            file,
            dynamo=False,
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
        )
    return onnx.load_from_string(file.getvalue())


def test_an_export_has_the_modules_and_the_numbers_of_its_definition() -> None:
    graph, definition = count(exported(build("mini"), (1, 3, 48, 48))), count("mini")
    charged = {path: cost for path, cost in definition.by_module().items() if cost != 0}
    assert {path: cost for path, cost in graph.by_module().items() if cost != 0} == charged
    assert len(charged) > 50
    assert graph.total._replace(kind="") == definition.total._replace(
        kind="",
        inputs=graph.total.inputs,
        outputs=graph.total.outputs,
        scalings=graph.total.scalings,
        window_elements=graph.total.window_elements,
    )
    assert graph.parameters == definition.parameters
    kernels = {row.path: row.operation for row in graph.rows}
    assert kernels["conv_1.conv"] == "conv2d 3x3"


def test_lint_finds_in_an_export_what_it_finds_in_the_definition() -> None:
    def told(found: Any) -> list[tuple[str, str]]:
        return [(each.rule, each.path) for each in found.findings]

    definition, graph = lint("mini"), lint(exported(build("mini"), (1, 3, 48, 48)))
    assert told(graph) == told(definition)
    assert [each.multiply_adds for each in graph.grids] == [each.multiply_adds for each in definition.grids]


def test_what_feeds_what() -> None:
    text = """agraph (float[1,3,4,4] x, float[1,3,4,4] z) => (float[1,3,4,4] y) {
        a = Relu (x)
        s = Shape (a)
        r = Reshape (a, s)
        b = Neg (z)
        y = Add (r, b)
    }"""
    graph = graph_of(resolve(parsed(text)))
    kinds = [step.kind for step in graph.steps]
    last = graph.steps[kinds.index("add")]
    assert {graph.steps[read].kind for read in last.reads} <= {"relu", "reshape", "neg"}
    assert [graph.steps[each].kind for each in graph.outputs] == ["add"]
    assert graph.steps[kinds.index("relu")].reads == (-1,)


def test_netrons_attachment_names_the_nodes_of_the_file() -> None:
    model = parsed(
        "agraph (float[1,3] x) => (float[1,5] y) { a = MatMul (x, w) y = Relu (a) }",
        w=np.ones((3, 5), np.float32),
    )
    model.graph.node[0].name = "/some/strange.name"
    metrics = json.loads(attachment(count(model)))["metrics"]
    assert [each["value"] for each in metrics if each["target"] == "/some/strange.name"] == [15, 15, 5]

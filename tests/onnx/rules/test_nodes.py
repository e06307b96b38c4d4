"""The models by which onnx tests one node after another: none is refused, each is sized as it comes out."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

import costlab
from costlab.algebra.inputs import Inputs, TensorInput
from costlab.algebra.shape import Sizes
from costlab.onnx.control import CONTROL
from costlab.onnx.graph import OnnxGraph
from costlab.onnx.rules import NOT_COUNTED
from costlab.onnx.scope import Scope
from costlab.onnx.walk import Walker

BY_DATA = {"Unique", "Loop", "Scan", "SequenceMap"}
"""Operators whose sizes, or whose runs, depend on the data."""
BODIES = (
    "test_affine_grid",
    "test_blackman",
    "test_hamming",
    "test_hann",
    "test_reduce_",
    "test_loop",
    "test_scan",
)
"""Cases whose nodes are those of a function's body, with sizes or axes that are data."""


def cases() -> Iterator[Any]:
    """All of them; onnx computes them, and warns of what it divides by zero."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.loader import load_model_tests

        yield from load_model_tests(kind="node")


def given(model: ModelProto, tensors: list[Any]) -> Inputs:
    """The sizes and types of what goes in."""
    made: dict[str, TensorInput] = {}
    for value, tensor in zip(model.graph.input, tensors, strict=False):
        if not isinstance(tensor, np.ndarray | TensorProto) or not value.type.HasField("tensor_type"):
            continue
        kind = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).name
        sizes = tensor.shape if isinstance(tensor, np.ndarray) else tuple(tensor.dims)
        made[value.name] = TensorInput(Sizes(*sizes), "string" if kind == "object" else kind)
    return Inputs((), made)


def sizes_out(graph: OnnxGraph, inputs: Inputs) -> list[Any]:
    """What is known of what comes out."""
    bound = graph._bound(inputs)
    scope = Scope(opsets=tuple(graph.model.opset_import))
    scope.tensors.update(bound.tensors)
    Walker(graph.model, graph._declared(bound), CONTROL).run(graph.model.graph, scope)
    return [each.sizes for each in scope.outputs(graph.model.graph)]


@pytest.mark.slow
def test_every_model_of_one_node_is_counted() -> None:
    wrong: list[Any] = []
    unknown: list[Any] = []
    met = known = 0
    for case in cases():
        graph = OnnxGraph(case.name, case.model)
        takes, gives = case.data_sets[0]
        inputs = given(case.model, takes)
        if len(inputs.kwargs) < len(case.model.graph.input):  # some is no tensor
            continue
        met += 1
        count = costlab.count(graph, inputs)
        told = {operator for _, operator in NOT_COUNTED} | BY_DATA
        if not set(count.unknown) <= told and not case.name.startswith(BODIES):
            unknown.append((case.name, dict(count.unknown)))
        for sizes, expected in zip(sizes_out(graph, inputs), gives, strict=True):
            if isinstance(expected, np.ndarray) and None not in (sizes or [None]):
                known += 1
                wrong += [(case.name, sizes, expected.shape)] * (tuple(sizes) != expected.shape)
    assert not wrong
    assert not unknown
    assert met > 1700
    assert known > 0.9 * met

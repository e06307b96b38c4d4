"""Recurrent layers by arithmetic: every step uses each weight once."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, numpy_helper

from costlab.onnx.rules.registry import MICROSOFT
from tests.onnx.rules.exporting import node_graph, weight, works
from tests.onnx.rules.test_products import INT8

Inputs = dict[str, Any]
STEPS, BATCH, FEATURES, HIDDEN = 7, 2, 5, 6
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
X = (STEPS, BATCH, FEATURES)


def held(gates: int, directions: int = 1) -> Inputs:
    """The weights and biases of a layer."""
    return {
        "w": weight("w", directions, gates * HIDDEN, FEATURES),
        "r": weight("r", directions, gates * HIDDEN, HIDDEN),
        "b": weight("b", directions, 2 * gates * HIDDEN),
    }


@pytest.mark.parametrize("operator", sorted(GATES))
@pytest.mark.parametrize("both", [False, True])
def test_each_step_uses_every_weight(operator: str, both: bool) -> None:
    gates, directions = GATES[operator], 1 + both
    attributes: dict[str, Any] = {"direction": "bidirectional"} if both else {}
    graph = node_graph(operator, {"x": X, **held(gates, directions)}, hidden_size=HIDDEN, **attributes)
    (work,) = works(graph)
    weights = directions * gates * HIDDEN * (FEATURES + HIDDEN)
    biases = directions * 2 * gates * HIDDEN
    rows = STEPS * BATCH
    assert work.kind == operator.lower()
    assert (work.multiply_adds, work.bias_adds) == (rows * weights, rows * biases)
    assert (work.weights, work.parameters) == (weights, weights + biases)
    assert work.outputs == work.activations == rows * directions * HIDDEN


def test_what_only_the_last_step_gives_costs_as_much() -> None:
    inputs = {"x": X, **held(4)}
    (whole,) = works(node_graph("LSTM", inputs, ["y", "h", "c"], hidden_size=HIDDEN))
    (last,) = works(node_graph("LSTM", inputs, ["", "h"], hidden_size=HIDDEN))
    assert last == whole


def test_the_batch_may_stand_first() -> None:
    (first,) = works(
        node_graph("GRU", {"x": (BATCH, STEPS, FEATURES), **held(3)}, hidden_size=HIDDEN, layout=1)
    )
    (second,) = works(node_graph("GRU", {"x": X, **held(3)}, hidden_size=HIDDEN))
    assert first == second


def test_states_are_no_parameters_and_peepholes_are() -> None:
    inputs = {
        "x": X,
        **held(4),
        "_lengths": (),
        "h": weight("h", 1, BATCH, HIDDEN),
        "c": weight("c", 1, BATCH, HIDDEN),
        "p": weight("p", 1, 3 * HIDDEN),
    }
    (work,) = works(node_graph("LSTM", inputs, hidden_size=HIDDEN))
    assert work.multiply_adds == STEPS * BATCH * 24 * 11
    assert work.parameters == 24 * 11 + 48 + 18


def test_known_lengths_are_the_steps_that_run() -> None:
    lengths = numpy_helper.from_array(np.array([7, 3], np.int32), "lengths")
    inputs = {"x": X, **held(1), "lengths": lengths}
    (work,) = works(node_graph("RNN", inputs, hidden_size=HIDDEN))
    assert work.multiply_adds == (7 + 3) * 6 * 11
    assert work.outputs == (7 + 3) * 6


def test_a_layer_that_is_quantized_as_it_runs_has_its_matrices_turned() -> None:
    inputs: Inputs = {
        "x": X,
        "w": weight("w", 1, FEATURES, 24, **INT8),
        "r": weight("r", 1, HIDDEN, 24, **INT8),
        "b": weight("b", 1, 48),
        **dict.fromkeys(("_lengths", "_h", "_c", "_p"), ()),
        "ws": weight("ws", 1),
        "wz": weight("wz", 1, kind=TensorProto.INT8),
        "rs": weight("rs", 1),
        "rz": weight("rz", 1, kind=TensorProto.INT8),
    }
    (work,) = works(node_graph("DynamicQuantizeLSTM", inputs, domain=MICROSOFT, hidden_size=HIDDEN))
    assert (work.kind, work.multiply_adds) == ("lstm", STEPS * BATCH * 24 * 11)
    assert (work.outputs, work.parameters) == (STEPS * BATCH * HIDDEN, 24 * 11 + 48)

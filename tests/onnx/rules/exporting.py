"""Modules of torch as graphs of ONNX, and what is compared of their counts."""

import io
import logging
import warnings
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper
from torch import nn
from torch.onnx import TrainingMode

import costlab
from costlab.algebra.work import Work, add_up
from costlab.onnx.graph import OnnxGraph

QUANTITIES = (
    "multiply_adds",
    "bias_adds",
    "weights",
    "parameters",
    "activations",
    "scalings",
    "window_elements",
)
KEPT = {"training": TrainingMode.PRESERVE}
"""Of an export that does not fold batch norm into the convolution before it."""


def exported(module: nn.Module, *inputs: torch.Tensor, **settings: Any) -> OnnxGraph:
    """A module as the exporter writes it that names nodes by modules."""
    file: Any = io.BytesIO()  # which torch takes, and does not say so
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            torch.onnx.export(module.eval(), inputs, file, dynamo=False, **{"opset_version": 17, **settings})
    finally:
        logging.disable(logging.NOTSET)
    return OnnxGraph("exported", onnx.load_from_string(file.getvalue()))


def counted(graph: OnnxGraph) -> costlab.Count:
    """The count of a graph at the sizes that its file has."""
    assert graph.default_input is not None
    return costlab.count(graph, graph.default_input)


def quantities(count: costlab.Count) -> dict[str, int]:
    """The sums of what works report; parameters are those of the whole, each tensor once."""
    whole = add_up("", (work for _, work in count.root.working()))
    return {name: getattr(whole, name) for name in QUANTITIES} | {"parameters": count.parameters}


def kinds(count: costlab.Count) -> list[str]:
    """The kinds of what runs, in its order."""
    return [work.kind for _, work in count.root.working()]


def node_graph(
    operator: str,
    inputs: dict[str, tuple[int, ...] | onnx.TensorProto],
    outputs: int | list[str] = 1,
    *,
    domain: str = "",
    opset: int = 22,
    types: dict[str, int] | None = None,
    **attributes: Any,
) -> OnnxGraph:
    """A graph of one node: what goes in by its sizes, and what the file holds.

    An input whose name begins with ``_`` is left out.
    """
    held = [each for each in inputs.values() if isinstance(each, TensorProto)]
    given = [
        helper.make_tensor_value_info(name, (types or {}).get(name, TensorProto.FLOAT), sizes)
        for name, sizes in inputs.items()
        if not isinstance(sizes, TensorProto) and not name.startswith("_")
    ]
    names = [f"out{place}" for place in range(outputs)] if isinstance(outputs, int) else outputs
    node = helper.make_node(
        operator,
        ["" if name.startswith("_") else name for name in inputs],
        names,
        domain=domain,
        **attributes,
    )
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names if name]
    graph = helper.make_graph([node], "graph", given, results, held)
    opsets = [helper.make_opsetid("", opset)]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    return OnnxGraph("node", helper.make_model(graph, opset_imports=opsets))


def weight(name: str, *sizes: int, kind: int = TensorProto.FLOAT) -> TensorProto:
    """A tensor that the file holds, whose elements differ and lie elsewhere."""
    return TensorProto(name=name, dims=sizes, data_type=kind, data_location=TensorProto.EXTERNAL)


def works(graph: OnnxGraph) -> list[Work]:
    """What the nodes of a graph report."""
    count = counted(graph)
    assert not count.unknown, count.unknown
    return [work for _, work in count.root.working()]

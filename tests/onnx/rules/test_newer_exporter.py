"""Modules as torch's newer exporter writes them: in its own operator set, with attention whole."""

import io
import logging
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import costlab
from costlab.onnx.graph import OnnxGraph
from tests.onnx.rules.exporting import counted, kinds, quantities
from tests.onnx.rules.test_modules import Heads, Multihead


def exported(module: nn.Module, *inputs: Tensor, **settings: Any) -> OnnxGraph:
    """A module as it is exported by way of torch.export."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            program = torch.onnx.export(module, inputs, dynamo=True, verbose=False, **settings)
    finally:
        logging.disable(logging.NOTSET)
    assert program is not None
    return OnnxGraph("exported", program.model_proto)


Case = tuple[Callable[[], nn.Module], tuple[tuple[int, ...], ...]]
CASES: dict[str, Case] = {
    "a layer of an encoder": (lambda: nn.TransformerEncoderLayer(16, 4, 32), ((5, 2, 16),)),
    "a layer of a decoder": (lambda: nn.TransformerDecoderLayer(16, 4, 32), ((5, 2, 16), (6, 2, 16))),
    "attention of several heads": (Multihead, ((5, 2, 16),)),
    "attention": (Heads, ((2, 5, 16),)),
    "means of squares": (lambda: nn.RMSNorm(8), ((2, 3, 8),)),
    "groups": (lambda: nn.GroupNorm(2, 8), ((2, 8, 4, 4),)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    "settings", [{"opset_version": 23}, {}, {"optimize": False}], ids=["23", "", "plain"]
)
def test_modules_count_what_they_count(name: str, settings: dict[str, Any]) -> None:
    make, shapes = CASES[name]
    torch.manual_seed(0)
    module, inputs = make().eval(), tuple(torch.randn(shape) for shape in shapes)
    for each in module.parameters():  # of equal ones this exporter keeps one, and drops zeros
        nn.init.normal_(each)
    count, graph = costlab.count(module, inputs), counted(exported(module, *inputs, **settings))
    expected: dict[str, Any] = quantities(count)
    found: dict[str, Any] = quantities(graph)
    assert not graph.unknown
    if "attention" in kinds(count) and "attention" not in kinds(graph):
        found["activations"] -= sum(w.outputs for _, w in graph.root.working() if w.kind == "matmul")
    if settings.get("opset_version") != 23:  # a normalization is taken apart
        del expected["scalings"], found["scalings"]
    assert found == expected

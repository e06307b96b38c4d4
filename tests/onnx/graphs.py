"""Small graphs of ONNX, written as text."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, parser

from costlab import Count, count
from costlab.algebra.inputs import Inputs, TensorInput
from costlab.algebra.shape import Sizes
from costlab.onnx.control import CONTROL
from costlab.onnx.inputs import bound
from costlab.onnx.read import graph_of_model
from costlab.onnx.scope import Scope
from costlab.onnx.walk import Walker

HEAD = '<ir_version: 10, opset_import: ["" : 18]>\n'


def parsed(text: str, **held: Any) -> ModelProto:
    """A model with one graph; ``held`` are the arrays that it holds, by name."""
    model = parser.parse_model(text if text.startswith("<") else HEAD + text)
    for name, array in held.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(array), name))
    return model


def counted(text: str, input: Any = None, batch: int = 1, **held: Any) -> Count:
    """The count of such a model."""
    return count(parsed(text, **held), input, batch=batch)


def sizes_in(model: ModelProto, given: Mapping[str, Any]) -> dict[str, tuple[int | None, ...] | None]:
    """The sizes of all tensors of a model, from those of what goes in, or from its values."""
    graph = graph_of_model(model)
    tensors = {
        name: value if hasattr(value, "dtype") else TensorInput(Sizes(*value))
        for name, value in given.items()
    }
    into = bound(graph.inputs, Inputs((), tensors))
    scope = Scope(opsets=tuple(model.opset_import))
    scope.tensors.update(into.tensors)
    Walker(model, {}, CONTROL).run(model.graph, scope)
    return {name: tensor.sizes for name, tensor in scope.tensors.items()}

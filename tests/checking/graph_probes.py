"""Graphs of ONNX of one operator each, and what onnx-tool 1.0.1 and onnx-opcounter 0.0.4 report of them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

FAILS = None
"""The tool fails on the graph."""
Sizes = tuple[int, ...]


class GraphProbe(NamedTuple):
    """A node: the sizes that go in, what the file holds, its attributes; what each tool reports of it."""

    operator: str
    inputs: tuple[Sizes, ...]
    held: tuple[Any, ...]
    attributes: Mapping[str, Any]
    onnx_tool: int | None
    onnx_opcounter: int | None
    opset: int = 20
    outputs: tuple[str, ...] = ("y",)
    kind: int = TensorProto.FLOAT

    @property
    def model(self) -> ModelProto:
        """The model: what goes in is named a, b, and so on."""
        names = [chr(ord("a") + place) for place in range(len(self.inputs))]
        given = [
            helper.make_tensor_value_info(name, self.kind, sizes)
            for name, sizes in zip(names, self.inputs, strict=True)
        ]
        tensors = [
            None if each is None else numpy_helper.from_array(_array(each), f"held_{place}")
            for place, each in enumerate(self.held)
        ]
        read = [*names, *("" if each is None else each.name for each in tensors)]
        node = helper.make_node(self.operator, read, self.outputs, **self.attributes)
        graph = helper.make_graph(
            [node],
            "probe",
            given,
            [
                helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None)
                for name in self.outputs
                if name
            ],
            [each for each in tensors if each is not None],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=9)


def _array(held: Any) -> np.ndarray[Any, Any]:
    """Zeros of sizes, or the values of a list."""
    return np.zeros(held, np.float32) if isinstance(held, tuple) else np.asarray(held)


X = (2, 4, 9, 8)
FLAT = (2, 3, 4)

"""The sizes of all tensors of a graph, by onnx's own inference, node by node; the values of small ones."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, defs, helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from costlab.onnx.call import NodeCall
from costlab.onnx.tensor import SMALL, GraphTensor, Origin, held_tensor, origins_of, tensor_of_type

Known = dict[str, GraphTensor]
COMPUTED = frozenset([TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL, TensorProto.FLOAT])
"""Types of small tensors whose values are computed from others: shapes, indices, factors of a resize."""


class Sizing:
    """Follows the nodes of a graph in their order, and tells of every tensor what is known without data."""

    def __init__(self, model: ModelProto, inputs: Mapping[str, GraphTensor]) -> None:
        self._model = model
        self._versions = {each.domain: each.version for each in model.opset_import}
        self.known: Known = dict(inputs)

    def calls(self, graph: GraphProto) -> Iterator[tuple[NodeProto, NodeCall]]:
        """Each node with its tensors."""
        self.known |= {each.name: held_tensor(each, each.name) for each in graph.initializer}
        for node in graph.node:
            outputs = self._outputs(node)
            self.known |= {name: each for name, each in zip(node.output, outputs, strict=True) if name}
            yield node, self._call(node, outputs)

    def _call(self, node: NodeProto, outputs: Sequence[GraphTensor]) -> NodeCall:
        inputs = tuple(self.known.get(name, GraphTensor()) if name else None for name in node.input)
        while inputs and inputs[-1] is None:
            inputs = inputs[:-1]
        attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        version = self._versions.get(node.domain, 0)
        made = tuple(each if name else None for name, each in zip(node.output, outputs, strict=True))
        return NodeCall(node.op_type, node.domain, version, attributes, inputs, made)

    def _outputs(self, node: NodeProto) -> list[GraphTensor]:
        if node.op_type == "Constant" and not node.domain:
            return [_constant(node)]
        inferred = self._inferred(node)
        made = [self._traced_back(node, name, inferred.get(name, GraphTensor())) for name in node.output]
        if self._is_computed(node, made):
            with suppress(Exception):  # what cannot be computed has sizes all the same
                return self._computed(node, made)
        return made

    def _traced_back(self, node: NodeProto, name: str, made: GraphTensor) -> GraphTensor:
        """What a node makes, with the tensors of the file that it comes from."""
        given = [self.known.get(name, GraphTensor()) for name in node.input if name]
        return made._replace(origins=origins_of(node.op_type, name, made, given))

    def _inferred(self, node: NodeProto) -> Known:
        """What onnx's own inference tells of what comes out."""
        try:
            schema = defs.get_schema(node.op_type, self._versions.get(node.domain, 1), node.domain)
        except defs.SchemaError:
            return {}
        given = {name: self.known[name] for name in node.input if name in self.known}
        types = {name: each.as_type() for name, each in given.items()}
        data = {
            name: numpy_helper.from_array(each.values, name)
            for name, each in given.items()
            if each.values is not None
        }
        try:
            found = shape_inference.infer_node_outputs(
                schema,
                node,
                types,
                data,
                opset_imports=list(self._model.opset_import),
                ir_version=self._model.ir_version,
            )
        except (shape_inference.InferenceError, KeyError):
            return {}
        return {name: tensor_of_type(kind) for name, kind in found.items()}

    def _is_computed(self, node: NodeProto, made: Sequence[GraphTensor]) -> bool:
        """Whether what comes out is small, and follows from what is known."""
        if any(each.is_sized and each.elements > SMALL for each in made):
            return False
        if node.op_type == "Shape":
            return self.known[node.input[0]].is_sized
        given = [self.known.get(name, GraphTensor()) for name in node.input if name]
        return all(each.values is not None for each in given) and bool(given)

    def _computed(self, node: NodeProto, made: Sequence[GraphTensor]) -> list[GraphTensor]:
        """What comes out, by onnx's reference implementation."""
        feeds: dict[str, Any] = {}
        for name in filter(None, node.input):
            tensor = self.known[name]
            feeds[name] = np.broadcast_to(0, tensor.shape) if tensor.values is None else tensor.values
        run = ReferenceEvaluator(node, opsets=self._versions)
        return [
            GraphTensor(each.shape, helper.np_dtype_to_tensor_dtype(each.dtype), each, before.origins)
            for before, each in zip(made, map(np.asarray, run.run(None, feeds)), strict=True)
        ]


def _constant(node: NodeProto) -> GraphTensor:
    (attribute,) = node.attribute
    value, (name,) = helper.get_attribute_value(attribute), node.output
    if isinstance(value, TensorProto):
        return held_tensor(value, name, by_node=True)
    array = np.asarray(value)
    origin = Origin(name, array.size, by_node=True)
    return GraphTensor(array.shape, helper.np_dtype_to_tensor_dtype(array.dtype), array, (origin,))

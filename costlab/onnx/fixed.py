"""A graph at the sizes that it was counted for, as tools read it; and what onnx infers of the whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from onnx import GraphProto, ModelProto, TensorProto, ValueInfoProto, helper, numpy_helper, shape_inference

from costlab.onnx.tensor import SMALL, GraphTensor


@dataclass(frozen=True, eq=False)
class GraphRun:
    """A model, and what goes in, by name, as it was counted."""

    model: ModelProto
    inputs: Mapping[str, GraphTensor]

    def input_types(self) -> set[str]:
        """The types of what goes in, by NumPy's names; of what is no tensor, its kind."""
        held = {each.name for each in self.model.graph.initializer}
        return {_type_of(each) for each in self.model.graph.input if each.name not in held}

    def fixed(self) -> ModelProto:
        """A copy of the model whose inputs have these sizes and no others.

        Tensors that the file keeps elsewhere are zeros.
        """
        model = ModelProto()
        model.CopyFrom(self.model)
        self._fix_inputs(model)
        for tensor in model.graph.initializer:
            if tensor.data_location == TensorProto.EXTERNAL:
                _fill(tensor)
        return model

    def _fix_inputs(self, model: ModelProto) -> None:
        changed = [
            _fix(each, self.inputs[each.name]) for each in model.graph.input if each.name in self.inputs
        ]
        if any(changed):  # what was declared of other sizes
            del model.graph.value_info[:]
            for output in model.graph.output:
                output.type.tensor_type.ClearField("shape")

    @cached_property
    def inferred(self) -> dict[str, tuple[int, ...]] | None:
        """The sizes of all tensors by onnx's inference of the whole, 0 where it leaves one open.

        A tensor whose rank it does not tell has none. None where the inference fails.
        """
        model = _without_values(self.model)
        self._fix_inputs(model)
        try:
            known = shape_inference.infer_shapes(model, data_prop=True, strict_mode=True).graph
        except shape_inference.InferenceError:
            return None
        sizes = {each.name: _sizes(each) for each in (*known.value_info, *known.input, *known.output)}
        return sizes | {each.name: tuple(each.dims) for each in known.initializer}


def _sizes(value: ValueInfoProto) -> tuple[int, ...]:
    return tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)


def _type_of(value: ValueInfoProto) -> str:
    kind = value.type.WhichOneof("value") or "untyped"
    number = value.type.tensor_type.elem_type
    return helper.tensor_dtype_to_np_dtype(number).name if kind == "tensor_type" and number else kind


def _fix(value: ValueInfoProto, given: GraphTensor) -> bool:
    """Set the sizes of an input; whether they were others."""
    if not given.is_sized or _sizes(value) == given.shape:
        return False
    del value.type.tensor_type.shape.dim[:]
    for size in given.shape:
        value.type.tensor_type.shape.dim.add(dim_value=size)
    return True


def _fill(tensor: TensorProto) -> None:
    dtype = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    tensor.CopyFrom(numpy_helper.from_array(np.zeros(tuple(tensor.dims), dtype), tensor.name))


def _without_values(model: ModelProto) -> ModelProto:
    """A copy for inference: large tensors have no elements, and nothing is declared of those between."""
    graph = model.graph
    copied = GraphProto(
        name=graph.name,
        node=graph.node,
        input=graph.input,
        output=graph.output,
        initializer=[_emptied(each) for each in graph.initializer],
        sparse_initializer=graph.sparse_initializer,
    )
    opsets, functions = model.opset_import, model.functions
    return ModelProto(ir_version=model.ir_version, opset_import=opsets, functions=functions, graph=copied)


def _emptied(tensor: TensorProto) -> TensorProto:
    if prod(tensor.dims) <= SMALL:
        return tensor
    return TensorProto(name=tensor.name, dims=tensor.dims, data_type=tensor.data_type)

"""The sizes of what comes out of a node, by onnx's own inference; the values of small integers."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from onnx import (
    NodeProto,
    SparseTensorProto,
    TensorProto,
    TypeProto,
    defs,
    helper,
    numpy_helper,
    shape_inference,
)

from costlab.algebra.shape import Sizes
from costlab.errors import TargetError
from costlab.messages import first_sentence
from costlab.onnx.call import domain_of
from costlab.onnx.faults import refuse_channels, told
from costlab.onnx.own_sizes_of_maps import KIN, SIZES
from costlab.onnx.reference import run_node
from costlab.onnx.scope import Scope
from costlab.onnx.sequences import SEQUENCES, given_by
from costlab.onnx.tensor import (
    GraphTensor,
    held_array,
    held_sparse,
    held_tensor,
    most_known,
    origins_of,
    tensor_of_array,
    tensor_of_type,
)

COMPUTED = frozenset(
    [TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL, TensorProto.FLOAT, TensorProto.DOUBLE]
)
"""Types of small tensors whose values are computed from others: shapes, indices, factors of a resize."""
ANY = helper.make_tensor_type_proto(TensorProto.FLOAT, None)
"""What is taken of a tensor of which nothing is known."""
TOGETHER = frozenset(
    [
        *("Add", "Concat", "Div", "Equal", "Gemm", "Greater", "Less", "MatMul", "Max", "Mean", "Min"),
        *("Mod", "Mul", "PRelu", "Pow", "Sub", "Sum", "Where"),
    ]
)
"""Operators of which the sizes of what goes in tell those of what comes out."""
STRICTER = ("Range",)
"""Operators of which onnx's inference refuses what its own reference takes."""
BY_CHANCE = ("Random", "Bernoulli", "Multinomial")
"""How operators begin that draw what they put out."""


class NodeSizing:
    """Tells of what comes out of a node what is known without data.

    ``declared`` is what the file itself says of its tensors, where nobody else knows: as of the operators of
    a domain of somebody's own.
    """

    def __init__(self, ir_version: int, declared: Mapping[str, GraphTensor]) -> None:
        self._ir_version = ir_version
        self._declared = declared

    def outputs(self, node: NodeProto, scope: Scope) -> list[GraphTensor]:
        """What comes out of a node, in the order of its names."""
        prefix = "".join(f"{each}/" for each in scope.path)
        if node.op_type == "Constant" and not domain_of(node.domain):
            return [constant(node, prefix + node.output[0])]
        if node.op_type in SEQUENCES and (made_here := given_by(node, scope)) is not None:
            return [made_here]
        given = [each for each in map(scope.read, node.input) if each is not None]
        inferred = self._inferred(node, scope)
        made = [
            _traced_back(node, prefix + name, self._completed(name, inferred.get(name, GraphTensor())), given)
            for name in node.output
        ]
        if _is_computed(node, given, made):
            with suppress(Exception):  # what cannot be computed has sizes all the same
                return _computed(node, given, scope, made)
        return made

    def _completed(self, name: str, tensor: GraphTensor) -> GraphTensor:
        """A tensor with what the file says of it in place of what is not known."""
        declared = None if tensor.is_sized else self._declared.get(name)
        if declared is None or (tensor.kind is not None and declared.kind is None):
            return tensor
        kind = tensor.element_type or declared.element_type
        if tensor.sizes is None or declared.sizes is None or len(tensor.sizes) != len(declared.sizes):
            return tensor._replace(sizes=tensor.sizes or declared.sizes, element_type=kind)
        sizes = (b if a is None else a for a, b in zip(tensor.sizes, declared.sizes, strict=True))
        return tensor._replace(sizes=tuple(sizes), element_type=kind)

    def _inferred(self, node: NodeProto, scope: Scope) -> dict[str, GraphTensor]:
        """What onnx's own inference tells of what comes out; of what it has no rule for, one of ours."""
        operator = domain_of(node.domain), node.op_type
        if (own := SIZES.get(operator)) is not None:
            return dict(zip(node.output, own(scope.call(node, ())), strict=False))
        kin = KIN.get(operator)
        domain = operator[0] if kin is None else ""
        schema = _schema(kin or node.op_type, scope.version(domain), domain)
        if schema is None:
            return {}
        if kin is not None:
            node = _renamed(node, kin, schema)
        given = {name: scope.tensors.get(name, GraphTensor()) for name in node.input if name}
        data = {
            name: numpy_helper.from_array(each.values, name)
            for name, each in given.items()
            if each.values is not None
        }
        kinds = {name: each.as_type() or ANY for name, each in given.items()}
        try:
            found = self._told_by(schema, node, kinds, data, scope)
        except Exception as error:  # its inputs do not go together, or not enough is known of them
            declared = all(self._declared.get(name, GraphTensor()).is_sized for name in node.output)
            sized = all(each.is_sized for each in given.values())
            if sized and not declared and node.op_type not in STRICTER:
                raise TargetError(f"{told(node)} does not take {_sizes_of(given)}: {_said(error)}") from error
            return {}
        refuse_channels(node, list(map(scope.read, node.input)))
        made = {name: tensor_of_type(kind) for name, kind in found.items()}
        open_ones = not made or any(not each.is_sized for each in made.values())
        if open_ones and node.op_type in TOGETHER and all(each.is_sized for each in given.values()):
            raise TargetError(f"{told(node)} does not take {_sizes_of(given)}: they do not go together")
        return made

    def _told_by(
        self,
        schema: defs.OpSchema,
        node: NodeProto,
        kinds: dict[str, TypeProto],
        data: dict[str, TensorProto],
        scope: Scope,
    ) -> dict[str, TypeProto]:
        """What onnx's inference tells; of bfloat16 as of float32 where an operator does not take it yet."""

        def ask(given: dict[str, TypeProto], known: dict[str, TensorProto]) -> dict[str, TypeProto]:
            opsets, version = list(scope.opsets), self._ir_version
            return shape_inference.infer_node_outputs(
                schema, node, given, known, opset_imports=opsets, ir_version=version
            )

        try:
            return ask(kinds, data)
        except Exception as error:  # of several classes, by version; which it is stands in its text
            wide = {name: _widened(kind) for name, kind in kinds.items()}
            if "unsupported type" not in str(error) or wide == kinds:
                raise
        others = {name: each for name, each in data.items() if each.data_type != TensorProto.BFLOAT16}
        found = ask(wide, others)
        for kind in found.values():
            if kind.tensor_type.elem_type == TensorProto.FLOAT:
                kind.tensor_type.elem_type = TensorProto.BFLOAT16
        return found


def _schema(operator: str, version: int, domain: str) -> defs.OpSchema | None:
    """What onnx says of an operator; of one of later versions, too: others are fused to it."""
    with suppress(defs.SchemaError):
        return defs.get_schema(operator, version, domain)
    with suppress(defs.SchemaError):
        return defs.get_schema(operator, domain)
    return None


def _widened(kind: TypeProto) -> TypeProto:
    """A tensor of bfloat16 as one of float32."""
    wide = TypeProto()
    wide.CopyFrom(kind)
    if kind.tensor_type.elem_type == TensorProto.BFLOAT16:
        wide.tensor_type.elem_type = TensorProto.FLOAT
    return wide


def _said(error: Exception) -> str:
    """What onnx's inference says of inputs that do not go together."""
    return re.sub(r"^(\(.*?\))?[\s:]*(\[\w+\])?\s*", "", first_sentence(error, of_line=True)) or "its inputs"


def _sizes_of(tensors: Mapping[str, GraphTensor]) -> str:
    return " and ".join(str(Sizes(*each.shape)) for each in tensors.values())


def _renamed(node: NodeProto, name: str, schema: defs.OpSchema) -> NodeProto:
    """A node as its kin of onnx, without what only it is told."""
    kin = NodeProto()
    kin.CopyFrom(node)
    kin.op_type, kin.domain = name, ""
    del kin.attribute[:]
    kin.attribute.extend(each for each in node.attribute if each.name in schema.attributes)
    del kin.input[schema.max_input :]
    return kin


def _is_computed(node: NodeProto, given: Sequence[GraphTensor], made: Sequence[GraphTensor]) -> bool:
    """Whether what comes out is small, and follows from what is known."""
    if any(each.is_sized and each.elements > most_known(each.element_type) for each in made):
        return False
    if node.op_type in ("Shape", "Size"):
        return given[0].is_sized
    return (
        bool(given)
        and all(each.values is not None for each in given)
        and all(each.element_type in COMPUTED or not each.element_type for each in made)
        and not node.op_type.startswith(BY_CHANCE)
    )


def _traced_back(node: NodeProto, name: str, made: GraphTensor, given: Sequence[GraphTensor]) -> GraphTensor:
    """What a node makes, with the tensors of the file that it comes from."""
    return made._replace(origins=origins_of(node.op_type, name, made, given))


def _computed(
    node: NodeProto, given: Sequence[GraphTensor], scope: Scope, made: Sequence[GraphTensor]
) -> list[GraphTensor]:
    """What comes out, by onnx's reference implementation."""
    feeds: dict[str, Any] = {}
    for name, tensor in zip(filter(None, node.input), given, strict=True):
        feeds[name] = np.broadcast_to(0, tensor.shape) if tensor.values is None else tensor.values
    results = run_node(node, scope.opsets, feeds)
    return [tensor_of_array(each, before.origins) for before, each in zip(made, results, strict=True)]


def constant(node: NodeProto, name: str) -> GraphTensor:
    """What a node gives that holds it."""
    if not node.attribute:  # of a function that was called without it
        return GraphTensor()
    value = helper.get_attribute_value(node.attribute[0])
    if isinstance(value, TensorProto):
        return held_tensor(value, name, by_node=True)
    if isinstance(value, SparseTensorProto):
        return held_sparse(value, name, by_node=True)
    kinds = {int: np.int64, float: np.float32}
    first = (
        value[0] if isinstance(value, Sequence) and not isinstance(value, str | bytes) and value else value
    )
    return held_array(np.asarray(value, kinds.get(type(first), np.object_)), name)

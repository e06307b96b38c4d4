"""Sequences of tensors whose items are known: what goes into them and comes out."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from onnx import NodeProto, TensorProto, TypeProto, helper

from costlab.onnx.call import NodeCall, domain_of
from costlab.onnx.scope import Scope
from costlab.onnx.tensor import GraphTensor, Origin, UnsizedError, tensor_of_array

Items: TypeAlias = tuple[GraphTensor, ...]
MOST = 1_000
"""The most items of a sequence that are followed one by one."""
Rule: TypeAlias = Callable[[NodeCall], GraphTensor]
SEQUENCES: dict[str, Rule] = {}
"""By operator: what it gives; `UnsizedError` where the items are not known."""


def of_sequences(operator: str) -> Callable[[Rule], Rule]:
    """Let a rule tell what an operator gives."""

    def register(rule: Rule) -> Rule:
        SEQUENCES[operator] = rule
        return rule

    return register


def sequence(items: Items) -> GraphTensor:
    """A sequence with these items."""
    kind = TypeProto()
    first = items[0].as_type() if items else None
    kind.sequence_type.elem_type.CopyFrom(first or helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    if any(each.sizes != items[0].sizes for each in items):
        kind.sequence_type.elem_type.tensor_type.ClearField("shape")
    return GraphTensor(kind=kind, items=items, origins=_origins(items))


def _origins(items: Items) -> tuple[Origin, ...]:
    """The tensors of the file that items come from, where no data are among them."""
    if not all(each.held for each in items):
        return ()
    return tuple(dict.fromkeys(origin for each in items for origin in each.origins))


def items_of(call: NodeCall, place: int = 0) -> Items:
    """The items of a sequence that goes in. Raises `UnsizedError` where they are not known."""
    items = call.input(place).items
    if items is None:
        raise UnsizedError
    return items


def _number(call: NodeCall, place: int, default: int) -> int:
    tensor = call.optional(place)
    if tensor is None:
        return default
    if tensor.values is None:
        raise UnsizedError
    return int(tensor.values.item())


@of_sequences("SequenceConstruct")
def constructed(call: NodeCall) -> GraphTensor:
    """A sequence of what goes in."""
    return sequence(tuple(each for each in call.inputs if each is not None))


@of_sequences("SequenceEmpty")
def empty(_: NodeCall) -> GraphTensor:
    """A sequence without items."""
    return sequence(())


@of_sequences("SequenceInsert")
def inserted(call: NodeCall) -> GraphTensor:
    """A sequence with one more item."""
    items = list(items_of(call))
    items.insert(_number(call, 2, len(items)), call.input(1))
    return sequence(tuple(items))


@of_sequences("SequenceErase")
def erased(call: NodeCall) -> GraphTensor:
    """A sequence without one of its items."""
    items = list(items_of(call))
    del items[_number(call, 1, -1)]
    return sequence(tuple(items))


@of_sequences("SequenceAt")
def at(call: NodeCall) -> GraphTensor:
    """An item; where data says which, one as all of them are."""
    items = items_of(call)
    if call.input(1).values is None:
        if len({each.sizes for each in items}) != 1:
            raise UnsizedError
        return items[0]._replace(values=None, origins=())
    return items[_number(call, 1, 0)]


@of_sequences("SequenceLength")
def length(call: NodeCall) -> GraphTensor:
    """How many items a sequence has."""
    return tensor_of_array(np.array(len(items_of(call))))


@of_sequences("SplitToSequence")
def split(call: NodeCall) -> GraphTensor:
    """The parts of a tensor along an axis: of the sizes that are given, or one each."""
    data, given = call.input(0), call.optional(1)
    sizes = list(data.shape)
    axis = call.number("axis") % len(sizes)
    if given is None:
        parts = [1] * sizes[axis]
    elif given.values is None:
        raise UnsizedError
    elif given.values.ndim:
        parts = [int(each) for each in given.values]
    else:
        each = int(given.values)
        parts = [min(each, sizes[axis] - begin) for begin in range(0, sizes[axis], each)]
    if len(parts) > MOST:
        raise UnsizedError
    dropped = given is None and not call.number("keepdims", 1)
    shapes = [(*sizes[:axis], *(() if dropped else (part,)), *sizes[axis + 1 :]) for part in parts]
    return sequence(tuple(data._replace(sizes=shape, values=None) for shape in shapes))


@of_sequences("ConcatFromSequence")
def joined(call: NodeCall) -> GraphTensor:
    """The items side by side along an axis, or along a new one."""
    items, axis = items_of(call), call.number("axis")
    first, *others = (list(each.shape) for each in items)
    if call.number("new_axis"):
        first.insert(axis if axis >= 0 else axis + len(first) + 1, len(items))
    else:
        first[axis] += sum(other[axis] for other in others)
    return GraphTensor(tuple(first), items[0].element_type, origins=_origins(items))


def given_by(node: NodeProto, scope: Scope) -> GraphTensor | None:
    """What a node gives that deals with sequences; None where it does not, or the items are not known."""
    rule = None if domain_of(node.domain) else SEQUENCES.get(node.op_type)
    if rule is None:
        return None
    try:
        return rule(scope.call(node, ()))
    except (UnsizedError, IndexError, ValueError, TypeError, ZeroDivisionError):
        return None

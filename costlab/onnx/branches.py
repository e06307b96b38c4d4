"""A node that holds two graphs of which one runs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import NodeProto

from costlab.algebra.shape import Sizes
from costlab.algebra.traced import COND_ON_DATA
from costlab.algebra.work import Work
from costlab.errors import TargetError
from costlab.onnx.names import name_of
from costlab.onnx.scope import graph_in
from costlab.onnx.tensor import GraphTensor
from costlab.onnx.tree import GraphOperation
from costlab.onnx.walk import Place

OTHER = "other_branch"
"""The kind of the row of parameters that the branch reads which is not counted."""


def branch(node: NodeProto, place: Place) -> list[GraphTensor]:
    """One of two graphs; where data decides which, one if they cost the same, else both."""
    walker, scope, operations = place
    condition = scope.read(node.input[0]) or GraphTensor()
    branches = [graph_in(node, "then_branch"), graph_in(node, "else_branch")]
    if condition.values is not None and condition.values.size == 1:
        chosen = branches[0 if condition.values.item() else 1]
        inside = scope.within_graph({})
        operations.extend(walker.run(chosen, inside))
        return inside.outputs(chosen)
    ran: list[list[GraphOperation]] = []
    outputs: list[list[GraphTensor]] = []
    problems: list[TargetError] = []
    for graph in branches:
        inside = scope.within_graph({})
        before = walker.counted.kept()
        try:
            ran.append(walker.run(graph, inside))
            outputs.append(inside.outputs(graph))
        except TargetError as error:
            problems.append(error)
            walker.counted.put_back(before)
    if not ran:
        raise problems[0]
    if problems:  # what goes in does not fit the other, which then cannot run
        operations.extend(ran[0])
        return outputs[0]
    path = name_of(node, "if").within(scope.path)
    if _cost(ran[0]) == _cost(ran[1]):
        more = max((0, 1), key=lambda which: (len(ran[which]), -which))
        operations.extend(ran[more])
        held = sum(each.parameters for each in ran[1 - more])
        if held:
            operations.add(GraphOperation(Work(OTHER, parameters=held), Sizes(), path=(*path[:-1], OTHER)))
    else:
        for name, done in zip(("true_branch", "false_branch"), ran, strict=True):
            operations.extend(_moved(each, scope.path, (*path, name)) for each in done)
        decided = GraphOperation(Work(COND_ON_DATA), Sizes(), unknown=True, reads=condition.made_by)
        operations.add(decided._replace(path=(*path[:-1], COND_ON_DATA)))
    return [either(a, b, condition.made_by) for a, b in zip(*outputs, strict=False)]


def _moved(operation: GraphOperation, here: Sequence[str], to: Sequence[str]) -> GraphOperation:
    """An operation of a branch, at a path by way of it."""
    return operation._replace(path=(*to, *operation.path[len(here) :]), classes=())


def _cost(operations: Sequence[GraphOperation]) -> list[tuple[Any, ...]]:
    """What has to be the same for a branch to cost what another does."""
    return sorted(
        (each.work.multiply_adds, each.work.activations, each.unknown)
        for each in operations
        if each.work.multiply_adds != 0 or each.unknown
    )


def either(one: GraphTensor, other: GraphTensor, decides: Sequence[int]) -> GraphTensor:
    """What is known of a tensor that is one of two."""
    made_by = tuple(dict.fromkeys((*decides, *one.made_by, *other.made_by)))
    kind = one.kind if one.kind is not None else other.kind
    element_type = one.element_type or other.element_type
    same = one.values is not None and other.values is not None and np.array_equal(one.values, other.values)
    values = one.values if same else None
    return GraphTensor(_common(one, other), element_type, values, made_by=made_by, kind=kind)


def _common(one: GraphTensor, other: GraphTensor) -> tuple[int | None, ...] | None:
    """The sizes that are the same."""
    if one.sizes is None or other.sizes is None or len(one.sizes) != len(other.sizes):
        return None
    return tuple(a if a == b else None for a, b in zip(one.sizes, other.sizes, strict=True))

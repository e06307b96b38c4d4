"""Nodes that hold a graph which is run several times over."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, helper

from costlab.algebra.shape import Sizes
from costlab.algebra.work import Work
from costlab.onnx.branches import either
from costlab.onnx.names import name_of
from costlab.onnx.operations import read_by
from costlab.onnx.scope import graph_in
from costlab.onnx.sequences import MOST, sequence
from costlab.onnx.tensor import GraphTensor
from costlab.onnx.tree import GraphOperation
from costlab.onnx.walk import Place, repeated

FOLLOWED = 1_000
"""Rounds of a loop that are followed one by one, where they are not all alike."""


class Round(NamedTuple):
    """One round: what was done, and what came out."""

    operations: list[GraphOperation]
    outputs: list[GraphTensor]


class Body(NamedTuple):
    """The graph of a loop, where it is."""

    graph: GraphProto
    place: Place
    path: tuple[str, ...]

    def run(self, given: Sequence[GraphTensor]) -> Round:
        """A round with what goes in."""
        names = [each.name for each in self.graph.input]
        inside = self.place.scope.within_graph(dict(zip(names, given, strict=False)), self.path)
        ran = self.place.walker.run(self.graph, inside)
        return Round(ran, inside.outputs(self.graph))

    def number(self, number: int | None, carried: Sequence[GraphTensor]) -> Round:
        """The round of that number, any if it is None, of a loop that goes on."""
        counter = GraphTensor((), TensorProto.INT64, None if number is None else np.array(number))
        goes_on = GraphTensor((), TensorProto.BOOL, np.array(True))
        return self.run([counter, goes_on, *carried])


def loop(node: NodeProto, place: Place) -> list[GraphTensor]:
    """A graph so many times as its first input says, if that is known, and no data ends it before."""
    scope = place.scope
    trips, condition, *carried = map(scope.read, (*node.input, "") if len(node.input) < 2 else node.input)
    given = [each or GraphTensor() for each in carried]
    body = Body(graph_in(node, "body"), place, (*scope.path, *name_of(node, "loop").parts))
    times = None if trips is None else _number(trips)
    begins = True if condition is None else _truth(condition)
    if begins is False:
        times = 0
    if times is not None and begins is not None:
        made = _alike(body, given, times) or _one_by_one(body, given, times)
        if made is not None:
            return made
    ran = body.number(None, list(map(_data, given)))
    turn = _not_counted(node, place, ran)
    carried_out = [_data(each, (turn,)) for each in ran.outputs[1 : 1 + len(given)]]
    scanned = [stacked(_data(each, (turn,)), None) for each in ran.outputs[1 + len(given) :]]
    return [*(either(a, b, (turn,)) for a, b in zip(given, carried_out, strict=False)), *scanned]


def _alike(body: Body, given: Sequence[GraphTensor], times: int) -> list[GraphTensor] | None:
    """What comes out where every round is like the first; None where it is not."""
    counted = body.place.walker.counted
    before = counted.kept()
    plain = list(map(_data, given))
    ran, (goes_on, *outputs) = body.number(None, plain)
    carried, scanned = outputs[: len(given)], outputs[len(given) :]
    alike = all(a.sizes == b.sizes and b.is_sized for a, b in zip(plain, carried, strict=True))
    if not times or not alike or _truth(goes_on) is not True or any(each.unsized for each in ran):
        counted.put_back(before)
        return None
    body.place.operations.extend(repeated(ran, times))
    return [*map(_data, carried), *(stacked(_data(each), times) for each in scanned)]


def _one_by_one(body: Body, given: Sequence[GraphTensor], times: int) -> list[GraphTensor] | None:
    """What comes out after all rounds, of which each has sizes of its own; None where data ends them."""
    counted = body.place.walker.counted
    before = counted.kept()
    every: list[GraphOperation] = []
    carried, scanned = list(given), list[list[GraphTensor]]()
    goes_on: bool | None = times <= FOLLOWED
    while goes_on and len(scanned) < times:
        ran, (condition, *outputs) = body.number(len(scanned), carried)
        every += ran
        carried = outputs[: len(given)]
        scanned.append(outputs[len(given) :])
        goes_on = _truth(condition)
    if goes_on is None or times > FOLLOWED:
        counted.put_back(before)
        return None
    body.place.operations.extend(every)
    last = scanned[-1] if scanned else [GraphTensor()] * (len(body.graph.output) - 1 - len(given))
    return [*carried, *(stacked(_data(each), len(scanned)) for each in last)]


def scan(node: NodeProto, place: Place) -> list[GraphTensor]:
    """A graph for each slice of what goes in, which hands something over to the next."""
    scope = place.scope
    attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    number = int(attributes.get("num_scan_inputs", 0))
    given = [scope.read(name) or GraphTensor() for name in node.input]
    carried, scanned = given[: len(given) - number], given[len(given) - number :]
    axes = attributes.get("scan_input_axes") or [0] * number
    along = {each.sizes[axis] for each, axis in zip(scanned, axes, strict=True) if each.sizes}
    body = Body(graph_in(node, "body"), place, (*scope.path, *name_of(node, "scan").parts))
    if scope.version(node.domain) < 9:  # it took batches, of lengths that are data
        turn = _not_counted(node, place, body.run([]), unsized=True)
        return [each._replace(made_by=(turn,)) for each in place.walker.sizing.outputs(node, scope)]
    slices = [_slice(each, axis) for each, axis in zip(scanned, axes, strict=True)]
    ran = body.run([*map(_data, carried), *slices])
    length = along.pop() if len(along) == 1 else None
    made_by: tuple[int, ...] | None = None
    if length is None:
        made_by = (_not_counted(node, place, ran, unsized=True),)
    else:
        place.operations.extend(repeated(ran.operations, length))
    states, outputs = ran.outputs[: len(carried)], ran.outputs[len(carried) :]
    into = attributes.get("scan_output_axes") or [0] * len(outputs)
    return [
        *(_data(each, made_by) for each in states),
        *(stacked(_data(each, made_by), length, axis) for each, axis in zip(outputs, into, strict=True)),
    ]


def mapped(node: NodeProto, place: Place) -> list[GraphTensor]:
    """A graph for each item of a sequence; of unknown ones not counted, and told."""
    walker, scope, operations = place
    body = graph_in(node, "body")
    given = [scope.read(name) or GraphTensor() for name in node.input]
    items = given[0].items
    if items is None or len(items) > MOST:
        outputs = walker.sizing.outputs(node, scope)
        turns = operations.meet(node, scope.call(node, outputs))
        return [each._replace(made_by=turns) for each in outputs]
    rounds: list[list[GraphTensor]] = []
    for number in range(len(items)):
        one = [each if each.items is None else each.items[number] for each in given]
        inside = scope.within_graph(dict(zip((each.name for each in body.input), one, strict=False)))
        operations.extend(walker.run(body, inside))
        rounds.append(inside.outputs(body))
    return [sequence(tuple(each)) for each in zip(*rounds, strict=True)] or [
        sequence(()) for _ in node.output
    ]


def _not_counted(node: NodeProto, place: Place, once: Round, unsized: bool = False) -> int:
    """Tell of a loop of which nobody knows how often it runs that it is not counted; gives its turn."""
    work = Work(node.op_type, parameters=sum(each.parameters for each in once.operations))
    reads = read_by(map(place.scope.read, node.input))
    path = name_of(node, node.op_type).within(place.scope.path)
    made = GraphOperation(work, Sizes(), path=path, unknown=True, unsized=unsized, reads=reads)
    return place.operations.add(made)


def _data(tensor: GraphTensor, made_by: tuple[int, ...] | None = None) -> GraphTensor:
    """A tensor whose elements change from round to round."""
    return tensor._replace(values=None, origins=(), made_by=tensor.made_by if made_by is None else made_by)


def _slice(tensor: GraphTensor, axis: int) -> GraphTensor:
    """One of what a tensor holds along an axis."""
    if tensor.sizes is None:
        return _data(tensor)
    sizes = list(tensor.sizes)
    del sizes[axis]
    return _data(tensor)._replace(sizes=tuple(sizes))


def stacked(tensor: GraphTensor, times: int | None, axis: int = 0) -> GraphTensor:
    """So many tensors of one kind, along an axis."""
    if tensor.sizes is None:
        return tensor
    sizes = list(tensor.sizes)
    sizes.insert(axis if axis >= 0 else len(sizes) + 1 + axis, times)
    return tensor._replace(sizes=tuple(sizes))


def _number(tensor: GraphTensor) -> int | None:
    """The value of a single integer."""
    values = tensor.values
    return None if values is None or values.size != 1 else int(values.item())


def _truth(tensor: GraphTensor) -> bool | None:
    """The value of a condition."""
    number = _number(tensor)
    return None if number is None else bool(number)

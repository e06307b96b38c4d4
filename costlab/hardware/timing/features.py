"""What an operation's time is told from: its class, and what it computes, reads and writes."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from costlab.algebra.block import Node
from costlab.algebra.traced import Call, Traced
from costlab.algebra.window import times
from costlab.counting.breakdown import kernel_of
from costlab.counting.count import Count
from costlab.hardware.traffic import FREE, moved

NOTHING = FREE
"""Kinds that take no time without gradients: they give what they are given, or a view of it."""
ELEMENT = 4
"""Bytes of an element in float32."""
CONV, SORTS, POOLS = "conv", ("grouped", "depthwise"), ("max_pool", "avg_pool")
IMAGE = 4
"""The most channels that an image has."""


class Features(NamedTuple):
    """What an operation does to a batch, bytes in float32; each is 1 ``launch``."""

    multiply_adds: int
    read: int
    written: int
    weights: int
    launch: int = 1


class Operation(NamedTuple):
    """An operation at its place, the class of alike ones that it is in, and its features."""

    path: str
    kind: str
    group: str
    features: Features


def operations_of(count: Count) -> tuple[Operation, ...]:
    """The operations of a count that take time, in the order of execution, without auxiliary heads.

    Raises:
        TypeError: the count is for symbols or arrays.
    """
    return tuple(
        Operation(node.path, work.kind, group_of(node), features_of(count, [node]))
        for node, work in count.inference.root.working()
        if work.kind not in NOTHING
    )


def features_of(count: Count, nodes: Iterable[Node]) -> Features:
    """The features of some operations of a count, added up; those that take no time have none."""
    each = [
        _features(node, int(count.batch)) for node in nodes if node.work and node.work.kind not in NOTHING
    ]
    return added_up(each)


def added_up(features: Iterable[Features]) -> Features:
    """The features of several, added up; of none all are 0."""
    each = list(features)
    return Features(*map(sum, zip(*each, strict=True))) if each else Features(0, 0, 0, 0, 0)


def _features(node: Node, batch: int) -> Features:
    work = node.work
    assert work is not None
    bytes_of = moved(node, batch, ELEMENT)
    again = ELEMENT * int(work.weights)  # of a layer that ran before, which has its parameters
    weights = int(bytes_of.parameters) or again
    return Features(batch * int(work.multiply_adds), int(bytes_of.reads), int(bytes_of.writes), weights)


def group_of(node: Node) -> str:
    """The class of an operation: what is alike in what a machine does for it.

    Convolutions are told apart by what runs them: ``conv 1x1``, ``conv kxk``, ``conv grouped`` and
    ``conv depthwise``, each with ``strided`` behind it where it is, and ``conv of image`` for the few
    channels of an image; pools by their window, ``max_pool2d 3x3``. All others are by their kind.
    """
    assert node.work is not None
    kind = node.work.kind
    if kind.startswith(POOLS):
        window = _setting(node, "kernel", "kernel_size")
        return f"{kind} {times(window)}" if isinstance(window, tuple) else kind
    if not kind.startswith("conv") or kind.startswith(("concat", "conv_transpose")):
        return kind
    kernel = kernel_of(node)
    sort = next((each for each in SORTS if kernel.endswith(f" {each}")), None)
    if sort is None:
        if _channels(node) <= IMAGE:
            return f"{CONV} of image"
        sort = "1x1" if set(kernel) <= set("1x ") else "kxk"
    stride = _setting(node, "stride", "stride")
    strided = isinstance(stride, tuple) and any(step != 1 for step in stride)
    return f"{CONV} {sort} strided" if strided else f"{CONV} {sort}"


def base_of(group: str) -> str:
    """The class that a class is part of: its first word."""
    return group.partition(" ")[0]


def _setting(node: Node, field: str, argument: str) -> tuple[int, ...] | None:
    """A size of a window or of its steps; None where it is not known."""
    value: Any = getattr(node.block, field, None)
    if isinstance(node.block, Traced):
        call = node.block.call
        value = None if call is None else _given(call, argument)
    if isinstance(value, int):
        return (value, value)
    whole = isinstance(value, tuple | list) and all(isinstance(each, int) for each in value)
    return tuple(value) if whole else None


def _given(call: Call, argument: str) -> Any:
    """An argument of a convolution or a pool; a window is the second of a pool, by no name."""
    second = call.args[1] if argument == "kernel_size" and len(call.args) > 1 else None
    return call.argument(argument, call.module.settings.get(argument, second))


def _channels(node: Node) -> int:
    """The channels that come in; many where that is not known."""
    if not isinstance(node.block, Traced):
        return int(node.input[0])
    call = node.block.call
    sizes = call.tensors[0].sizes if call is not None and call.tensors else ()
    return sizes[1] if len(sizes) > 2 else IMAGE + 1

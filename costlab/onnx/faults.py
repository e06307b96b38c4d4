"""What is wrong with a graph, in one line: what the file says cannot be, whoever reads it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

from onnx import IR_VERSION, AttributeProto, GraphProto, ModelProto, NodeProto, checker

from costlab.algebra.shape import Sizes
from costlab.errors import TargetError
from costlab.messages import first_sentence, named, shortened
from costlab.onnx.call import domain_of
from costlab.onnx.tensor import GraphTensor

ELSEWHERE = "should be stored in"
"""What onnx's checker says of data that lie beside the file, and need not be there."""
NO_OPERATOR = "No Op registered"
"""What it says of an operator that begins with a later version, or is somebody's own."""
WEIGHT_OF = {"Conv": 1, "ConvInteger": 1, "ConvTranspose": 1, "QLinearConv": 3}
"""At which input convolutions have their weights."""


def told(node: NodeProto) -> str:
    """A node, for people: its operator, and its name or what it gives."""
    name = node.name or next(filter(None, node.output), "")
    return f"{node.op_type} {named(name)}" if name else node.op_type


def refuse_malformed(node: NodeProto, version: int, error: Exception) -> None:
    """Refuse a node that no rule can count, for it is not as onnx has it; one of later versions is none such.

    Raises:
        TargetError: it is not.
    """
    context = checker.C.CheckerContext()
    context.ir_version = IR_VERSION
    context.opset_imports = {node.domain: version}
    try:
        checker.check_node(node, context)
    except Exception as wrong:  # onnx's own, or what reading a damaged node raises
        if NO_OPERATOR not in (said := first_sentence(wrong, of_line=True)):
            raise TargetError(f"{told(node)}: {said}") from error


def refuse_invalid(model: ModelProto, error: Exception) -> None:
    """Refuse a model that cannot be followed, for it is none that onnx's checker takes.

    Raises:
        TargetError: it is none.
    """
    if not _is_text(model):
        raise TargetError("it is damaged: it holds names that are no text") from error
    try:
        checker.check_model(model)
    except Exception as wrong:  # likewise
        said = first_sentence(wrong, of_line=True)
        if ELSEWHERE not in said:
            raise TargetError(f"it is damaged: {said}") from error


def _is_text(message: Any) -> bool:
    """Whether all texts in a message of protobuf are such, which it gives as bytes where they are not."""
    for field, value in message.ListFields():
        for each in value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else (value,):
            if field.type == field.TYPE_STRING and isinstance(each, bytes):
                return False
            if field.type == field.TYPE_MESSAGE and not _is_text(each):
                return False
    return True


def refuse_channels(node: NodeProto, inputs: Sequence[GraphTensor | None]) -> None:
    """Refuse a convolution of more or fewer channels than its weights have, which onnx's inference lets pass.

    Raises:
        TargetError: it has others.
    """
    place = WEIGHT_OF.get(node.op_type)
    if place is None or len(inputs) <= place or domain_of(node.domain):
        return
    data, weight = inputs[0], inputs[place]
    if data is None or weight is None or not (data.is_sized and weight.is_sized):
        return
    if len(data.shape) != len(weight.shape) or len(data.shape) < 3:
        raise TargetError(f"{told(node)}: weights of {Sizes(*weight.shape)} do not fit {Sizes(*data.shape)}")
    groups = next((each.i for each in node.attribute if each.name == "group"), 1)
    wanted = weight.shape[0] if node.op_type == "ConvTranspose" else weight.shape[1] * groups
    if data.shape[1] != wanted:
        has = f"{Sizes(*data.shape)} has {data.shape[1]}"
        raise TargetError(f"{told(node)}: its weights are for {wanted} channels, and {has}")


def in_order(graph: GraphProto, outer: Iterable[str] = ()) -> Sequence[NodeProto]:
    """The nodes, each behind those that it reads: in the order of the file, which mostly is such.

    Raises:
        TargetError: a node reads what nothing gives, two give one name, or some read each other in a circle.
    """
    own = {each.name for each in (*graph.input, *graph.initializer)}
    own.update(each.values.name for each in graph.sparse_initializer)
    given: dict[str, NodeProto] = {}
    for node in graph.node:
        for name in filter(None, node.output):
            if name in given or name in own:
                raise TargetError(f"{told(node)} gives {named(name)}, which something else gives, too")
            given[name] = node
    done = own.union(outer)
    waiting: list[NodeProto] = []
    ordered: list[NodeProto] = []
    for node in graph.node:
        if all(name in done for name in _read(node)):
            ordered.append(node)
            done.update(filter(None, node.output))
        else:
            waiting.append(node)
    while waiting:
        ready = [node for node in waiting if all(name in done for name in _read(node))]
        if not ready:
            _refuse_unready(waiting, done, given)
        for node in ready:
            done.update(filter(None, node.output))
        ordered += ready
        chosen = set(map(id, ready))
        waiting = [node for node in waiting if id(node) not in chosen]
    return ordered


def _refuse_unready(waiting: Sequence[NodeProto], done: set[str], given: dict[str, NodeProto]) -> NoReturn:
    for node in waiting:
        for name in _read(node):
            if name not in done and name not in given:
                raise TargetError(f"{told(node)} reads {named(name)}, which nothing gives")
    some = ", ".join(map(told, waiting[:3]))
    raise TargetError(f"{shortened(some, 200)} read each other in a circle")


def _read(node: NodeProto) -> Iterator[str]:
    """What a node reads, and the graphs in it read of what is around them."""
    yield from filter(None, node.input)
    for attribute in node.attribute:
        graphs = (attribute.g,) if attribute.type == AttributeProto.GRAPH else attribute.graphs
        for graph in graphs:
            yield from _read_by_graph(graph)


def _read_by_graph(graph: GraphProto) -> Iterator[str]:
    own = {each.name for each in graph.input}
    own.update(each.name for each in graph.initializer)
    own.update(each.values.name for each in graph.sparse_initializer)
    own.update(name for node in graph.node for name in node.output)
    for node in graph.node:
        yield from (name for name in _read(node) if name not in own)
    yield from (each.name for each in graph.output if each.name and each.name not in own)

"""Graphs of ONNX as blocks: walking one sizes its tensors and counts its nodes; nothing runs."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import onnx
from onnx import ModelProto, NodeProto, helper

from costlab.algebra.block import Block, Node
from costlab.algebra.dim import Dim, text
from costlab.algebra.inputs import Inputs, TensorInput
from costlab.algebra.shape import AnyShape, Shape, Sizes, Vector
from costlab.algebra.traced import Parameters, Traced
from costlab.algebra.work import Work
from costlab.errors import DefinitionError, TargetError, first_line
from costlab.onnx.call import GraphStep, NodeCall
from costlab.onnx.rules import RULES
from costlab.onnx.sizing import Sizing
from costlab.onnx.tensor import GraphTensor, UnsizedError, tensor_of_type
from costlab.onnx.tree import GraphOperation, build_tree


@dataclass(frozen=True)
class OnnxGraph(Block):
    """A graph of ONNX, counted as a module is: each node by a rule, at the sizes that go in."""

    takes_tensors: ClassVar[bool] = True

    name: str
    model: ModelProto = field(compare=False, repr=False)

    @property
    def title(self) -> str:
        return self.name

    def settings(self) -> Iterator[tuple[str, Any]]:
        return iter(())

    @property
    def inputs(self) -> dict[str, GraphTensor]:
        """What goes in, by name: what a graph calls its inputs, but for those that the file holds."""
        held = {each.name for each in self.model.graph.initializer}
        return {
            each.name: tensor_of_type(each.type) for each in self.model.graph.input if each.name not in held
        }

    @property
    def default_input(self) -> Inputs | None:
        """The input where the file leaves no size open, or the batch alone, which then is 1."""
        tensors: dict[str, TensorInput] = {}
        for name, tensor in self.inputs.items():
            if tensor.sizes is None or None in tensor.sizes[1:]:
                return None
            sizes = (1 if size is None else size for size in tensor.sizes)
            kind = helper.tensor_dtype_to_np_dtype(tensor.element_type).name
            tensors[name] = TensorInput(Sizes(*sizes), kind)
        return Inputs((), tensors)

    def placed(self, x: Any, batch: Dim) -> tuple[Inputs, Dim]:
        if isinstance(x, Inputs):
            if batch != 1:
                raise DefinitionError(f"input={x} has its batch in it: leave batch={text(batch)} out")
            return x, 1
        sizes = (int(batch), *map(int, x)) if isinstance(x, Shape | Vector) else x
        return Inputs([TensorInput(Sizes(*sizes))], batched=True), 1

    def walk(self, x: AnyShape | Inputs, path: str = "", training_only: bool = False) -> Node:
        """The tree of its nodes on an input.

        Raises:
            DefinitionError: the input does not fit.
        """
        given, _ = self.placed(x, 1)
        sizing = Sizing(self.model, self._given(given))
        operations: list[GraphOperation] = []
        counted: set[str] = set()
        before: tuple[tuple[NodeCall, Work], ...] = ()
        for node, call in sizing.calls(self.model.graph):
            if call.output.held:  # done once, before any run, and no part of it
                before += ((call, _work(call)),)
                continue
            operations.extend(_operations(node, GraphStep(call, 0, before), counted))
            before = ()
        if before and operations:
            operations[-1] = operations[-1].with_more_before(before)
        held = Parameters(trainable=sum(_number(each.work.parameters) for each in operations))
        root = build_tree(self.name, operations, held)
        assert isinstance(root.block, Traced)
        return root._replace(block=replace(root.block, graph=self.model))

    def _given(self, given: Inputs) -> dict[str, GraphTensor]:
        """The tensors that go in, at the sizes that were given."""
        wanted = self.inputs
        named: dict[str, Any] = dict(zip(wanted, given.args, strict=False)) | dict(given.kwargs)
        return {name: wanted[name]._replace(sizes=tuple(each.sizes)) for name, each in named.items()}


def _operations(node: NodeProto, step: GraphStep, counted: set[str]) -> Iterator[GraphOperation]:
    """What a node does; of a node that nobody knows, or that has no sizes, that it is not counted."""
    call = step.call
    rule = RULES.get((call.domain, call.operator))
    if rule is None:
        yield GraphOperation(node, Work(call.operator), Sizes(), step, unknown=True)
        return
    try:
        works = rule(call)
        for part, work in enumerate((works,) if isinstance(works, Work) else works):
            mine = sum(_new(each, counted) for each in call.inputs if each is not None)
            sizes = Sizes(*call.output.shape)
            yield GraphOperation(node, work._replace(parameters=mine), sizes, step.at(part))
    except UnsizedError:
        yield GraphOperation(node, Work(call.operator), Sizes(), step, unknown=True)


def _work(call: NodeCall) -> Work:
    """What a node does that has nothing but what the file holds; of one that nobody knows, nothing."""
    rule = RULES.get((call.domain, call.operator))
    with suppress(UnsizedError):
        works = Work(call.operator) if rule is None else rule(call)
        return works if isinstance(works, Work) else next(iter(works))
    return Work(call.operator)


def _number(size: Dim) -> int:
    assert isinstance(size, int)
    return size


def _new(tensor: GraphTensor, counted: set[str]) -> int:
    """The elements of parameters that were not counted yet."""
    if not tensor.held or not tensor.is_floating_point or tensor.origin in counted:
        return 0
    counted.add(tensor.origin)
    return tensor.elements


def read_graph(file: Path) -> OnnxGraph:
    """The graph in a file; what it keeps in other files is not read.

    Raises:
        TargetError: there is no such file, or it holds no graph of ONNX.
    """
    try:
        return OnnxGraph(file.name, onnx.load(file, load_external_data=False))
    except Exception as error:
        raise TargetError(f"{file}: {first_line(error)}") from error

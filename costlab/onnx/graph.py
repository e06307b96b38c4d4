"""Graphs of ONNX as blocks: walking one sizes its tensors and counts its nodes; nothing runs."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import onnx
from onnx import ModelProto, helper

from costlab.algebra.block import Block, Node
from costlab.algebra.dim import Dim, text
from costlab.algebra.inputs import Inputs, TensorInput
from costlab.algebra.shape import AnyShape, Shape, Sizes, Vector
from costlab.algebra.traced import Parameters, Traced
from costlab.errors import DefinitionError, TargetError, first_line
from costlab.onnx.operations import Operations
from costlab.onnx.sizing import Sizing
from costlab.onnx.tensor import GraphTensor, tensor_of_type
from costlab.onnx.tree import build_tree


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
        operations = Operations(self.model.graph)
        for node, call in sizing.calls(self.model.graph):
            operations.meet(node, call)
        done = operations.finished()
        held = Parameters(trainable=sum(_number(each.work.parameters) for each in done))
        root = build_tree(self.name, done, held)
        assert isinstance(root.block, Traced)
        return root._replace(block=replace(root.block, graph=self.model))

    def _given(self, given: Inputs) -> dict[str, GraphTensor]:
        """The tensors that go in, at the sizes that were given."""
        wanted = self.inputs
        named: dict[str, Any] = dict(zip(wanted, given.args, strict=False)) | dict(given.kwargs)
        return {name: wanted[name]._replace(sizes=tuple(each.sizes)) for name, each in named.items()}


def _number(size: Dim) -> int:
    assert isinstance(size, int)
    return size


def read_graph(file: Path) -> OnnxGraph:
    """The graph in a file; what it keeps in other files is not read.

    Raises:
        TargetError: there is no such file, or it holds no graph of ONNX.
    """
    try:
        return OnnxGraph(file.name, onnx.load(file, load_external_data=False))
    except Exception as error:
        raise TargetError(f"{file}: {first_line(error)}") from error

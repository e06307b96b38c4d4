"""Graphs of ONNX as blocks: walking one sizes its tensors and counts its nodes; nothing runs."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

from onnx import ModelProto

from costlab.algebra.block import Block, Node
from costlab.algebra.dim import Dim, is_number, text
from costlab.algebra.inputs import AnyInput, Inputs, TensorInput, without_batch
from costlab.algebra.operands import Look
from costlab.algebra.shape import AnyShape, Sizes
from costlab.algebra.traced import OF_GRAPH, Parameters, Traced
from costlab.errors import CostlabError, DefinitionError, TargetError
from costlab.messages import shortened
from costlab.onnx.control import CONTROL
from costlab.onnx.faults import refuse_invalid
from costlab.onnx.fixed import GraphRun
from costlab.onnx.inputs import (
    Bound,
    GraphInput,
    as_given,
    asked,
    bound,
    default_sizes,
    inputs_of,
    sizes_of,
)
from costlab.onnx.operations import read_by
from costlab.onnx.scope import Scope
from costlab.onnx.tensor import GraphTensor, tensor_of_type
from costlab.onnx.tree import GraphOperation, build_tree
from costlab.onnx.walk import Walker


@dataclass(frozen=True, eq=False)
class OnnxGraph(Block):
    """A graph of ONNX, counted as a module is: each node by a rule, at the sizes that go in.

    ``folder`` is where weights lie that are in files of their own, empty for a graph that comes from no file.
    They are read where weights are looked at, and need not be there.
    """

    takes_tensors: ClassVar[bool] = True

    name: str
    model: ModelProto = field(repr=False)
    folder: str = ""

    @property
    def title(self) -> str:
        return self.name

    def settings(self) -> Iterator[tuple[str, Any]]:
        return iter(())

    @cached_property
    def inputs(self) -> tuple[GraphInput, ...]:
        """What goes in: what a graph calls its inputs, but for those that the file holds."""
        return inputs_of(self.model.graph)

    @property
    def default_input(self) -> AnyInput | None:
        """The input where the file leaves no size open, or the batch alone, which then is 1.

        Of one image, or one vector, it is the shape without the batch, as definitions have it.
        """
        found = default_sizes(self.inputs)
        return None if found is None else without_batch(found)

    @property
    def without_module(self) -> str:
        return OF_GRAPH

    @property
    def wanted_input(self) -> str:
        return asked(self.inputs)

    def placed(self, x: Any, batch: Dim) -> tuple[Inputs, Dim]:
        """The inputs for a shape without a batch, or for another batch where the file leaves it open, and 1.

        Raises:
            DefinitionError: the batch is given twice, or the file fixes it; the input does not fit.
        """
        if isinstance(x, Inputs):
            return as_given(self._bound(x if batch == 1 else self._with_batch(x, batch)).given), 1
        if not is_number(batch, *x):
            raise DefinitionError(
                f"{self.name}: a closed form is for definitions; a graph is counted at an input"
            )
        sizes = tuple(map(int, x))
        wanted = next((each.sizes for each in self.inputs if each.is_tensor), None)
        has_batch = isinstance(x, Sizes) or (wanted is not None and len(wanted) == len(sizes) and batch == 1)
        given = sizes if has_batch else (int(batch), *sizes)
        return as_given(self._bound(Inputs([TensorInput(Sizes(*given))])).given), 1

    def _with_batch(self, x: Inputs, batch: Dim) -> Inputs:
        """The input that the file leaves open, for another batch."""
        default = default_sizes(self.inputs)
        if default is None or x != default:
            raise DefinitionError(
                f"input={shortened(str(x))} has its batch in it: leave batch={text(batch)} out"
            )
        if not default.batched or not isinstance(batch, int):
            raise DefinitionError(f"{self.name} is fixed at {default}: leave batch={text(batch)} out")
        found = default_sizes(self.inputs, batch)
        assert found is not None
        return found

    def _bound(self, given: Inputs) -> Bound:
        try:
            return bound(self.inputs, given)
        except DefinitionError as error:
            raise DefinitionError(f"{self.name}: {error}") from None

    def walk(self, x: AnyShape | Inputs, path: str = "", training_only: bool = False) -> Node:
        """The tree of its nodes on an input.

        Raises:
            DefinitionError: the input does not fit.
            TargetError: the graph is malformed.
        """
        given, _ = self.placed(x, 1)
        into = self._bound(given)
        graph = self.model.graph
        walker = Walker(self.model, self._declared(into), CONTROL)
        scope = Scope(opsets=tuple(self.model.opset_import))
        scope.tensors.update(into.tensors)
        try:
            operations = self._run(walker, scope)
        except CostlabError as error:
            raise TargetError(f"{self.name}: {error}") from error
        outputs = scope.outputs(graph)
        held = Parameters(trainable=sum(each.parameters for each in operations))
        root = build_tree(self.name, operations, held, read_by(outputs))
        assert isinstance(root.block, Traced)
        first = outputs[0] if outputs else None
        output = Sizes(*first.shape) if first is not None and first.is_sized else Sizes()
        return root._replace(
            output=output, block=replace(root.block, graph=GraphRun(self.model, into.tensors))
        )

    def _run(self, walker: Walker, scope: Scope) -> list[GraphOperation]:
        try:
            return walker.run(self.model.graph, scope)
        except CostlabError:
            raise
        except RecursionError:
            raise TargetError("a function of the file calls itself") from None
        except Exception as error:  # what is damaged may fail anywhere; of a sound graph it is let out
            refuse_invalid(self.model, error)
            raise

    def weighed(self, look: Look) -> Block:
        """The same graph, whose walk looks at each weight, and tells all that the file holds."""
        from costlab.onnx.weighed import WeighedGraph

        return WeighedGraph(self, self.model, look, self.folder)

    def _declared(self, into: Bound) -> dict[str, GraphTensor]:
        """What the file says of the tensors between, where the sizes with names are those of the input."""
        graph = self.model.graph
        found: dict[str, GraphTensor] = {}
        for value in (*graph.value_info, *graph.output):
            tensor = tensor_of_type(value.type)
            if (sizes := sizes_of(value.type)) is not None:
                known = (into.sizes.get(each) if isinstance(each, str) else each for each in sizes)
                tensor = tensor._replace(sizes=tuple(known))
            found[value.name] = tensor
        return found

"""A graph whose weights are looked at: what each node multiplies, and all tensors of the file."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from onnx import GraphProto, ModelProto

from costlab.algebra.block import Block, Node
from costlab.algebra.dim import Dim
from costlab.algebra.inputs import Inputs
from costlab.algebra.operands import Look, Operands, Stored, Weight
from costlab.algebra.recurrent import GATES
from costlab.algebra.shape import AnyShape
from costlab.algebra.traced import Traced
from costlab.algebra.work import Work
from costlab.onnx.call import NodeCall
from costlab.onnx.masks import Array, FileTensors, Held
from costlab.onnx.roles import role_of, roles_in
from costlab.onnx.rules import LEARNED


class WeightPlace(NamedTuple):
    """At which input an operator takes its weight, its zero point (0: none), and on which axis that lies."""

    weight: int
    zero: int = 0
    axis: int = 0


PLACES = {
    "Conv": WeightPlace(1),
    "FusedConv": WeightPlace(1),
    "ConvTranspose": WeightPlace(1),
    "ConvInteger": WeightPlace(1, 3),
    "QLinearConv": WeightPlace(3, 5),
    "Gemm": WeightPlace(1),
    "MatMul": WeightPlace(1),
    "MatMulInteger": WeightPlace(1, 3, -1),
    "QLinearMatMul": WeightPlace(3, 5, -1),
    "DynamicQuantizeMatMul": WeightPlace(1, 3, -1),
    "MatMulIntegerToFloat": WeightPlace(1, 5, -1),
    "QGemm": WeightPlace(3, 5, -1),
}
ROUNDING = frozenset(["DynamicQuantizeMatMul"])
"""Operators that round their data to 8 bits as it comes."""


@dataclass(frozen=True, eq=False)
class WeighedGraph(Block):
    """A graph whose walk looks at each weight."""

    takes_tensors: ClassVar[bool] = True

    block: Block
    model: ModelProto
    look: Look
    folder: str = ""

    @property
    def title(self) -> str:
        return self.block.title

    def settings(self) -> Iterator[tuple[str, Any]]:
        return iter(())

    def placed(self, x: Any, batch: Dim) -> tuple[Any, Dim]:
        """As of the graph."""
        return self.block.placed(x, batch)

    def walk(self, x: AnyShape | Inputs, path: str = "", training_only: bool = False) -> Node:
        """The tree of its nodes, each with what it multiplies. Raises as the graph's does."""
        root = self.block.walk(x, path, training_only)  # type: ignore[arg-type]  # a graph takes both
        leaves = sorted(_leaves(root), key=_turn)
        weigher = _Weigher(
            FileTensors(self.model.graph, self.folder, self.model.opset_import),
            self.model.graph,
            self.look,
            leaves,
        )
        for node in leaves:
            weigher.meet(node)
        made = weigher.told(root)
        assert isinstance(made.block, Traced)
        return made._replace(block=replace(made.block, stored=tuple(weigher.stored())))


def _leaves(node: Node) -> Iterator[Node]:
    if node.work is not None:
        yield node
    for child in node.children:
        yield from _leaves(child)


def _turn(node: Node) -> int:
    return node.block.turn if isinstance(node.block, Traced) else 0


class _Weigher:
    """What is multiplied, operation by operation, in the order in which they run."""

    def __init__(self, tensors: FileTensors, graph: GraphProto, look: Look, leaves: list[Node]) -> None:
        self._tensors, self._look = tensors, look
        self._biases = list(_added_later(leaves))
        self._roles = roles_in(graph)
        self._operands: dict[int, Operands] = {}
        self._parameters: dict[int, list[str] | None] = {}
        self._read: dict[str, str] = {}  # by name, the path where it is read first
        self._left: dict[str, int | None] = {}  # by name, how many elements are used that are not zero
        self._multiplied: set[str] = set()

    def meet(self, node: Node) -> None:
        """Look at what an operation multiplies."""
        step = node.block.step_of_graph if isinstance(node.block, Traced) else None
        if step is None or step.call is None or node.work is None:
            return
        call: NodeCall = step.call
        counted = self._counted(call, node)
        products: Any = node.work.multiply_adds
        made = Operands(found=not products) if step.part or not products else self._factors(call, node.work)
        self._operands[_turn(node)] = made
        self._parameters[_turn(node)] = self._with_bias(counted, node.work)

    def told(self, node: Node) -> Node:
        """The same tree, with what each operation multiplies, once all were looked at."""
        children = tuple(map(self.told, node.children))
        block = node.block
        if isinstance(block, Traced) and node.work is not None:
            operands = self._operands.get(_turn(node), Operands(found=False))
            nonzero = self._nonzero(self._parameters.get(_turn(node)))
            block = replace(block, operands=operands._replace(nonzero=nonzero))
        return node._replace(children=children, block=block)

    def stored(self) -> Iterator[Stored]:
        """All tensors of the file."""
        for name, tensor, size in self._tensors.all():
            role = "weights" if name in self._multiplied else self._roles.get(name)
            yield Stored(self._read.get(name, ""), name, role or role_of(name, tensor), size)

    def _counted(self, call: NodeCall, node: Node) -> list[str]:
        """The tensors of the file that an operation reads first, where parameters are."""
        places = LEARNED.get((call.domain, call.operator), tuple(range(len(call.inputs))))
        new: list[str] = []
        for place, each in enumerate(call.inputs):
            if each is None:
                continue
            for origin in each.origins:
                if origin.name in self._read:
                    continue
                self._read[origin.name] = node.path
                new += [origin.name] if place in places else []
                if place in places[1:] and node.work is not None and node.work.multiply_adds != 0:
                    self._roles.setdefault(origin.name, "biases" if len(each.sizes or ()) == 1 else "weights")
        return new

    def _with_bias(self, counted: list[str], work: Work) -> list[str] | None:
        """The parameters that are counted with an operation, its bias too; None where they are not told."""
        wanted: Any = work.parameters
        rest = wanted - sum(map(self._elements, counted))
        if rest:
            bias = next((each for each in self._biases if self._elements(each) == rest), None)
            if bias is None:
                return [] if wanted == 0 else None
            self._biases.remove(bias)
            counted = [*counted, bias]
            self._roles[bias] = "biases"
        return counted

    def _nonzero(self, parameters: list[str] | None) -> int | None:
        """How many elements of parameters are not zero, in the use of the most."""
        if parameters is None:
            return None
        left = [self._left_of(name) for name in parameters]
        return None if None in left else sum(each or 0 for each in left)

    def _elements(self, name: str) -> int:
        tensor = self._tensors.held.get(name)
        size = 1
        for each in () if tensor is None else tensor.dims:
            size *= each
        return 0 if tensor is None else size

    def _left_of(self, name: str) -> int | None:
        if name not in self._left:
            found = self._tensors.find(name)
            self._left[name] = None if found is None or found.mask is None else int(found.mask.sum())
        return self._left[name]

    def _factors(self, call: NodeCall, work: Work) -> Operands:
        """The weights of an operation, and how wide its data is."""
        products: Any = work.multiply_adds
        data = 8 if call.operator in ROUNDING else self._width(call, 0)
        if call.operator.lower() in GATES:
            return self._weights(products, [self._gates(call, place) for place in (1, 2)], data)
        if call.operator == "MatMulNBits":
            held: Any = work.weights
            weight = Weight(call.names[0][1], held, products // max(held, 1), call.number("bits", 4))
            return Operands((weight,), data)
        place = PLACES.get(call.operator)
        if place is None:
            any_held = any(each is not None and each.held for each in call.inputs)
            return Operands(data_bits=data, found=not any_held)
        found = self._at(call, place)
        if found is not None:
            return self._weights(products, [(found, _axes(call, found.mask))], data)
        if call.operator in ("MatMul", "Gemm") and (
            turned := self._tensors.of_input(call.names[0][0], call.input(0))
        ):
            mask = turned.mask if turned.mask is None else turned.mask.swapaxes(-1, -2)
            axes = _axes(call, mask, turned=bool(call.number("transA")))
            return self._weights(products, [(turned, axes)], self._width(call, 1))
        return Operands(data_bits=data, found=call.input(place.weight).is_sized)

    def _at(self, call: NodeCall, place: WeightPlace) -> Held | None:
        names = call.names[0]
        name = names[place.weight] if place.weight < len(names) else ""
        found = self._tensors.of_input(name, call.input(place.weight))
        if found is not None and place.zero and name in self._tensors.held:
            zero = names[place.zero] if place.zero < len(names) else ""
            axis = 0 if call.number("transB") else place.axis
            return found._replace(mask=self._tensors.is_not(name, zero, axis))
        return found

    def _gates(self, call: NodeCall, place: int) -> tuple[Held | None, Array | None]:
        """``(directions, gates * hidden, inputs)``."""
        found = self._tensors.of_input(call.names[0][place], call.input(place))
        if found is None or found.mask is None or found.mask.ndim != 3:
            return found, None
        directions, rows, inputs = found.mask.shape
        gates = GATES[call.operator.lower()]
        return found, found.mask.reshape(directions, gates, rows // gates, inputs).transpose(0, 2, 3, 1)

    def _weights(self, products: int, held: list[tuple[Held | None, Array | None]], data: int) -> Operands:
        known = [(each, mask) for each, mask in held if each is not None]
        whole = sum(each.elements for each, _ in known)
        if len(known) < len(held) or not whole or products % whole:
            return Operands(data_bits=data, found=False)
        made = []
        for each, mask in known:
            self._multiplied.add(each.name)
            left = None if mask is None else int(mask.sum())
            before = self._left.get(each.name)
            self._left[each.name] = left if left is None or before is None else max(left, before)
            zeros = None if mask is None else self._look(mask)
            made.append(Weight(each.name, each.elements, products // whole, each.bits, zeros))
        return Operands(tuple(made), data)

    def _width(self, call: NodeCall, place: int) -> int:
        name = call.names[0][place] if place < len(call.names[0]) else ""
        return self._tensors.data_bits(name, call.input(place).element_type)


def _added_later(leaves: list[Node]) -> Iterator[str]:
    """The tensors of the file that are added to the output of a product by a node of its own."""
    for node in leaves:
        step = node.block.step_of_graph if isinstance(node.block, Traced) else None
        for call, _ in () if step is None else step.before:
            if call.operator == "Add":
                yield from (origin.name for each in call.inputs if each for origin in each.origins)


def _axes(call: NodeCall, mask: Array | None, *, turned: bool = False) -> Array | None:
    """A mask as a look takes it; one axis where it is not known which is which."""
    if mask is None:
        return None
    if call.operator == "ConvTranspose":
        inputs, filters, *_ = mask.shape
        groups = call.number("group", 1)
        return mask.reshape(groups, inputs // groups, filters, -1).swapaxes(1, 2)
    if "Conv" in call.operator:
        filters, inputs, *_ = mask.shape
        groups = call.number("group", 1)
        return mask.reshape(groups, filters // groups, inputs, -1)
    if mask.ndim != 2:
        return mask.reshape(-1)
    rows_are_inputs = not (call.number("transB") or turned)
    return (mask.T if rows_are_inputs else mask)[None, :, :, None]

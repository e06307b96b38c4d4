"""The nodes of a graph as operations: each by its rule, and a bias that is added goes with its product."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import permutations

from onnx import GraphProto, NodeProto

from costlab.algebra.shape import Sizes
from costlab.algebra.window import grouping
from costlab.algebra.work import Work
from costlab.onnx.call import GraphStep, NodeCall
from costlab.onnx.faults import WEIGHT_OF, refuse_malformed
from costlab.onnx.names import name_of
from costlab.onnx.parameters import Counted
from costlab.onnx.rules import NOTHING, RULES
from costlab.onnx.tensor import GraphTensor, UnsizedError
from costlab.onnx.tree import GraphOperation

PASSED = frozenset(["Cast", "DequantizeLinear", "QuantizeLinear"])
"""What may stand between a product and the bias that is added to it."""
SUMS = {"Add": (0, 1), "QLinearAdd": (0, 3)}
"""Sums that may add a bias, and at which of their inputs what they add up is."""
INTEGER = frozenset(["ConvInteger", "MatMulInteger"])
"""Products whose outputs are scaled before a bias is added."""


class Operations:
    """What the nodes of a graph do, in the order in which they are met.

    ``read`` are the names of what they and others read, as often as they do. ``path`` is where the graph is;
    ``turn`` gives the turn of a further operation, of all graphs.
    """

    def __init__(
        self, read: Iterable[str], path: tuple[str, ...], counted: Counted, turn: Callable[[], int]
    ) -> None:
        self._met: list[GraphOperation] = []
        self._before: list[tuple[NodeCall, Work]] = []
        self._path, self._counted, self._turn = path, counted, turn
        self._uses = Counter(read)
        self._products: dict[str, tuple[int, NodeCall]] = {}
        self._scales: set[str] = set()

    def meet(self, node: NodeProto, call: NodeCall) -> tuple[int, ...]:
        """What a node does; of one that nobody knows, or that has no sizes, that it is not counted.

        What makes a tensor of what the file holds alone is done once, before any run, and no part of it; so
        is what follows from sizes. Gives the turns of the operations that its outputs come from.
        """
        begin = len(self._met)
        if not (call.output.held or call.output.values is not None):
            try:
                if not self._adds_bias(node, call):
                    self._add_works(node, call)
                    self._follow(node, call)
            except UnsizedError as error:
                refuse_malformed(node, call.version, error)
                del self._met[begin:]
                self._add(node, call, self._unknown(call), unsized=True)
        if len(self._met) == begin:
            self.aside(call)
            return read_by(call.inputs)
        return (self._met[-1].turn,)

    def extend(self, operations: Iterable[GraphOperation]) -> None:
        """Add operations of another graph, which tools do not see that read this one."""
        self._met += (each._replace(step=(each.step or GraphStep()).hidden()) for each in operations)

    def aside(self, call: NodeCall) -> None:
        """Note a node that is no operation, as tools that read graphs meet it."""
        self._before.append((call, _aside(call)))

    def add(self, operation: GraphOperation) -> int:
        """Add an operation of no rule; gives its turn."""
        step = operation.step or GraphStep()
        self._met.append(operation._replace(step=step, turn=self._turn()))
        return self._met[-1].turn

    def finished(self) -> list[GraphOperation]:
        """All operations, in their order; the last has what comes after it, too.

        Where there is none, the last node is one that costs nothing.
        """
        if self._before and not self._met:
            call, work = self._before.pop()
            sizes = Sizes(*call.output.shape) if call.output.is_sized else Sizes()
            idle = GraphOperation(Work(work.kind), sizes, GraphStep(call), (*self._path, work.kind))
            self.add(idle._replace(reads=read_by(call.inputs)))
        if self._before:
            self._met[-1] = self._met[-1].with_more_before(tuple(self._before))
        return self._met

    def _add_works(self, node: NodeProto, call: NodeCall) -> None:
        key = call.domain, call.operator
        if key not in RULES and key not in NOTHING:
            self._add(node, call, self._unknown(call))
            return
        scales = call.operator == "Mul" and not self._scales.isdisjoint(node.input)
        for work in self._works(node, call):
            mine = work if scales else work._replace(parameters=self._counted.parameters(call, work))
            output = Sizes() if call.output.items is not None else Sizes(*call.output.shape)
            self._add(node, call, GraphOperation(mine, output))

    def _unknown(self, call: NodeCall) -> GraphOperation:
        """A node that is not counted, but for the parameters that it reads."""
        work = Work(call.operator)
        with suppress(UnsizedError):
            work = work._replace(parameters=self._counted.parameters(call, work))
        output = Sizes(*call.output.shape) if call.output.is_sized else Sizes()
        return GraphOperation(work, output, unknown=True)

    def _add(self, node: NodeProto, call: NodeCall, made: GraphOperation, unsized: bool = False) -> None:
        """Add an operation of a node; of several each reads what the one before it gives."""
        last = self._met[-1] if self._met else None
        follows = last is not None and last.step is not None and last.step.call is call
        part = last.step.part + 1 if follows and last is not None and last.step is not None else 0
        name = name_of(node, made.work.kind, call)
        self._met.append(
            made._replace(
                step=GraphStep(call, part, () if follows else tuple(self._before), node.name),
                path=name.within(self._path),
                kernel=_kernel(node, call),
                classes=() if self._path else name.classes,
                turn=self._turn(),
                reads=(last.turn,) if follows and last is not None else read_by(call.inputs),
                unsized=unsized,
            )
        )
        self._before.clear()

    def _works(self, node: NodeProto, call: NodeCall) -> tuple[Work, ...]:
        """What a node costs; what only moves elements is an operation where it reads a parameter first."""
        key = call.domain, call.operator
        if key in NOTHING:
            reads = self._counted.reads(call)
            return (Work(call.operator.lower(), outputs=call.output.elements),) if reads else ()
        try:
            works = RULES[key](call)
            return (works,) if isinstance(works, Work) else tuple(works)
        except UnsizedError:
            raise
        except Exception as error:  # what is damaged may fail anywhere; of a sound node it is let out
            refuse_malformed(node, call.version, error)
            raise

    def _follow(self, node: NodeProto, call: NodeCall) -> None:
        """Note where the output of a product goes, if a bias may be added there, and the scales of data."""
        if call.operator == "DynamicQuantizeLinear":
            self._scales.update(node.output[1:2])  # what is multiplied with one is the scale of a weight
        last = self._met[-1] if self._met else None
        if last and last.step is not None and last.step.call is call and takes_bias(last.work):
            self._products[node.output[0]] = len(self._met) - 1, call
            return
        before = [name for name in node.input if name in self._products and self._uses[name] == 1]
        if len(before) == 1 and self._passes(call, self._products[before[0]][1]):
            self._products[node.output[0]] = self._products[before[0]]

    def _passes(self, call: NodeCall, product: NodeCall) -> bool:
        return call.operator in PASSED or (call.operator == "Mul" and product.operator in INTEGER)

    def _adds_bias(self, node: NodeProto, call: NodeCall) -> bool:
        """Whether a node adds the bias of the product before; if so, it is that product's."""
        if call.operator not in SUMS:
            return False
        for here, there in permutations(SUMS[call.operator]):
            name, bias = node.input[here], call.optional(there)
            if name not in self._products or self._uses[name] != 1 or bias is None:
                continue
            place, product = self._products[name]
            if is_bias(bias, product):
                operation = self._met[place]
                held = operation.work.parameters + self._counted.of(bias)
                work = operation.work._replace(bias_adds=operation.work.outputs, parameters=held)
                self._met[place] = operation._replace(work=work)
                return True
        return False


def read_by(tensors: Iterable[GraphTensor | None]) -> tuple[int, ...]:
    """The turns of the operations that tensors come from."""
    return tuple(dict.fromkeys(turn for each in tensors if each is not None for turn in each.made_by))


def _kernel(node: NodeProto, call: NodeCall) -> str:
    """The kernel of a convolution as people write it; nothing of what is none."""
    place = WEIGHT_OF.get(node.op_type)
    if place is None or not (call.input(0).is_sized and call.input(place).is_sized):
        return ""
    sizes = "x".join(map(str, call.input(place).shape[2:]))
    return sizes + grouping(call.number("group", 1), call.input(0).shape[1])


def _aside(call: NodeCall) -> Work:
    """What a node does that is no operation, as far as its sizes are known."""
    rule = RULES.get((call.domain, call.operator))
    with suppress(UnsizedError):
        works = () if rule is None else rule(call)
        for work in (works,) if isinstance(works, Work) else works:
            return work
        return Work(call.operator.lower(), inputs=call.elements_in, outputs=call.elements_out)
    return Work(call.operator.lower())


def takes_bias(work: Work) -> bool:
    """Whether a bias that is added to what comes out belongs to an operation: a layer's that has none."""
    return work.weights != 0 and work.bias_adds == 0 and work.kind.startswith(("linear", "conv"))


def is_bias(tensor: GraphTensor, product: NodeCall) -> bool:
    """Whether a tensor that the file holds has one element for each feature or filter of a product."""
    if not tensor.held or not tensor.is_sized:
        return False
    if tensor.elements == 1 and all(each.by_node for each in tensor.origins):
        return False
    made = product.output.shape
    axis = len(made) - 1 if "MatMul" in product.operator or "Gemm" in product.operator else 1
    wanted = tuple(size if place == axis else 1 for place, size in enumerate(made))
    return len(tensor.shape) <= len(made) and (1,) * (len(made) - len(tensor.shape)) + tensor.shape == wanted


def uses_of(nodes: Sequence[NodeProto], outputs: Iterable[str]) -> Iterator[str]:
    """The names of tensors that are read: by nodes, by those in graphs within, and as what comes out."""
    yield from outputs
    for node in nodes:
        yield from node.input
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from uses_of_graph(inner)


def uses_of_graph(graph: GraphProto) -> Iterator[str]:
    """The same of a graph."""
    return uses_of(graph.node, (each.name for each in graph.output))

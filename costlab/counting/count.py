"""Counting: the cost of a block, module by module, as arithmetic on its value."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from costlab.algebra.block import Node
from costlab.algebra.combine import Auxiliary, without_heads
from costlab.algebra.dim import Dim, as_dim, is_number, product, refuse_clashes, text, total
from costlab.algebra.inputs import AnyInput, Inputs
from costlab.algebra.work import Work, add_up
from costlab.counting.marks import Marks
from costlab.counting.overview import Overview
from costlab.counting.row import COST, DEFAULT, MEASURES, Row
from costlab.errors import DefinitionError
from costlab.targets.like import TargetLike
from costlab.targets.resolve import resolve
from costlab.targets.torch_module import training_step, up_to_its_stop

if TYPE_CHECKING:
    from pandas import DataFrame

    from costlab.counting.convention import Convention


@dataclass(frozen=True, repr=False)
class Count(Marks, Overview):
    """What a network costs for one input shape and batch.

    Multiply-adds, bias adds, activations and elements are for the whole batch; weights and
    parameters are held once. Auxiliary heads are included where the network has them; `inference`
    leaves them out, and then ``heads`` is False. ``priced`` names the convention for the ``cost``
    of its sums. Where ``partial`` says so, the run of a module stopped, and this is what ran up to there.
    """

    label: str
    input: AnyInput
    batch: Dim
    root: Node
    heads: bool = True
    priced: str = DEFAULT

    @property
    def convention(self) -> "Convention":
        """The convention that gives the cost."""
        from costlab.counting.convention import convention

        return convention(self.priced)

    @property
    def measures(self) -> tuple[str, ...]:
        """The quantities that people are shown: `MEASURES`, or the cost instead of multiply-adds."""
        return MEASURES if self.priced == DEFAULT else (COST, *MEASURES[1:])

    def under(self, name: str) -> "Count":
        """The same count, with its cost under another convention.

        Raises:
            DefinitionError: there is none of that name, it is not of such a target or its tool fails on it,
                or the count is for symbols or arrays.
        """
        if name != DEFAULT:
            from costlab.counting.followed import root_for
            from costlab.counting.holds import refuse

            refuse(self, name)
            if not is_number(self.batch, *self.total.sizes):
                raise DefinitionError(f"{self.label}: only numbers are charged as {name} charges them")
            return replace(self, priced=name, root=root_for(self, name))
        return replace(self, priced=name)

    @cached_property
    def operations(self) -> tuple[Node, ...]:
        """Each operation at its place, in the order of execution; its work is for one input."""
        return tuple(node for node, _ in self.root.working())

    @property
    def works(self) -> tuple[Work, ...]:
        """The work of each operation for one input, in the order of execution."""
        return tuple(work for _, work in self.root.working())

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row per operation, in the order of execution; they add up to the totals."""
        return tuple(
            self._row(node, work.kind if node.children else node.block.title, [node])
            for node, work in self.root.working()
        )

    def modules(self, depth: int) -> tuple[Row, ...]:
        """One row per module at ``depth`` below the root, or above it where the tree ends earlier.

        Every operation is in just one row: they add up to the totals.

        Raises:
            DefinitionError: ``depth`` is no whole number of at least 0.
        """
        as_dim("depth", depth, least=0)
        return tuple(self._cut(self.root, depth))

    def kinds(self) -> tuple[Row, ...]:
        """One row per kind of operation, in the order in which they first appear."""
        return self.grouped(lambda node: node.work.kind if node.work else "")

    def grouped(self, key: Callable[[Node], str]) -> tuple[Row, ...]:
        """One row for each value of ``key``, in the order in which they appear; they add up to the total.

        ``key`` is called with the nodes that do work themselves; its value becomes the ``kind`` of the work.
        """
        groups: dict[str, list[Node]] = {}
        for node in self.operations:
            groups.setdefault(key(node), []).append(node)
        return tuple(self.add_up(name, nodes)._replace(operation=name) for name, nodes in groups.items())

    def by_module(self) -> Mapping[str, Dim]:
        """What each module costs with all below it, by its path, ``""`` the whole: in the convention's units.

        In a model of PyTorch what is no module, such as a sum, has a path of its own.
        """
        return self.root.sums(lambda node: self.add_up("", [node]).cost)

    def by_operator(self) -> Mapping[str, Dim]:
        """What each kind of operation costs, in the convention's units."""
        return {row.operation: row.cost for row in self.kinds()}

    @cached_property
    def whole(self) -> Row:
        """The whole network in one row."""
        return self.add_up(self.total_name, self.operations)

    @property
    def total(self) -> Work:
        """All quantities of the whole network."""
        return self.whole.work

    @property
    def cost(self) -> Dim:
        """What the whole network costs under the convention: its multiply-adds, or what a tool charges."""
        return self.whole.cost

    def size(self, quantity: str) -> Dim:
        """A quantity of the whole network, or its ``cost``."""
        return self.whole.size(quantity)

    def add_up(self, kind: str, nodes: Sequence[Node]) -> Row:
        """The sum of some of its operations, for the whole batch, with what they cost."""
        works = [node.work for node in nodes if node.work is not None]
        summed = add_up(kind, works, self.batch)
        cost = summed.multiply_adds
        if self.priced != DEFAULT:
            by = self.convention
            cost = total(self.costs[id(node)] for node in nodes)
            if by.activations:
                activations = total(by.activations_of(node, self.batch) for node in nodes)
                summed = summed._replace(activations=activations)
        return Row("", "", None, summed, cost, len(nodes))

    @cached_property
    def costs(self) -> Mapping[int, Dim]:
        """What each operation costs under the convention, by the id of its node.

        Where a tool divides a sum and leaves over a part of one, each operation has what it adds to the sum
        of those before it, rounded down as the tool does.
        """
        costs: dict[int, Dim] = {}
        whole: Dim = 0
        by = self.convention
        for node in self.operations:
            before, whole = whole, total((whole, by.cost(node, self.batch)))
            costs[id(node)] = whole // 1 - before // 1
        return costs

    @property
    def multiply_adds(self) -> Dim:
        """Multiply-adds of weights, one per weight per output position, and of products of matrices."""
        return self.total.multiply_adds

    @property
    def bias_adds(self) -> Dim:
        """Additions of a bias, one per output element of a layer that has one."""
        return self.total.bias_adds

    @property
    def weights(self) -> Dim:
        """Elements of convolution and linear weights."""
        return self.total.weights

    @property
    def parameters(self) -> Dim:
        """Every learned element: weights, biases, scales, shifts and slopes."""
        return self.total.parameters

    @property
    def activations(self) -> Dim:
        """Elements in the outputs of convolution and linear layers, as fvcore counts them."""
        return self.total.activations

    @property
    def inference(self) -> "Count":
        """The count without auxiliary heads, which run in training only; a module has none that are known."""
        return self if self._traced else replace(self, root=without_heads(self.root), heads=False)

    @property
    def auxiliary(self) -> tuple[str, ...]:
        """The paths of the auxiliary heads that are counted, which run in training only."""
        return tuple(node.path for node in self.root.nodes() if isinstance(node.block, Auxiliary))

    def to_frame(self, rows: Iterable[Row] | None = None) -> "DataFrame":
        """The rows (one per operation, or the given ones) as a pandas frame, exact integers.

        A column whose sum exceeds int64 holds Python integers, so that pandas adds it up exactly.
        """
        from costlab.counting.frame import frame_of

        return frame_of(self, self.rows if rows is None else rows)

    def __getstate__(self) -> dict[str, Any]:
        # Without what is cached: nodes that are read back have ids of their own.
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def _lines(self) -> Sequence[str]:
        from costlab.counting.frame import lines_of

        return lines_of(self)

    def _in_notebook(self) -> Sequence[str]:
        from costlab.counting.trees import parts_of

        return parts_of(self)

    @property
    def title(self) -> str:
        """What was counted, on one line."""
        heads = "" if self.heads else ", without auxiliary heads"
        batch = "" if isinstance(self.input, Inputs) else f", batch {text(self.batch)}"
        step = ", a step of training" if self.is_step else ""
        stop = f", stopped at {self.partial.place}" if self.partial else ""
        return f"{self.shown}, input {self.input}{batch}{step}{heads}{stop}{self.in_units}"

    @property
    def in_units(self) -> str:
        """The convention, for a title; nothing for multiply-adds."""
        return "" if self.priced == DEFAULT else f", in {self.convention.column}"

    def _cut(self, node: Node, depth: int) -> Iterator[Row]:
        if depth and node.children:
            for child in node.children:
                yield from self._cut(child, depth - 1)
            if node.work is not None:  # the join of the branches
                yield self._row(node, node.work.kind, [node])
        else:
            yield self._row(node, node.block.title, [below for below, _ in node.working()])

    def _row(self, node: Node, operation: str, nodes: Sequence[Node]) -> Row:
        kind = nodes[0].work.kind if len(nodes) == 1 and nodes[0].work is not None else ""
        row = self.add_up(kind, nodes)
        output = node.output if self.came_out(node) else None
        return row._replace(
            path=node.path, operation=operation, output=output, training_only=node.training_only
        )


def count(
    target: TargetLike,
    input: object = None,
    *,
    batch: Dim = 1,
    backward: bool = False,
    partial: bool = False,
    **settings: Any,
) -> Count:
    """Count a target: a catalog name, ``file.py:attribute``, ``package.module:attribute``, a block, a module.

    ``input`` is its shape without the batch, ``(3, 299, 299)`` or ``"3x299x299"``; definitions bring
    their own. ``settings`` are the definition's parameters. Dimensions may be ints, SymPy symbols
    or NumPy arrays; the count then holds closed forms, or one value per variant.

    A module of PyTorch runs once, in eval mode, on data that has sizes and no values; its ``input`` may
    also be what it is called with: tensors, or their sizes with the batch in them (`costlab.algebra.inputs`).
    With ``backward`` a step of training is counted so, of a block too: forward, and all gradients. A module
    whose run stops because of its data is counted up to there with ``partial``, and `Count.partial` says so.

    Raises:
        DependsOnDataError: what a module does depends on the values of its data, and it is not ``partial``.
        TargetError: the target names nothing, or no input shape is known for it.
        DefinitionError: a parameter, the input or the batch is malformed.
        ShapeError: a part of the block does not accept its input; the message gives its path.
    """
    found = resolve(target, input, **settings)
    inputs = product(as_dim("batch", batch), found.batch)
    if not isinstance(inputs, int):
        sizes = () if isinstance(found.input, Inputs) else found.input
        refuse_clashes([inputs, *sizes, *(value for _, value in found.block.settings())])
    if backward:
        found = found._replace(block=training_step(found.block, found.input))
    if partial:
        found = found._replace(block=up_to_its_stop(found.block))
    placed, times = found.block.placed(found.input, inputs)
    return Count(found.label, placed, times, found._replace(input=placed).walk())

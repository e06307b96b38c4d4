"""Walking a block of a whole space: shapes along axes, totals as terms, and where what does not fit."""

from collections.abc import Callable, Iterable
from functools import partial
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise, product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from costlab.algebra.block import Block, Operation
from costlab.algebra.combine import Composite, Sequence
from costlab.algebra.dim import put_together_by
from costlab.algebra.misfits import noting
from costlab.algebra.several import LookedAt
from costlab.algebra.shape import AnyShape
from costlab.algebra.work import QUANTITIES, Work
from costlab.errors import DefinitionError, ShapeError
from costlab.explore.derive.choice import Choice, Contents, Mixed, axes_within, restricted
from costlab.explore.derive.grids import stacked
from costlab.explore.derive.terms import Apart, Terms, as_terms, chosen, summed
from costlab.explore.written.axis import Index

POINTS_MAX = 1_000_000
"""The most points at which an operation is asked one by one, where it cannot be asked for all at once."""


class Misfits(NamedTuple):
    """Where a part does not accept its input, as an array of truths; or is not made at all."""

    path: str
    mask: Any


class Walked(NamedTuple):
    """What a block does with an input: the output, the quantities, and where something does not fit.

    There is no output where nothing fits.
    """

    output: Any
    sums: tuple[Terms, ...]
    misfits: tuple[Misfits, ...] = ()


class Walk:
    """Walks blocks along the axes of a space; what is walked twice with one input is walked once."""

    def __init__(
        self, sizes: Index, input_axis: int | None, contents: Contents, step: Callable[[], None]
    ) -> None:
        self.sizes, self.contents, self.step = sizes, contents, step
        self.apart = Apart(input_axis)
        self._walked: dict[Any, Walked] = {}

    def walk(self, block: Block, x: Any) -> Walked:
        """What the block does with inputs of these shapes.

        Raises:
            CostlabError: it fits nowhere, and there is nothing to choose before that.
        """
        if isinstance(x, Mixed):
            return self._each(
                x.axes, lambda at: self.walk(restricted(block, x.axes, at), x.shapes[at]), list(x.shapes)
            )
        known = (self.contents.of(block), type(x), *map(self.contents.of, x))
        if known not in self._walked:
            self._walked[known] = self._walk(block, x)
        return self._walked[known]

    def _walk(self, block: Block, x: AnyShape) -> Walked:
        self.step()
        if type(block) is Choice:
            return self._choice(block, x)
        if isinstance(block, Sequence):
            walked = self._sequence(block.children, x)
            aside = block.kind == "auxiliary" and walked.output is not None
            return walked._replace(output=x) if aside else walked
        if isinstance(block, Composite):
            return self._branches(block, x)
        return self._leaf(block, x)

    def _sequence(self, children: Iterable[tuple[str, Block]], x: AnyShape) -> Walked:
        parts: list[Walked] = []
        for name, child in children:
            x = self._after(parts, partial(self._named, name, child, x))
            if x is None:
                break
        return self._together(parts, x)

    def _branches(self, block: Any, x: AnyShape) -> Walked:
        parts: list[Walked] = []
        for name, child in block.children:
            if self._after(parts, partial(self._named, name, child, x)) is None:
                return self._together(parts, None)
        y = self._after(parts, partial(self._joined, block, [part.output for part in parts]))
        return self._together(parts, y)

    def _after(self, parts: list[Walked], walk: Callable[[], Walked]) -> Any:
        """The output of what comes after other parts, to which it is added.

        What fits nowhere is still met after those that do not fit some.
        """
        try:
            parts.append(walk())
        except Exception as error:
            if not any(part.misfits for part in parts):
                raise
            parts.append(nowhere(error))
        return parts[-1].output

    def _joined(self, block: Any, outputs: list[Any]) -> Walked:
        mixed = next((each for each in outputs if isinstance(each, Mixed)), None)
        if mixed is not None:
            axes = mixed.axes
            return self._each(
                axes,
                lambda at: self._joined(block, [restricted(each, axes, at) for each in outputs]),
                list(mixed.shapes),
            )
        noted: list[Any] = []
        with noting(noted.append):
            y = block.joined(outputs)
        with put_together_by(self.apart):
            work = block.work(outputs, y)
        return Walked(y, sums_of(work), tuple(Misfits("", mask) for mask in noted))

    def _named(self, name: str, child: Block, x: AnyShape) -> Walked:
        """A child, with its name before the paths of what does not fit in it."""
        try:
            walked = self.walk(child, x)
        except ShapeError as error:
            raise error.at(f"{name}.{error.path}" if error.path else name) from None
        misfits = tuple(Misfits(f"{name}.{path}" if path else name, mask) for path, mask in walked.misfits)
        return walked._replace(misfits=misfits)

    def _together(self, parts: list[Walked], y: AnyShape | None) -> Walked:
        sums = tuple(summed(part.sums[i] for part in parts) for i in range(len(QUANTITIES)))
        return Walked(y, sums, tuple(each for part in parts for each in part.misfits))

    def _choice(self, block: Choice, x: AnyShape) -> Walked:
        if not set(block.axes).isdisjoint(axes_within(tuple(x))):
            return self._each(
                block.axes,
                lambda at: self.walk(block.options[at], restricted(x, block.axes, at)),
                block.options,
            )
        known: dict[Any, Walked] = {}  # of many options most are equal where an axis says how often

        def walk(at: Index) -> Walked:
            number = self.contents.of(block.options[at])
            if number not in known:
                known[number] = self.walk(block.options[at], x)
            return known[number]

        return self._each(block.axes, walk, block.options)

    def _each(self, axes: Index, walk: Callable[[Index], Walked], indices: Iterable[Index]) -> Walked:
        """What is done at each index along some axes, as one."""
        return self._stacked({at: self._tried(walk, at) for at in indices}, axes)

    def _tried(self, walk: Callable[[Index], Walked], at: Index) -> Walked:
        try:
            return walk(at)
        except Exception as error:
            return nowhere(error)

    def _stacked(self, walked: dict[Index, Walked], axes: Index) -> Walked:
        """What is done at each index along some axes, as one."""
        fill = next((each.output for each in walked.values() if each.output is not None), None)
        outputs = {at: fill if each.output is None else each.output for at, each in walked.items()}
        sums = tuple(
            chosen({at: each.sums[place] for at, each in walked.items()}, axes, self.sizes)
            for place in range(len(QUANTITIES))
        )
        shape = None if fill is None else self._shape(outputs, axes)
        return Walked(shape, sums, self._misfits(walked, axes))

    def _shape(self, outputs: dict[Index, Any], axes: Index) -> Any:
        """Shapes at each index along some axes as one, if they are of one kind."""
        kind, *others = {type(y) for y in outputs.values()}
        if others or kind is Mixed:
            return Mixed(axes, outputs)
        rank, *ranks = {len(y) for y in outputs.values()}
        if ranks:  # tensors of modules that are traced
            return Mixed(axes, outputs)
        columns = ({at: y[place] for at, y in outputs.items()} for place in range(rank))
        return kind(*(stacked(column, axes, self.sizes) for column in columns))

    def _misfits(self, walked: dict[Index, Walked], axes: Index) -> tuple[Misfits, ...]:
        """Where each part does not fit, in the order in which parts are met."""
        masks: dict[str, dict[Index, Any]] = {}
        for at, each in walked.items():
            for path, mask in each.misfits:
                here = masks.setdefault(path, {})
                here[at] = here[at] | mask if at in here else mask
        return tuple(
            Misfits(path, stacked({at: here.get(at, False) for at in walked}, axes, self.sizes))
            for path, here in ((each, masks[each]) for each in _in_order(walked.values()))
        )

    def _leaf(self, block: Block, x: AnyShape) -> Walked:
        within = axes_within((tuple(x), block))
        if not within:
            node = block.walk(x)
            works = [sums_of(work) for _, work in node.working()]
            return Walked(node.output, tuple(summed(each) for each in zip(*works, strict=True)))
        if isinstance(block, Operation):
            noted: list[Any] = []
            try:
                return self._operation(block, x, noted)
            except (Exception, LookedAt):
                if noted and noted[-1].all():
                    raise
        return self._one_by_one(block, x, within)

    def _operation(self, block: Operation, x: AnyShape, noted: list[Any]) -> Walked:
        """What an operation does with all inputs at once."""
        with noting(noted.append):
            y: Any = block.output(x)
        if noted:
            y = type(y)(*(np.maximum(size, 1) for size in y))
        with put_together_by(self.apart):
            work = block.work(x, y)
        return Walked(y, sums_of(work), tuple(Misfits("", mask) for mask in noted))

    def _one_by_one(self, block: Block, x: AnyShape, within: Index) -> Walked:
        """What a block does that looks at its input, or fits some only for reasons of its own."""
        if (many := prod(self.sizes[axis] for axis in within)) > POINTS_MAX:
            raise DefinitionError(f"{block.title} cannot be asked for arrays, and there are {many:,} inputs")
        return self._each(
            within,
            lambda at: self.walk(restricted(block, within, at), restricted(x, within, at)),
            product(*(range(self.sizes[axis]) for axis in within)),
        )


def _in_order(options: Iterable[Walked]) -> tuple[str, ...]:
    """The paths of what does not fit in one order that is each option's, if there is one."""
    orders = [tuple(dict.fromkeys(path for path, _ in each.misfits)) for each in options]
    before: dict[str, set[str]] = {path: set() for order in orders for path in order}
    for first, second in (pair for order in orders for pair in pairwise(order)):
        before[second].add(first)
    try:
        return tuple(TopologicalSorter(before).static_order())
    except CycleError:
        return tuple(before)


def nowhere(error: Exception) -> Walked:
    """What does not fit at all."""
    return Walked(None, (Terms(),) * len(QUANTITIES), (Misfits(getattr(error, "path", ""), True),))


def sums_of(work: Work) -> tuple[Terms, ...]:
    """The quantities of what an operation does, in the order of `QUANTITIES`."""
    return tuple(as_terms(size) for size in work.sizes)

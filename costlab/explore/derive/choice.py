"""Choices: blocks that are one of several, along axes of a space."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from costlab.algebra.block import Block, Node
from costlab.algebra.combine import Auxiliary, Composite, Sequence
from costlab.algebra.several import LookedAt, OneOf
from costlab.algebra.shape import AnyShape
from costlab.explore.derive.grids import axes_of, content, taken
from costlab.explore.written.axis import Index


class Misfit(Block):
    """What cannot be made for some values of a space."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    @property
    def title(self) -> str:
        return "nothing"

    def settings(self) -> Iterator[tuple[str, Any]]:
        return iter(())

    def walk(self, x: AnyShape, path: str = "", training_only: bool = False) -> Node:
        raise self.error


class Choice(Block):
    """One of several blocks: ``options`` by the indices along ``axes``."""

    def __init__(self, axes: Index, options: Mapping[Index, Block]) -> None:
        self.axes, self.options = axes, options

    @property
    def title(self) -> str:
        return "choice"

    def settings(self) -> Iterator[tuple[str, Any]]:
        raise LookedAt(self.axes)

    def walk(self, x: AnyShape, path: str = "", training_only: bool = False) -> Node:
        raise LookedAt(self.axes)

    def __getattr__(self, name: str) -> Any:  # what a block has that is made already
        if name.startswith("__"):
            raise AttributeError(name)
        raise LookedAt(self.axes)


class Mixed(NamedTuple):
    """Shapes of more than one kind, by the indices along ``axes``."""

    axes: Index
    shapes: Mapping[Index, Any]


class Contents:
    """What tells values from others, arrays and blocks among them; each block is looked through once."""

    def __init__(self) -> None:
        self._blocks: dict[int, tuple[Block, int]] = {}
        self._others: dict[int, Any] = {}  # so that their ids stay their own
        self._numbers: dict[Any, int] = {}

    def of(self, value: Any) -> Any:
        """Equal for values that are."""
        if id(value) in self._blocks:
            return (Block, self._blocks[id(value)][1])
        if type(value) is OneOf:
            return (OneOf, value.axis)
        if isinstance(value, np.ndarray):
            return content(value)
        if isinstance(value, Block):
            return (Block, self._number(value))
        if isinstance(value, tuple | list):
            return (type(value), *map(self.of, value))
        if isinstance(value, dict):
            return (dict, *((key, self.of(each)) for key, each in value.items()))
        try:
            hash(value)
        except TypeError:
            return (id(value), self._held(value))
        return (type(value), value)

    def _held(self, value: Any) -> str:
        self._others[id(value)] = value
        return "held"

    def _number(self, block: Block) -> int:
        if id(block) in self._blocks:
            return self._blocks[id(block)][1]
        number = self._numbers.setdefault(self._parts(block), len(self._numbers))
        self._blocks[id(block)] = (block, number)
        return number

    def _parts(self, block: Block) -> Any:
        if isinstance(block, Composite):
            return (type(block), tuple((name, self._number(child)) for name, child in block.children))
        if type(block) is Choice:
            return (Choice, block.axes, tuple((at, self._number(each)) for at, each in block.options.items()))
        if is_dataclass(block):
            return (type(block), *(self.of(getattr(block, each.name)) for each in fields(block)))
        return (type(block), id(block))


def choice(axes: Index, options: Mapping[Index, Block], contents: Contents) -> Block:
    """The choice between blocks, with just the axes on which it depends, as deep in them as it can be.

    A choice between sequences is a sequence of choices, of which each has its own axes; a part that an option
    has not is the identity there. So are choices between joins of branches of the same names.
    """
    numbers = {index: contents.of(block) for index, block in options.items()}
    kept = tuple(place for place in range(len(axes)) if _differs(place, numbers))
    fewer: dict[Index, Block] = {}
    for index, block in options.items():
        fewer.setdefault(tuple(index[place] for place in kept), block)
    if not kept:
        return next(iter(options.values()))
    axes = tuple(axes[place] for place in kept)
    return _parted(axes, fewer, contents) or Choice(axes, fewer)


def _differs(place: int, numbers: Mapping[Index, Any]) -> bool:
    """Whether the options depend on the axis at that place."""
    groups: dict[Index, Any] = {}
    return any(
        groups.setdefault(index[:place] + index[place + 1 :], number) != number
        for index, number in numbers.items()
    )


def _parted(axes: Index, options: Mapping[Index, Block], contents: Contents) -> Block | None:
    """A combination of choices in the place of a choice between combinations of one kind."""
    first = next(iter(options.values()))
    kind = type(first)
    # What fits nowhere takes nothing away from how others are made.
    made = {index: block for index, block in options.items() if type(block) is not Misfit}
    if not isinstance(first, Composite) or len(made) < len(options):
        return None
    combined: dict[Index, Composite] = {}
    for index, block in made.items():
        if type(block) is not kind or not isinstance(block, Composite):
            return None
        combined[index] = block
    orders = [tuple(name for name, _ in block.children) for block in combined.values()]
    names = _common_order(orders) if kind is Sequence else orders[0] if len(set(orders)) == 1 else None
    if names is None or kind is Auxiliary:
        return None
    parts = {index: dict(block.children) for index, block in combined.items()}
    make: Any = kind
    parted: Block = make(
        tuple(
            (name, choice(axes, {index: of.get(name, Sequence(())) for index, of in parts.items()}, contents))
            for name in names
        )
    )
    return parted


def _common_order(orders: list[tuple[str, ...]]) -> tuple[str, ...] | None:
    """One order of all names that is each one's, if there is one."""
    names: list[str] = []
    for order in dict.fromkeys(orders):
        at = 0
        for name in order:
            if name in names:
                at = names.index(name) + 1
            else:
                names.insert(at, name)
                at += 1
    places = {name: place for place, name in enumerate(names)}
    in_order = all(all(places[a] < places[b] for a, b in pairwise(order)) for order in orders)
    return tuple(names) if in_order else None


def restricted(value: Any, axes: Index, index: Index) -> Any:
    """A value at one index along each of some axes: of numbers, choices, and of what holds them."""
    if type(value) is OneOf:
        return value.values[index[axes.index(value.axis)]] if value.axis in axes else value
    if isinstance(value, np.ndarray):
        return taken(value, axes, index)
    if type(value) is Mixed:
        left, shapes = narrowed(value.axes, value.shapes, axes, index)
        return Mixed(left, shapes) if left else shapes[()]
    if isinstance(value, Block) and not set(axes_within(value)) & set(axes):
        return value
    if type(value) is Choice:
        left, options = narrowed(value.axes, value.options, axes, index)
        return Choice(left, options) if left else options[()]
    return with_parts(value, lambda part: restricted(part, axes, index))


def with_parts(value: Any, change: Callable[[Any], Any]) -> Any:
    """A value with each of its parts changed: of several values, and of blocks."""
    if type(value) in (tuple, list):
        return type(value)(map(change, value))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(change, value))
    if type(value) is dict:
        return {key: change(each) for key, each in value.items()}
    if isinstance(value, Composite):
        children = tuple((name, change(child)) for name, child in value.children)
        return type(value)(children, origin=value.origin, unverified=value.unverified)
    if isinstance(value, Block):
        made = object.__new__(type(value))
        made.__dict__.update({name: change(each) for name, each in vars(value).items()})
        return made
    return value


def narrowed(
    of_axes: Index, options: Mapping[Index, Any], axes: Index, index: Index
) -> tuple[Index, dict[Index, Any]]:
    """The options that are left at one index along each of some axes, by the axes that are left."""
    at = dict(zip(axes, index, strict=True))
    left = tuple(axis for axis in of_axes if axis not in at)
    kept = {
        tuple(i for axis, i in zip(of_axes, of, strict=True) if axis not in at): restricted(each, axes, index)
        for of, each in options.items()
        if all(at.get(axis, i) == i for axis, i in zip(of_axes, of, strict=True))
    }
    return left, kept


def axes_within(value: Any) -> Index:
    """The axes along which a value, or something in it, differs."""
    return tuple(sorted(set(_axes_within(value))))


def axes_chosen(value: Any) -> Index:
    """The axes of choices in a value, between blocks and others; there may be arrays along more."""
    return tuple(sorted(set(_axes_within(value, arrays=False))))


def _axes_within(value: Any, *, arrays: bool = True) -> Iterator[int]:
    if type(value) is OneOf:
        yield value.axis
    elif isinstance(value, np.ndarray):
        yield from axes_of(value) if arrays else ()
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _axes_within(each, arrays=arrays)
    elif isinstance(value, dict):
        yield from _axes_within(list(value.values()), arrays=arrays)
    elif type(value) is Choice:
        yield from value.axes
        yield from _axes_within(list(value.options.values()), arrays=arrays)
    elif isinstance(value, Composite):
        yield from _axes_within([child for _, child in value.children], arrays=arrays)
    elif isinstance(value, Block) and is_dataclass(value):
        yield from _axes_within(list(vars(value).values()), arrays=arrays)

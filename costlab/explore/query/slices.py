"""Slices of a space in which every total is a sum of small tables.

Some axes, the cut, are chosen so that the others fall apart into groups that share no term. For each point of
the cut a form is then ``base + left[i] + right[j]``, where ``i`` and ``j`` run over the points of two halves
of these groups: most questions are answered by what is least and most in a table, without visiting points.
"""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from math import prod
from typing import Any, NamedTuple

import numpy as np

from costlab.explore.derive.terms import Term
from costlab.explore.query.cut import cut_of, halved
from costlab.explore.query.forms import Form
from costlab.explore.written.axis import Index

GROUP_MAX = 256
"""The most points of a group of axes that is no further cut."""
GROUP_MAX_SORTED = 65_536
"""The same where one form alone is asked for: tables are then searched, not visited."""
ELEMENTS_MAX = 4_000_000
"""The most elements of the tables of a slice."""
POINTS_MAX = 2**28
"""The most points of a slice where several forms are asked for, so that none takes long."""


@dataclass(frozen=True)
class Plan:
    """How a space is sliced for the sake of some forms.

    The first forms lie within intervals, both ends included; those after them are asked for.
    """

    sizes: Index
    forms: tuple[Form, ...]
    intervals: tuple[tuple[int, int], ...]

    @cached_property
    def points(self) -> int:
        """The members of the space, those that do not fit among them."""
        return prod(self.sizes)

    @property
    def is_possible(self) -> bool:
        """Whether no interval ends before it begins."""
        return all(low <= high for low, high in self.intervals)

    @cached_property
    def dtype(self) -> Any:
        return object if any(form.dtype is object for form in self.forms) else np.int64

    @cached_property
    def limits(self) -> tuple[Any, Any]:
        """The ends of the intervals, as columns; those that no value reaches are brought near."""
        ends = [
            [max(-form.bound - 1, min(form.bound + 1, end)) for end in ends]
            for form, ends in zip(self.forms, self.intervals, strict=False)
        ]
        columns = np.array(ends, dtype=self.dtype).reshape(-1, 2)
        return columns[:, :1], columns[:, 1:]

    @cached_property
    def groups(self) -> tuple[Index, tuple[Index, ...]]:
        """The cut, and the groups of the other axes: few enough that their tables are within bounds."""
        signatures = {term.axes for form in self.forms for term in form.terms}
        most = GROUP_MAX_SORTED if self.is_searched else GROUP_MAX
        cut, groups = cut_of(signatures, self.sizes, most)
        while groups and not self._room(halved(groups, self.sizes)):
            largest = max(groups, key=lambda group: prod(self.sizes[axis] for axis in group))
            cut = tuple(sorted((*cut, *largest)))
            groups = tuple(group for group in groups if group != largest)
        return cut, groups

    @property
    def is_searched(self) -> bool:
        """Whether points are found by searching tables in order, and not visited: one form alone matters."""
        return len(self.forms) == 1

    def _room(self, halves: tuple[Index, Index]) -> int:
        """For how many points of the cut a slice with these halves has room."""
        left, right = (prod(self.sizes[axis] for axis in half) for half in halves)
        room = ELEMENTS_MAX // ((1 + left + right) * len(self.forms))
        return room if self.is_searched else min(room, POINTS_MAX // (left * right))

    @cached_property
    def halves(self) -> tuple[Index, Index]:
        """The axes of the left and the right tables: about as many points in both."""
        return halved(self.groups[1], self.sizes)

    @cached_property
    def steps(self) -> Index:
        """How many indices along each axis of the cut a slice has: all, a few along one, else one."""
        cut, _ = self.groups
        room = max(1, self._room(self.halves))
        steps = {}
        for axis in sorted(cut, key=lambda axis: self.sizes[axis]):
            steps[axis] = max(1, min(self.sizes[axis], room))
            room //= self.sizes[axis]
        return tuple(steps[axis] for axis in cut)

    @cached_property
    def blocks(self) -> Index:
        """How many slices there are along each axis of the cut."""
        return tuple(
            -(-self.sizes[axis] // step) for axis, step in zip(self.groups[0], self.steps, strict=True)
        )

    @property
    def slices(self) -> int:
        """How many slices there are."""
        return prod(self.blocks)

    def box(self, number: int) -> tuple[range, ...]:
        """The indices along each axis of the cut that a slice has."""
        ranges = []
        for axis, step, blocks in zip(
            *(reversed(each) for each in (self.groups[0], self.steps, self.blocks)), strict=True
        ):
            number, block = divmod(number, blocks)
            ranges.append(range(block * step, min((block + 1) * step, self.sizes[axis])))
        return tuple(reversed(ranges))

    def free_axes(self) -> Index:
        """The axes that make no difference to any form."""
        told = {*self.groups[0], *self.halves[0], *self.halves[1]}
        return tuple(axis for axis in range(len(self.sizes)) if axis not in told)

    def free(self) -> int:
        """How many members there are for each that the forms tell apart."""
        return prod(self.sizes[axis] for axis in self.free_axes())

    def slice(self, number: int) -> "Slice":
        """The tables of a slice."""
        box = self.box(number)
        whole = tuple(map(len, box))
        (base, points), (left, left_rows), (right, right_rows) = (
            self._side(side, box, whole) for side in range(3)
        )
        return Slice(number, base[:, points, 0], left, left_rows, right, right_rows)

    def between(self, low: int, high: int) -> "Plan":
        """The plan with other ends for its only form; tables are in common."""
        plan = replace(self, intervals=((low, high),))
        common = {name: value for name, value in vars(self).items() if name not in ("intervals", "limits")}
        vars(plan).update(common, _held=self._held)
        return plan

    def sorted_left(self, part: "Slice") -> Any:
        """The left table of a slice with each row in order."""
        return self._sorted("left", part.left)

    def sorted_right(self, part: "Slice") -> Any:
        """The right table of a slice with each row in order."""
        return self._sorted("right", part.right)

    def _sorted(self, name: str, table: Any) -> Any:
        held = self._held.get(name)
        if held is None or held[0] is not table:
            held = self._held[name] = (table, np.sort(table, axis=2))
        return held[1]

    def __getstate__(self) -> dict[str, Any]:
        # Without what is cached, which each process makes for itself.
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @cached_property
    def _held(self) -> dict[Any, Any]:
        """The tables that were made last: those of one slice often do for the next."""
        return {}

    @cached_property
    def _sided(self) -> tuple[list[list[Term]], ...]:
        """For the base, the left half and the right, the terms of each form that belong there."""
        halves = [frozenset[int](), *map(frozenset, self.halves)]
        cut = frozenset(self.groups[0])
        sides: tuple[list[list[Term]], ...] = tuple([[] for _ in self.forms] for _ in halves)
        for at, form in enumerate(self.forms):
            for term in form.terms:
                inner = frozenset(term.axes) - cut
                side = next(place for place, half in enumerate(halves) if inner <= half)
                sides[side][at].append(term)
        return sides

    def _side(self, side: int, box: tuple[range, ...], whole: Index) -> tuple[Any, Any]:
        """The table of all forms, with the rows that any of them tells apart, and which a point has."""
        terms = self._sided[side]
        axes = {axis for of in terms for term in of for axis in term.axes}
        key = tuple(within for axis, within in zip(self.groups[0], box, strict=True) if axis in axes)
        held = self._held.get(side)
        if held is None or held[0] != key:
            held = self._held[side] = (key, *self._stacked(terms, box, ((), *self.halves)[side]))
        _, table, rows = held
        return table, np.ascontiguousarray(np.broadcast_to(rows, whole).reshape(-1))

    def _stacked(self, terms: list[list[Term]], box: tuple[range, ...], half: Index) -> tuple[Any, Any]:
        """The tables of all forms, with the rows that any tells apart; and the rows by axes of the cut."""
        summands = [self._summands(of, box) for of in terms]
        shape = np.broadcast_shapes(*(each.shape for of in summands for each in of), (1,) * len(self.sizes))
        dims = [shape[axis] for axis in self.groups[0]]
        points = [self.sizes[axis] for axis in half]
        order = [*self.groups[0], *half]
        order += [axis for axis in range(len(self.sizes)) if axis not in order]
        tables = np.empty(
            (len(terms), *dims, *points, *(1 for _ in order[len(dims) + len(points) :])), self.dtype
        )
        for at, (*small, large) in enumerate(summands):
            # What is large is written once, to where it belongs.
            np.add(sum(small), large, out=tables[at, ...].transpose(np.argsort(order)))
        return tables.reshape(len(terms), prod(dims), prod(points)), np.arange(prod(dims)).reshape(dims)

    def _summands(self, terms: list[Term], box: tuple[range, ...]) -> list[Any]:
        """Some terms in a box, small ones first, those along the same axes as one; at least one."""
        found: dict[Index, Any] = {}
        for term in terms:
            value = self._multiplied(term, box)
            axes = tuple(axis for axis, size in enumerate(value.shape) if size > 1)
            found[axes] = found[axes] + value if axes in found else value
        nothing = np.zeros((1,) * len(self.sizes), self.dtype)
        return sorted(found.values(), key=np.size) or [nothing]

    def _multiplied(self, term: Term, box: tuple[range, ...]) -> Any:
        rank = len(self.sizes)
        factors = []
        for each in (term.coefficient, term.positions):
            factor = np.asarray(each).astype(self.dtype)
            factor = factor.reshape((1,) * rank) if factor.ndim != rank else factor
            for axis, within in zip(self.groups[0], box, strict=True):
                if factor.shape[axis] > 1:
                    factor = factor[(slice(None),) * axis + (slice(within.start, within.stop),)]
            factors.append(factor)
        return factors[0] * factors[1]

    def index(self, number: int, o: int, i: int, j: int) -> Index:
        """The point of the space that a place in a slice is."""
        return tuple(self.indices(number, np.array([o]), np.array([i]), np.array([j]))[0].tolist())

    def indices(self, number: int, o: Any, i: Any, j: Any) -> Any:
        """The points of the space that places in a slice are: ``[place, axis]``."""
        found = np.zeros((len(o), len(self.sizes)), np.int64)
        ranges = dict(zip(self.groups[0], self.box(number), strict=True))
        for axes, places in ((self.groups[0], o), (self.halves[0], i), (self.halves[1], j)):
            left_over = places
            for axis in reversed(axes):
                within = ranges.get(axis, range(self.sizes[axis]))
                left_over, at = np.divmod(left_over, len(within))
                found[:, axis] = at + within.start
        return found


class Slice(NamedTuple):
    """Tables: a form ``f`` is ``base[f, o] + left[f, left_rows[o], i] + right[f, right_rows[o], j]``."""

    number: int
    base: Any
    left: Any
    left_rows: Any
    right: Any
    right_rows: Any

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many ``o``, ``i`` and ``j`` there are."""
        return self.base.shape[1], self.left.shape[2], self.right.shape[2]

    @property
    def points(self) -> int:
        """How many points it has."""
        return prod(self.shape)

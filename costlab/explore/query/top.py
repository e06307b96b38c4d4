"""The members of a slice with the most, or least, of a form."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from costlab.explore.query.slices import Plan, Slice
from costlab.explore.query.within import BLOCK, bounds, meets
from costlab.explore.written.axis import Index


class Ranked(NamedTuple):
    """A member with its value, and its place among equals: by slice, then as they are met there."""

    value: int
    point: Index


def best(plan: Plan, part: Slice, form: int, sign: int, many: int, least: int | None) -> list[Ranked]:
    """The members that meet the conditions with the most of ``sign`` times a form, the most first.

    Those with less than ``least`` may be left out. What could have the most is looked at first, and what has
    no more than was found is not looked at.
    """
    search = _Search(plan, part, form, sign, least)
    found: list[tuple[Any, Index]] = []
    for potentials, points, rights in search.pairs():
        step = max(1, BLOCK // part.shape[1])
        for at in range(0, len(points), step):
            some = slice(at, at + step)
            if len(found) == many and potentials[at] <= found[-1][0]:
                break
            found += search.members(points[some], rights[some], many)
            found.sort(key=lambda each: -each[0])  # stable: equals stay as they were met
            del found[many:]
            if len(found) == many:
                search.floor = found[-1][0] if search.floor is None else max(search.floor, found[-1][0])
    return [Ranked(sign * int(value), plan.index(part.number, *place)) for value, place in found]


class _Search:
    def __init__(self, plan: Plan, part: Slice, form: int, sign: int, floor: int | None) -> None:
        self.plan, self.part, self.floor = plan, part, floor
        self.base, self.left, self.right = (sign * each[form] for each in (part.base, part.left, part.right))
        ordered = plan.sorted_left(part)[form]
        self.ordered = ordered if sign > 0 else -ordered[:, ::-1]
        self.most_left, self.most_right = self.left.max(axis=1), self.right.max(axis=1)
        # A form that is asked for and is also a condition has no more than that admits.
        low, high = plan.limits
        self.cap = None if form >= len(plan.intervals) else (high if sign > 0 else -low)[form, 0]

    def pairs(self) -> Iterator[tuple[Any, Any, Any]]:
        """What pairs of a point of the cut and a right one could have, the most first, in batches."""
        lowest, highest = bounds(self.plan, self.part)
        low, high = self.plan.limits
        potential = self._capped(
            self.base + self.most_left[self.part.left_rows] + self.most_right[self.part.right_rows]
        )
        open_points = np.flatnonzero(((lowest <= high) & (highest >= low)).all(axis=0))
        order = open_points[np.argsort(-potential[open_points], kind="stable")]
        step = max(1, BLOCK // self.part.shape[2])
        for at in range(0, len(order), step):
            points = order[at : at + step]
            if self.floor is not None:
                points = points[potential[points] >= self.floor]
            if not len(points):
                return
            yield self._batch(points)

    def _batch(self, points: Any) -> tuple[Any, Any, Any]:
        part, number = self.part, len(self.plan.intervals)
        rights = self.right[part.right_rows[points]]
        rows = part.left_rows[points]
        potential = self._capped(self.base[points, None] + rights + self.most_left[rows, None])
        possible = np.ones(potential.shape, bool)
        low, high = self.plan.limits
        for form in range(number):
            taken = part.base[form, points, None] + part.right[form, part.right_rows[points]]
            possible &= taken + part.left[form].min(axis=1)[rows, None] <= high[form]
            possible &= taken + part.left[form].max(axis=1)[rows, None] >= low[form]
        if self.cap is not None:
            self._below_cap(potential, possible, points, rights)
        if self.floor is not None:
            possible &= potential >= self.floor
        at, right = np.nonzero(possible)
        order = np.argsort(-potential[at, right], kind="stable")
        return potential[at, right][order], points[at][order], right[order]

    def _below_cap(self, potential: Any, possible: Any, points: Any, rights: Any) -> None:
        """What is possible under the cap: with the most of the left points that leaves room for."""
        rows = self.part.left_rows[points]
        order = np.argsort(rows, kind="stable")
        each, starts = np.unique(rows[order], return_index=True)
        for row, here in zip(each, np.split(order, starts[1:]), strict=True):
            values = self.ordered[row]
            taken = self.base[points[here], None] + rights[here]
            place = np.searchsorted(values, self.cap - taken, side="right")
            potential[here] = taken + values[np.maximum(place, 1) - 1]
            possible[here] &= place > 0

    def members(self, points: Any, rights: Any, many: int) -> list[tuple[Any, Index]]:
        """The members of some pairs that meet the conditions, with the most, as many as are wanted."""
        part = self.part
        rows = part.left_rows[points]
        met = meets(self.plan, part, points, rights)
        values = (self.base[points] + self.right[part.right_rows[points], rights])[:, None] + self.left[rows]
        pair, left = np.nonzero(met)
        order = np.argsort(-values[pair, left], kind="stable")[:many]
        return [
            (values[p, i], (int(points[p]), int(i), int(rights[p])))
            for p, i in zip(pair[order], left[order], strict=True)
        ]

    def _capped(self, potential: Any) -> Any:
        return potential if self.cap is None else np.minimum(potential, self.cap)

"""The members of a slice that none surpasses: Pareto fronts."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any

import numpy as np

from costlab.explore.query import fast
from costlab.explore.query.slices import Plan, Slice
from costlab.explore.query.within import BLOCK, bounds
from costlab.explore.written.axis import Index

Objective = tuple[int, int]
"""A form, and the sign with which less of it is better."""
FIRST = 64
"""How many points of the cut are gone into at first: what they have spares most of the others."""
SMALL = 128
"""Tables of more points are searched beforehand for points that others of the same table surpass."""


def unsurpassed(values: Any) -> Any:
    """The places of columns ``[dimension, point]`` that none surpasses, of equals one; less is better."""
    order = np.lexsort(values[::-1])
    if len(values) == 2:
        ordered = values[1][order]
        before = np.minimum.accumulate(ordered)
        first = np.ones(len(order), bool)
        first[1:] = ordered[1:] < before[:-1]
        return order[first]
    if len(values) == 3:
        return order[_steps(values[1][order].tolist(), values[2][order].tolist())]
    kept: list[int] = []
    left, places = values[:, order], order
    while len(places):  # the first is surpassed by none of those after it
        kept.append(places[0])
        better = (left[:, 1:] < left[:, :1]).any(axis=0)
        places, left = places[1:][better], left[:, 1:][:, better]
    return np.array(kept, dtype=np.int64)


def _steps(first: list[int], second: list[int]) -> list[int]:
    """The places of pairs that none before them surpasses; those so far are steps, one up, the other down."""
    across, down = list[int](), list[int]()
    kept = []
    for place, (x, y) in enumerate(zip(first, second, strict=True)):
        at = bisect_right(across, x)
        if at and down[at - 1] <= y:
            continue
        kept.append(place)
        start = end = bisect_left(across, x)
        while end < len(down) and down[end] >= y:
            end += 1
        across[start:end], down[start:end] = [x], [y]
    return kept


class Front:
    """Values of objectives, of which none surpasses another, with their members."""

    def __init__(self, values: Any, members: list[Index]) -> None:
        self.values, self.members = values, members

    def joined(self, values: Any, members: list[Index]) -> "Front":
        """The front of these and others; of equal ones those that were there before."""
        together = np.concatenate([self.values, values], axis=1)
        kept = unsurpassed(together)
        every = [*self.members, *members]
        return Front(together[:, kept], [every[place] for place in kept])

    def covers(self, points: Any) -> Any:
        """Which of some points have nothing to add: a member of the front is as good in all."""
        if not self.values.shape[1]:
            return np.zeros(points.shape[1], bool)
        if len(self.values) > 2:
            return self._covers_one_by_one(points)
        order = np.argsort(self.values[0])
        first, second = self.values[0][order], self.values[1][order]
        place = np.searchsorted(first, points[0], side="right")  # more of the first is less of the second
        return (place > 0) & (second[np.maximum(place - 1, 0)] <= points[1])

    def _covers_one_by_one(self, points: Any) -> Any:
        """The same in any number of dimensions: what one of the members covers is not asked again."""
        members = self.values[:, np.argsort(_ranked(self.values), kind="stable")]  # what covers most is first
        kernels = fast.kernels(members.shape[1] * points.shape[1]) if members.dtype != object else None
        if kernels is not None:
            found = np.zeros(points.shape[1], bool)
            kernels.covers(np.ascontiguousarray(members.T), np.ascontiguousarray(points), found)
            return found
        left = np.arange(points.shape[1])
        for at in range(0, members.shape[1], FIRST):
            some = members[:, at : at + FIRST, None]
            step = max(1, BLOCK // some.shape[1])
            open_points = [
                each[~(some <= points[:, None, each]).all(axis=0).any(axis=0)]
                for each in np.split(left, range(step, len(left), step))
            ]
            left = np.concatenate(open_points)
        covered = np.ones(points.shape[1], bool)
        covered[left] = False
        return covered


def front(plan: Plan, part: Slice, objectives: tuple[Objective, ...], known: Front) -> Front:
    """The front of a slice, as far as it is not surpassed by what is known.

    A point of the cut, and a pair of one and a left point, are gone into if the best that they could have in
    each objective is not covered: the most promising first.
    """
    search = _Search(plan, part, objectives)
    found = known
    order = search.points(found)
    at, step = 0, FIRST
    while at < len(order):
        for o, i in search.pairs(order[at : at + step], found):
            values, places = search.members(o, i, found)
            if len(places[0]):
                kept = unsurpassed(values)
                indices = plan.indices(part.number, *(each[kept] for each in places))
                found = found.joined(values[:, kept], [*map(tuple, indices.tolist())])
        at, step = at + step, min(2 * step, max(FIRST, BLOCK // part.shape[1]))
    return found


class _Search:
    def __init__(self, plan: Plan, part: Slice, objectives: tuple[Objective, ...]) -> None:
        self.plan, self.part, self.number = plan, part, len(plan.intervals)
        self.low, self.high = plan.limits
        self.lowest, self.highest = bounds(plan, part)
        forms = [form for form, _ in objectives]
        signs = np.array([sign for _, sign in objectives])[:, None]
        self.base = signs * part.base[forms]
        self.left, self.right = (signs[:, None] * table[forms] for table in (part.left, part.right))
        self.least_left, self.least_right = self.left.min(axis=2), self.right.min(axis=2)
        conditions = part.right[: self.number]
        self.from_right, self.to_right = conditions.min(axis=2), conditions.max(axis=2)
        self.kept_left, self.kept_right = (
            self._kept(table, signed, objectives)
            for table, signed in ((part.left, self.left), (part.right, self.right))
        )

    def _kept(self, table: Any, signed: Any, objectives: tuple[Objective, ...]) -> Any:
        """Which points of each row no other surpasses in all that matters; all, where a table is small."""
        kept = np.ones(table.shape[1:], bool)
        undecided = {
            **{(form, 1): None for form in np.flatnonzero((self.highest > self.high).any(axis=1)).tolist()},
            **{(form, -1): None for form in np.flatnonzero((self.lowest < self.low).any(axis=1)).tolist()},
        }
        more = [each for each in undecided if each not in objectives]
        if table.shape[2] <= SMALL or len(objectives) + len(more) > 3:
            return kept
        dims = np.stack([*signed, *(sign * table[form] for form, sign in more)])
        kept[:] = False
        for row in range(kept.shape[0]):
            kept[row, unsurpassed(dims[:, row])] = True
        return kept

    def points(self, found: Front) -> Any:
        """The points of the cut that may add to the front, the most promising first."""
        part = self.part
        possible = ((self.lowest <= self.high) & (self.highest >= self.low)).all(axis=0)
        self.ideal = self.base + self.least_left[:, part.left_rows] + self.least_right[:, part.right_rows]
        order = np.flatnonzero(possible)
        order = order[~found.covers(self.ideal[:, order])]
        return order[np.argsort(_ranked(self.ideal[:, order]), kind="stable")]

    def pairs(self, points: Any, found: Front) -> Iterator[tuple[Any, Any]]:
        """Pairs of points of the cut and left points that may add to the front, in batches."""
        part = self.part
        points = points[~found.covers(self.ideal[:, points])]
        rows, others = part.left_rows[points], part.right_rows[points]
        possible = self.kept_left[rows]
        for form in range(self.number):
            sums = part.base[form, points, None] + part.left[form, rows]
            possible &= sums + self.from_right[form, others, None] <= self.high[form]
            possible &= sums + self.to_right[form, others, None] >= self.low[form]
        at, i = np.nonzero(possible)
        best = self._of(points[at], i) + self.least_right[:, others[at]]
        left = np.flatnonzero(~found.covers(best))
        left = left[np.argsort(_ranked(best[:, left]), kind="stable")]
        step = max(1, BLOCK // part.shape[2])
        for start in range(0, len(left), step):
            some = left[start : start + step]
            yield points[at[some]], i[some]

    def members(self, o: Any, i: Any, found: Front) -> tuple[Any, tuple[Any, Any, Any]]:
        """What pairs have with all right points, where that meets the conditions and adds to the front."""
        part = self.part
        rows, others = part.left_rows[o], part.right_rows[o]
        met = self.kept_right[others]
        for form in range(self.number):
            sums = (part.base[form, o] + part.left[form, rows, i])[:, None] + part.right[form, others]
            met &= (sums >= self.low[form]) & (sums <= self.high[form])
        pair, j = np.nonzero(met)
        values = self._of(o[pair], i[pair]) + self.right[:, others[pair], j]
        kept = np.flatnonzero(~found.covers(values))
        pair = pair[kept]
        return values[:, kept], (o[pair], i[pair], j[kept])

    def _of(self, o: Any, i: Any) -> Any:
        return self.base[:, o] + self.left[:, self.part.left_rows[o], i]


def _ranked(values: Any) -> Any:
    """The sum of the ranks of each column in all dimensions: of what is good in all it is small."""
    ranks = np.zeros(values.shape[1], np.int64)
    for dimension in values:
        ranks[np.argsort(dimension, kind="stable")] += np.arange(values.shape[1])
    return ranks

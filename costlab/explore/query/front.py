"""The members of a slice that none surpasses: Pareto fronts."""

from typing import Any

import numpy as np

from costlab.explore.axis import Index
from costlab.explore.query.slices import Plan, Slice
from costlab.explore.query.within import bounds, meets

Objective = tuple[int, int]
"""A form, and the sign with which less of it is better."""
FRONTS_MAX = 4
"""The most dimensions in which the points of a table are held against each other beforehand."""


def unsurpassed(values: Any) -> Any:
    """The places of columns ``[dimension, point]`` that none surpasses, of equals one; less is better."""
    order = np.lexsort(values[::-1])
    kept: list[int] = []
    if len(values) == 2:
        ordered = values[1][order]
        before = np.minimum.accumulate(ordered)
        first = np.ones(len(order), bool)
        first[1:] = ordered[1:] < before[:-1]
        return order[first]
    left = values[:, order]
    places = order
    while len(places):  # the first is surpassed by none of those after it
        kept.append(places[0])
        better = (left[:, 1:] < left[:, :1]).any(axis=0)
        places, left = places[1:][better], left[:, 1:][:, better]
    return np.array(kept, dtype=np.int64)


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

    def surpasses(self, ideal: Any) -> Any:
        """Which of the points could not be on the front: another is as good in all, and better in one."""
        if not self.values.shape[1]:
            return np.zeros(ideal.shape[1], bool)
        if len(self.values) > 2:
            less = (self.values[:, :, None] <= ideal[:, None, :]).all(axis=0)
            return (less & (self.values[:, :, None] < ideal[:, None, :]).any(axis=0)).any(axis=0)
        order = np.argsort(self.values[0])
        first, second = self.values[0][order], self.values[1][order]
        place = np.searchsorted(first, ideal[0], side="right")  # more of the first is less of the second
        at = np.maximum(place - 1, 0)
        better = (second[at] < ideal[1]) | ((second[at] == ideal[1]) & (first[at] < ideal[0]))
        return (place > 0) & better


def front(plan: Plan, part: Slice, objectives: tuple[Objective, ...], known: Front) -> Front:
    """The front of a slice, as far as it is not surpassed by what is known."""
    signed = [
        tuple(sign * table[form] for table in (part.base, part.left, part.right)) for form, sign in objectives
    ]
    lowest, highest = bounds(plan, part)
    low, high = plan.limits
    ideal = np.stack(
        [
            base + left.min(axis=1)[part.left_rows] + right.min(axis=1)[part.right_rows]
            for base, left, right in signed
        ]
    )
    found = known
    possible = ((lowest <= high) & (highest >= low)).all(axis=0)
    order = np.flatnonzero(possible & ~found.surpasses(ideal))
    order = order[np.argsort(sum(_ranks(ideal[d][order]) for d in range(len(ideal))), kind="stable")]
    reduced = _Reduced(plan, part, signed)
    for at in range(0, len(order), 64):
        some = order[at : at + 64]
        for o in some[~found.surpasses(ideal[:, some])]:
            undecided = [
                (form, sign)
                for form in range(len(plan.intervals))
                for sign, ends in (
                    (1, highest[form, o] > high[form, 0]),
                    (-1, lowest[form, o] < low[form, 0]),
                )
                if ends
            ]
            found = reduced.joined(found, int(o), undecided)
    return found


def _ranks(values: Any) -> Any:
    ranks = np.empty(len(values), np.int64)
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    return ranks


class _Reduced:
    """Tables with the points alone that no other of the same table surpasses in all that matters."""

    def __init__(self, plan: Plan, part: Slice, signed: Any) -> None:
        self.plan, self.part, self.signed = plan, part, signed
        self._known: dict[Any, Any] = {}

    def joined(self, found: Front, o: int, undecided: list[Objective]) -> Front:
        """The front with the members at a point of the cut."""
        part = self.part
        row, other = part.left_rows[o], part.right_rows[o]
        lefts = self._points(1, int(row), undecided)
        rights = self._points(2, int(other), undecided)
        pairs = np.full(len(rights), o)
        met = meets(self.plan, part, pairs, rights)[:, lefts] if undecided else None
        values = np.stack(
            [
                (base[o] + right[other, rights][:, None] + left[row, lefts][None, :]).reshape(-1)
                for base, left, right in self.signed
            ]
        )
        places = np.arange(values.shape[1]) if met is None else np.flatnonzero(met.reshape(-1))
        if not len(places):
            return found
        places = places[unsurpassed(values[:, places])]
        places = places[~found.surpasses(values[:, places])]
        members = [
            self.plan.index(part.number, o, int(lefts[at % len(lefts)]), int(rights[at // len(lefts)]))
            for at in places
        ]
        return found.joined(values[:, places], members)

    def _points(self, side: int, row: int, undecided: list[Objective]) -> Any:
        known = (side, row, tuple(undecided))
        if known not in self._known:
            table = (self.part.left, self.part.right)[side - 1]
            dims = [each[side][row] for each in self.signed] + [
                sign * table[form, row] for form, sign in undecided
            ]
            whole = np.arange(table.shape[2])
            self._known[known] = unsurpassed(np.stack(dims)) if len(dims) <= FRONTS_MAX else whole
        return self._known[known]

"""The members of a slice that meet the conditions, one by one: all, or those of some ranks."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from costlab.explore.query.slices import Plan, Slice
from costlab.explore.query.within import BLOCK, counts, meets, pair_counts
from costlab.explore.written.axis import Index


def ranked(plan: Plan, part: Slice, ranks: Sequence[int]) -> list[Index]:
    """The members of some ranks, from 0, among those that meet the conditions, in one fixed order."""
    upto = np.cumsum(counts(plan, part))
    found = []
    for rank in ranks:
        o = int(np.searchsorted(upto, rank, side="right"))
        within = rank - (int(upto[o - 1]) if o else 0)
        pairs = np.cumsum(pair_counts(plan, part, o))
        j = int(np.searchsorted(pairs, within, side="right"))
        within -= int(pairs[j - 1]) if j else 0
        (met,) = meets(plan, part, np.array([o]), np.array([j]))
        found.append(plan.index(part.number, o, int(np.flatnonzero(met)[within]), j))
    return found


def every(plan: Plan, part: Slice) -> Iterator[tuple[Any, Any]]:
    """All that meet the conditions, in batches: indices ``[member, axis]``, values ``[form, member]``."""
    _, lefts, rights = part.shape
    points = np.flatnonzero(counts(plan, part))
    step = max(1, BLOCK // (lefts * rights))
    for at in range(0, len(points), step):
        some = points[at : at + step]
        pairs, others = np.repeat(some, rights), np.tile(np.arange(rights), len(some))
        pair, i = np.nonzero(meets(plan, part, pairs, others))
        o, j = pairs[pair], others[pair]
        values = part.base[:, o] + part.left[:, part.left_rows[o], i] + part.right[:, part.right_rows[o], j]
        yield plan.indices(part.number, o, i, j), values

"""How the members of a slice are spread over a form."""

from typing import Any

import numpy as np

from costlab.explore.query import fast
from costlab.explore.query.slices import Plan, Slice
from costlab.explore.query.within import BLOCK, bounds, counts, meets


def spread(plan: Plan, part: Slice, form: int, edges: Any) -> Any:
    """How many members have ``edges[k] <= value < edges[k + 1]`` of a form, and meet the conditions."""
    if plan.is_searched:
        return _searched(plan, part, edges)
    lowest, highest = bounds(plan, part)
    low, high = plan.limits
    whole = ((lowest >= low) & (highest <= high)).all(axis=0)
    possible = ((lowest <= high) & (highest >= low)).all(axis=0)
    least, most = _ends(part, form)
    bins = np.searchsorted(edges, least, side="right") - 1
    same = bins == np.searchsorted(edges, most, side="right") - 1
    found = np.zeros(len(edges) - 1, np.int64)
    plain = whole & same
    _, lefts, rights = part.shape
    inside = plain & (bins >= 0) & (bins < len(found))
    np.add.at(found, bins[inside], lefts * rights)
    open_points = np.flatnonzero(possible & ~plain)
    kernels = fast.kernels(plan.points) if plan.dtype is not object else None
    if kernels is not None:
        number = len(plan.intervals)
        tables = (part.base, part.left, part.left_rows, part.right, part.right_rows, low[:, 0], high[:, 0])
        (edges,) = kernels.laid_out(edges)
        kernels.spread(*kernels.laid_out(*tables), number, form, edges, open_points, whole, found)
        return found
    step = max(1, BLOCK // (lefts * rights))
    each = np.arange(rights)
    for at in range(0, len(open_points), step):
        some = open_points[at : at + step]
        points, others = np.repeat(some, rights), np.tile(each, len(some))
        values = part.base[form, points] + part.right[form, part.right_rows[points], others]
        every = values[:, None] + part.left[form, part.left_rows[points]]
        met = meets(plan, part, points, others)
        places = np.searchsorted(edges, every[met], side="right") - 1
        places = places[(places >= 0) & (places < len(found))]
        found += np.bincount(places, minlength=len(found))
    return found


def _searched(plan: Plan, part: Slice, edges: Any) -> Any:
    """The same where one form alone matters: its tables are large, and searched for each edge."""
    (form,) = plan.forms
    low, high = plan.intervals[0] if plan.intervals else (-form.bound, form.bound)
    below = []
    for edge in edges.tolist():
        end = min(high, edge - 1)
        below.append(int(counts(plan.between(low, end), part).sum()) if low <= end else 0)
    return np.diff(np.array(below, dtype=np.int64))


def _ends(part: Slice, form: int) -> tuple[Any, Any]:
    ends = [
        part.base[form]
        + end(part.left[form], axis=1)[part.left_rows]
        + end(part.right[form], axis=1)[part.right_rows]
        for end in (np.min, np.max)
    ]
    return ends[0], ends[1]

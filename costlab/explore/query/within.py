"""How many members of a slice meet all conditions."""

from typing import Any

import numpy as np

from costlab.explore.query import fast
from costlab.explore.query.slices import Plan, Slice

BLOCK = 1_000_000
"""Elements that are compared at once."""


def bounds(plan: Plan, part: Slice) -> tuple[Any, Any]:
    """The least and the most of each condition's form, for each point of the cut."""
    return _bounds(plan, part, _ends(plan, part.left))


def _bounds(plan: Plan, part: Slice, ends_of_left: tuple[Any, Any]) -> tuple[Any, Any]:
    base = part.base[: len(plan.intervals)]
    lowest, highest = (
        base + left[:, part.left_rows] + right[:, part.right_rows]
        for left, right in zip(ends_of_left, _ends(plan, part.right), strict=True)
    )
    return lowest, highest


def _ends(plan: Plan, table: Any) -> tuple[Any, Any]:
    """The least and the most of each condition's form in each row of a table."""
    conditions = table[: len(plan.intervals)]
    kernels = fast.kernels(plan.points) if plan.dtype is not object else None
    if kernels is None:
        return conditions.min(axis=2), conditions.max(axis=2)
    least, most = np.empty((2, *conditions.shape[:2]), np.int64)
    kernels.ends(*kernels.laid_out(conditions), least, most)
    return least, most


def counts(plan: Plan, part: Slice) -> Any:
    """How many points meet the conditions, for each point of the cut."""
    number = len(plan.intervals)
    points, lefts, rights = part.shape
    base, left, right = part.base[:number], part.left[:number], part.right[:number]
    low, high = plan.limits
    ends_of_left = _ends(plan, part.left)
    lowest, highest = _bounds(plan, part, ends_of_left)
    found = np.zeros(points, dtype=np.int64)
    inside = ((lowest >= low) & (highest <= high)).all(axis=0)
    found[inside] = lefts * rights
    open_points = np.flatnonzero(~inside & ((lowest <= high) & (highest >= low)).all(axis=0))
    if not open_points.size:
        return found
    kernels = fast.kernels(plan.points) if plan.dtype is not object else None
    if kernels is not None and plan.is_searched and lefts > kernels.SEARCHED:
        tables = (base, plan.sorted_left(part), part.left_rows, plan.sorted_right(part), part.right_rows)
        kernels.count_sums(*kernels.laid_out(*tables), low[0, 0], high[0, 0], open_points, found)
        return found
    if kernels is not None:
        ordered = plan.sorted_left(part)[:number] if lefts > kernels.SEARCHED else left
        rows = (part.left_rows, right, part.right_rows)
        arrays = kernels.laid_out(base, left, ordered, *rows, *ends_of_left, low[:, 0], high[:, 0])
        kernels.count(*arrays, open_points, found)
        return found
    by_row = open_points[np.argsort(part.left_rows[open_points], kind="stable")]
    starts = np.flatnonzero(np.diff(part.left_rows[by_row], prepend=-1))
    for here in np.split(by_row, starts[1:]):
        row = left[:, part.left_rows[here[0]]]
        for some in np.array_split(here, -(-len(here) * rights // BLOCK)):
            taken = base[:, some, None] + right[:, part.right_rows[some]]
            found[some] = _met(row, low[:, :, None] - taken, high[:, :, None] - taken).sum(axis=1)
    return found


def pair_counts(plan: Plan, part: Slice, o: int) -> Any:
    """How many left points meet the conditions at a point of the cut, for each right one."""
    number = len(plan.intervals)
    low, high = plan.limits
    taken = part.base[:number, o, None] + part.right[:number, part.right_rows[o]]
    row = part.left[:number, part.left_rows[o]]
    return _met(row, (low - taken)[:, None], (high - taken)[:, None])[0]


def meets(plan: Plan, part: Slice, points: Any, rights: Any) -> Any:
    """Which left points meet the conditions with each pair of a point of the cut and a right one."""
    low, high = plan.limits
    met = np.ones((len(points), part.shape[1]), bool)
    for form in range(len(plan.intervals)):
        taken = part.base[form, points] + part.right[form, part.right_rows[points], rights]
        rows = part.left[form, part.left_rows[points]]
        met &= rows >= (low[form] - taken)[:, None]
        met &= rows <= (high[form] - taken)[:, None]
    return met


def _met(row: Any, low: Any, high: Any) -> Any:
    """How many left points lie between, for each point of the cut and each right one."""
    least, most = row.min(axis=1)[:, None, None], row.max(axis=1)[:, None, None]
    open_forms = (least < low) | (most > high)
    undecided = open_forms.sum(axis=0)
    possible = ((least <= high) & (most >= low)).all(axis=0)
    met = np.where(possible & (undecided == 0), row.shape[1], 0)
    for form in range(len(row)):
        alone = possible & (undecided == 1) & open_forms[form]
        if alone.any():
            values = np.sort(row[form])
            below = np.searchsorted(values, low[form][alone], side="left")
            met[alone] = np.searchsorted(values, high[form][alone], side="right") - below
    several = possible & (undecided > 1)
    if several.any():
        lows, highs = low[:, several, None], high[:, several, None]
        step = max(1, BLOCK // row.shape[1])
        met[several] = np.concatenate(
            [
                ((row[:, None, :] >= lows[:, at : at + step]) & (row[:, None, :] <= highs[:, at : at + step]))
                .all(axis=0)
                .sum(axis=1)
                for at in range(0, lows.shape[1], step)
            ]
        )
    return met

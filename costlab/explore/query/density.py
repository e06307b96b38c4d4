"""Two quantities of the members of a space: how they are spread, their ends, their front, values of some."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from costlab.explore.query import queries
from costlab.explore.query.forms import Form
from costlab.explore.query.slices import Plan, Slice
from costlab.explore.query.within import BLOCK, bounds, meets
from costlab.explore.written.axis import Index

if TYPE_CHECKING:
    from costlab.explore.space import Space

Edges = tuple[tuple[int, ...], tuple[int, ...]]
Pair = tuple[str, str]


def density(space: "Space", quantities: Pair, edges: Edges) -> Any:
    """How many members have each of two quantities from an edge to below the next: ``[first, second]``."""
    asked = space.asked(*map(space.quantity, quantities))

    def fold(found: Any, place: int, more: Any) -> Any:
        return found + more * asked[place].plan.free()

    return space.engine.sweep(
        "counting by " + " and ".join(quantities),
        [each.plan for each in asked],
        _spread,
        fold,
        np.zeros([len(each) - 1 for each in edges], np.int64),
        lambda _, place: (asked[place].places, edges),
    )


def drawn(space: "Space", quantities: Pair, many: int, seed: int = 0) -> Any:
    """Two quantities of so many members, drawn at random: ``[quantity, member]``."""
    plans = [each.plan for each in space.asked()]
    members = np.array(queries.sample(space.engine, plans, many, seed).members, np.int64)
    forms = (space.lowering.lowered(space.quantity(each)).form for each in quantities)
    return np.stack([_values(form, members) for form in forms])


def front(space: "Space", least: str, most: str) -> tuple[tuple[int, int], ...]:
    """Values of two quantities: of members with more of ``most`` than any that has no more of ``least``."""
    asked = space.asked(space.quantity(least), space.quantity(f"-{most}"))
    values = queries.pareto(space.engine, asked, "searching the front").values
    return tuple(sorted((int(first), -int(second)) for first, second in values.T))


def ends(space: "Space", quantity: str) -> tuple[int, int] | None:
    """The least and the most of a quantity; None where there is no member."""
    asked = space.asked(space.quantity(quantity))
    found = [
        queries.top(space.engine, asked, sign, 1, f"searching the range of {quantity}") for sign in (-1, 1)
    ]
    return (int(found[0][0].value), int(found[1][0].value)) if all(found) else None


def _values(form: Form, members: Any) -> Any:
    """The values of a form at members ``[member, axis]``."""
    found = np.zeros(len(members), form.dtype)
    for term in form.terms:
        found += _taken(term.coefficient, members, form.dtype) * _taken(term.positions, members, form.dtype)
    return found


def _taken(value: Any, members: Any, dtype: Any) -> Any:
    array = np.asarray(value).astype(dtype)
    if array.ndim != members.shape[1]:
        return array
    index: Index = tuple(at if size > 1 else 0 for at, size in zip(members.T, array.shape, strict=True))
    return array[index]


def _spread(plan: Plan, number: int, forms: tuple[int, int], edges: Edges) -> Any:
    part = plan.slice(number)
    shape = [len(each) - 1 for each in edges]
    found = np.zeros(shape[0] * shape[1], np.int64)
    exact = [np.array(each, plan.dtype) for each in edges]
    for values in _batches(plan, part, forms):
        cells = [np.searchsorted(each, of, side="right") - 1 for each, of in zip(exact, values, strict=True)]
        within = np.logical_and.reduce(
            [(at >= 0) & (at < many) for at, many in zip(cells, shape, strict=True)]
        )
        places = (cells[0] * shape[1] + cells[1])[within]
        found += np.bincount(places, minlength=len(found))
    return found.reshape(shape)


def _batches(plan: Plan, part: Slice, forms: tuple[int, int]) -> Iterator[list[Any]]:
    """The values of two forms for all members of a slice, a batch at a time."""
    low, high = plan.limits
    least, most = bounds(plan, part)
    possible = np.flatnonzero(((least <= high) & (most >= low)).all(axis=0))
    _, lefts, rights = part.shape
    step = max(1, BLOCK // (lefts * rights))
    for at in range(0, len(possible), step):
        some = possible[at : at + step]
        points, others = np.repeat(some, rights), np.tile(np.arange(rights), len(some))
        met = meets(plan, part, points, others)
        yield [_every(part, form, points, others)[met] for form in forms]


def _every(part: Slice, form: int, points: Any, others: Any) -> Any:
    values = part.base[form, points] + part.right[form, part.right_rows[points], others]
    return values[:, None] + part.left[form, part.left_rows[points]]

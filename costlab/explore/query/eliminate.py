"""The least or most of a form where nothing but masks is asked for: axis after axis is done away with."""

from math import prod
from typing import Any

import numpy as np

from costlab.explore.derive.terms import Term
from costlab.explore.query.forms import INT64_SAFE, Form
from costlab.explore.query.slices import Plan
from costlab.explore.query.top import Ranked
from costlab.explore.written.axis import Index

ELEMENTS_MAX = 20_000_000
"""The most elements of a tensor on the way."""


def extreme(plan: Plan, form: int, sign: int) -> list[Ranked] | None:
    """The member with the most of ``sign`` times a form, if there is any; None where this way does not do.

    Of the terms that depend on an axis the sum is made, and for each point of its other axes the best along
    the axis is kept: what is left does not depend on it.
    """
    if form < len(plan.intervals) or not all(map(_is_mask, plan.forms, plan.intervals)):
        return None
    asked, masks = plan.forms[form], plan.forms[: len(plan.intervals)]
    penalty = 2 * asked.bound + 1  # more than members that fit can differ by
    if plan.dtype is object or penalty * (1 + sum(each.bound for each in masks)) >= INT64_SAFE:
        return None
    terms = [(sign, term) for term in asked.terms]
    terms += [(-penalty, term) for each in masks for term in each.terms]
    if sum(prod(plan.sizes[axis] for axis in term.axes) for _, term in terms) > ELEMENTS_MAX:
        return None
    shape = (1,) * len(plan.sizes)
    best = _eliminated([_whole(term, shape) * factor for factor, term in terms], plan.sizes)
    if best is None:
        return None
    value, point = best
    return [Ranked(sign * value, point)] if value >= -asked.bound else []


def _is_mask(form: Form, interval: tuple[int, int]) -> bool:
    """Whether a form is 0 where its condition holds, and above 0 elsewhere."""
    factors = (factor for term in form.terms for factor in term)
    return interval == (0, 0) and all(np.min(factor) >= 0 for factor in factors)


def _whole(term: Term, shape: Index) -> Any:
    values = [np.asarray(each) if np.ndim(each) else np.full(shape, each) for each in term]
    return np.asarray(values[0] * values[1])


def _eliminated(tensors: list[Any], sizes: Index) -> tuple[int, Index] | None:
    """The most that a sum of tensors comes to, and where."""
    rank = len(sizes)
    places: list[tuple[int, Any]] = []
    left = set(range(rank))
    while left:
        axis, shape = min(
            ((axis, _shape([each for each in tensors if each.shape[axis] > 1], rank)) for axis in left),
            key=lambda choice: np.prod(choice[1]),
        )
        if np.prod(shape) > ELEMENTS_MAX:
            return None
        left.discard(axis)
        concerned = [each for each in tensors if each.shape[axis] > 1]
        if not concerned:
            continue
        tensors = [each for each in tensors if each.shape[axis] == 1]
        together = sum(sorted(concerned, key=np.size))
        places.append((axis, np.expand_dims(together.argmax(axis=axis), axis)))
        tensors.append(together.max(axis=axis, keepdims=True))
    point = [0] * rank
    for axis, best in reversed(places):
        point[axis] = int(
            best[tuple(i if size > 1 else 0 for i, size in zip(point, best.shape, strict=True))]
        )
    return sum(int(each.reshape(-1)[0]) for each in tensors), tuple(point)


def _shape(tensors: list[Any], rank: int) -> Index:
    return np.broadcast_shapes(*(each.shape for each in tensors), (1,) * rank)

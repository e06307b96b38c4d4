"""Slices of large spaces are within bounds, whatever their axes have to do with each other."""

from math import prod

import numpy as np
import pytest

from costlab.explore.derive.terms import Term
from costlab.explore.query import slices
from costlab.explore.query.cut import halved
from costlab.explore.query.forms import Form
from costlab.explore.query.slices import Plan


@pytest.mark.parametrize(
    ("axes", "values", "forms"), [(12, 10, 3), (14, 20, 3), (14, 20, 1), (30, 4, 2), (3, 3000, 1), (8, 2, 4)]
)
def test_slices_are_small_where_axes_are_independent(axes: int, values: int, forms: int) -> None:
    along = [
        np.arange(values).reshape([values if each == axis else 1 for each in range(axes)])
        for axis in range(axes)
    ]
    plan = Plan((values,) * axes, tuple(Form(tuple(map(Term, along))) for _ in range(forms)), ((0, values),))
    part = plan.slice(plan.slices - 1)
    assert sum(table.size for table in (part.base, part.left, part.right)) <= slices.ELEMENTS_MAX
    assert part.points <= (slices.POINTS_MAX if forms > 1 else slices.ELEMENTS_MAX**2)
    assert plan.points == values**axes
    assert plan.index(plan.slices - 1, *(size - 1 for size in part.shape)) == (values - 1,) * axes


def test_halves_are_about_as_large_as_each_other() -> None:
    sizes = (36, 10, 8, *(5 for _ in range(57)))
    left, right = halved(tuple((axis,) for axis in range(len(sizes))), sizes)
    assert sorted((*left, *right)) == list(range(60))
    points = [prod(sizes[axis] for axis in half) for half in (left, right)]
    assert max(points) <= 36 * min(points)

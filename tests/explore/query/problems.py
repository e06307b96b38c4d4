"""Random sums over small spaces, and what is true of every point of them, looked at one by one."""

from itertools import product
from math import prod
from random import Random
from typing import Any, NamedTuple

import numpy as np

from costlab.explore.derive.terms import Term
from costlab.explore.query.forms import Form
from costlab.explore.query.slices import Plan
from costlab.explore.written.axis import Index

BEYOND = 2**70
FAR = 10**40


class Problem(NamedTuple):
    """A plan with all of its points, the values of its forms there, and which meet the conditions."""

    plan: Plan
    points: list[Index]
    values: list[list[int]]
    meeting: list[int]

    def of(self, form: int) -> list[int]:
        """The values of a form where the conditions hold."""
        return [self.values[form][k] for k in self.meeting]

    @property
    def told_apart(self) -> set[Index]:
        """The points that meet the conditions, those that no form tells apart as one."""
        free = self.plan.free_axes()
        met = (self.points[k] for k in self.meeting)
        return {tuple(0 if axis in free else i for axis, i in enumerate(point)) for point in met}


def problem(random: Random) -> Problem:
    """Up to six axes, forms of up to six terms with numbers of both signs, some beyond 64 bits."""
    sizes = tuple(random.choice([1, 2, 3, 4, 5]) for _ in range(random.randint(1, 6)))
    unit = BEYOND if random.random() < 0.2 else 1
    conditions, asked = random.randint(0, 3), random.randint(1, 3)
    forms = tuple(_form(random, sizes, unit) for _ in range(conditions + asked))
    plan = Plan(sizes, forms, tuple(_interval(random, form.bound) for form in forms[:conditions]))
    points = list(product(*map(range, sizes)))
    values = [[_value(form, point) for point in points] for form in forms]
    ends = list(enumerate(plan.intervals))
    meeting = [k for k in range(len(points)) if all(low <= values[c][k] <= high for c, (low, high) in ends)]
    return Problem(plan, points, values, meeting)


def _value(form: Form, point: Index) -> int:
    return sum(_part(term.coefficient, point) * _part(term.positions, point) for term in form.terms)


def _part(array: Any, point: Index) -> int:
    if not isinstance(array, np.ndarray):
        return int(array)
    return int(array[tuple(i if n > 1 else 0 for i, n in zip(point, array.shape, strict=True))])


def _form(random: Random, sizes: Index, unit: int) -> Form:
    return Form(tuple(_term(random, sizes, unit) for _ in range(random.randint(0, 6))))


def _term(random: Random, sizes: Index, unit: int) -> Term:
    rank = len(sizes)
    axes = random.sample(range(rank), min(rank, random.randint(0, 3)))
    shape = tuple(size if axis in axes else 1 for axis, size in enumerate(sizes))
    numbers = [random.randint(-9, 30) for _ in range(prod(shape))]
    coefficient: Any = np.array(numbers, dtype=object if unit > 1 else np.int64).reshape(shape) * unit
    positions: Any = 1
    if random.random() < 0.3:
        axis = random.randrange(rank)
        along = tuple(size if other == axis else 1 for other, size in enumerate(sizes))
        positions = np.arange(1, sizes[axis] + 1).reshape(along)
    factors = (np.asarray(coefficient), np.asarray(positions))
    return Term(*(int(each.flat[0]) if each.size == 1 else each for each in factors))


def random_mask(random: Random, sizes: Index) -> Any:
    """Where something does not fit, along some of the axes."""
    axes = random.sample(range(len(sizes)), random.randint(1, min(2, len(sizes))))
    shape = tuple(size if axis in axes else 1 for axis, size in enumerate(sizes))
    truths = [random.random() < 0.5 for _ in range(prod(shape))]
    return np.array(truths).reshape(shape)


def _interval(random: Random, bound: int) -> tuple[int, int]:
    low, high = sorted([random.randint(-bound, bound), random.randint(-bound, bound)])
    return random.choice([(-FAR, high), (low, FAR), (low, high)])

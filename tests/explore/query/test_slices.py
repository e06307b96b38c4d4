"""Questions about slices are answered as by looking at every point: NumPy's ways and the compiled ones."""

import os
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest

from costlab.explore.query import fast, slices, top, within
from costlab.explore.query.eliminate import extreme
from costlab.explore.query.forms import masks_form
from costlab.explore.query.front import Front, front
from costlab.explore.query.histogram import spread
from costlab.explore.query.members import every, ranked
from costlab.explore.query.slices import Plan, Slice
from costlab.explore.query.top import Ranked, best
from costlab.explore.query.within import counts
from tests.explore.query.problems import Problem, problem, random_mask

EXAMPLES = int(os.environ.get("EXPLORE_EXAMPLES", "12"))
SEED = int(os.environ.get("EXPLORE_SEED", "0"))


@pytest.fixture(params=["numpy", "compiled"])
def random(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Random:
    """What draws examples, the same with both."""
    monkeypatch.setattr(fast, "_use", request.param == "compiled")
    assert (fast.kernels(1) is None) == (request.param == "numpy")
    return Random(SEED)


def _parts(random: Random, patch: pytest.MonkeyPatch) -> tuple[Problem, list[Slice]]:
    """A problem, and its slices with limits so small that spaces of some points have several."""
    patch.setattr(slices, "GROUP_MAX", random.choice([1, 4, 16, 256]))
    patch.setattr(slices, "GROUP_MAX_SORTED", random.choice([4, 65_536]))
    patch.setattr(slices, "ELEMENTS_MAX", random.choice([1, 20, 4_000_000]))
    patch.setattr(slices, "POINTS_MAX", random.choice([1, 30, 2**28]))
    for module in (within, top):
        patch.setattr(module, "BLOCK", random.choice([1, 50, 1_000_000]))
    made = problem(random)
    return made, [made.plan.slice(number) for number in range(made.plan.slices)]


def test_slices_hold_each_point_once_and_count_those_that_meet(
    random: Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(EXAMPLES):
        made, parts = _parts(random, monkeypatch)
        plan = made.plan
        assert sum(part.points for part in parts) * plan.free() == len(made.points)
        assert sum(int(counts(plan, part).sum()) for part in parts) * plan.free() == len(made.meeting)


def test_members_are_listed_and_ranked_once_each(random: Random, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(EXAMPLES):
        made, parts = _parts(random, monkeypatch)
        plan, listed = made.plan, []
        values = dict(zip(made.points, zip(*made.values, strict=True), strict=True))
        for part in parts:
            here = []
            for indices, of in every(plan, part):
                for point, row in zip(indices.tolist(), of.T.tolist(), strict=True):
                    here.append(tuple(point))
                    assert values[tuple(point)] == tuple(row)
            assert sorted(ranked(plan, part, range(len(here)))) == sorted(here)
            listed += here
        assert len(listed) == len(set(listed))
        assert set(listed) == made.told_apart


def test_the_best_are_the_best_of_all(random: Random, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(EXAMPLES):
        made, parts = _parts(random, monkeypatch)
        form, sign, many = (
            random.randrange(len(made.plan.forms)),
            random.choice([1, -1]),
            random.randint(1, 5),
        )
        found: list[Ranked] = []
        for part in parts:
            known = sorted(sign * each.value for each in found)
            least = known[-many] if len(known) >= many and random.random() < 0.7 else None
            found += best(made.plan, part, form, sign, many, least)
        found = sorted(found, key=lambda each: -sign * each.value)[:many]
        value = dict(zip(made.points, made.values[form], strict=True))
        wanted = sorted((sign * value[point] for point in made.told_apart), reverse=True)
        assert [sign * each.value for each in found] == wanted[:many]
        assert len({each.point for each in found}) == len(found)
        assert all(each.point in made.told_apart and value[each.point] == each.value for each in found)


def test_bins_hold_what_is_in_them(random: Random, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(EXAMPLES):
        made, parts = _parts(random, monkeypatch)
        plan, form = made.plan, random.randrange(len(made.plan.forms))
        values = made.of(form) or [0]
        low, high = min(values), max(values) + 1
        edges = sorted({low, high, *(random.randint(low, high) for _ in range(4))})
        found: Any = sum(spread(plan, part, form, np.array(edges, dtype=plan.dtype)) for part in parts)
        wanted = [sum(a <= each < b for each in made.of(form)) for a, b in pairwise(edges)]
        assert (found * plan.free()).tolist() == wanted


def test_fronts_are_what_nothing_surpasses(random: Random, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(EXAMPLES):
        made, parts = _parts(random, monkeypatch)
        forms = len(made.plan.forms)
        objectives = tuple(
            (random.randrange(forms), random.choice([1, -1])) for _ in range(random.randint(2, 3))
        )
        found = Front(np.zeros((len(objectives), 0), made.plan.dtype), [])
        for part in parts:
            found = front(made.plan, part, objectives, found)
        columns = [tuple(column) for column in found.values.T.tolist()]
        assert len(set(columns)) == len(columns)
        assert set(columns) == _unsurpassed(made, objectives)
        at = {point: k for k, point in enumerate(made.points)}
        for column, member in zip(columns, found.members, strict=True):
            assert tuple(sign * made.values[form][at[member]] for form, sign in objectives) == column
            assert member in made.told_apart


def _unsurpassed(made: Problem, objectives: tuple[tuple[int, int], ...]) -> set[tuple[int, ...]]:
    every = {tuple(sign * made.values[form][k] for form, sign in objectives) for k in made.meeting}
    return {
        each
        for each in every
        if not any(other != each and all(map(int.__le__, other, each)) for other in every)
    }


def test_extremes_are_found_by_elimination(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all conditions are masks: 0 where they hold, and above 0 elsewhere."""
    random, done = Random(SEED), 0
    for _ in range(3 * EXAMPLES):
        made, _parts_of_it = _parts(random, monkeypatch)
        sizes, asked = made.plan.sizes, made.plan.forms[-1]
        masks = [random_mask(random, sizes) for _ in range(random.randint(0, 2))]
        forms = (*([masks_form(masks)] if masks else []), asked)
        plan, sign = Plan(sizes, forms, ((0, 0),) * bool(masks)), random.choice([1, -1])
        found = extreme(plan, len(forms) - 1, sign)
        if found is None:
            assert asked.dtype is object
            continue
        fitting = {
            point: value
            for point, value in zip(made.points, made.values[-1], strict=True)
            if not any(np.broadcast_to(mask, sizes)[point] for mask in masks)
        }
        wanted = max((sign * value for value in fitting.values()), default=None)
        assert [sign * each.value for each in found] == ([] if wanted is None else [wanted])
        assert all(fitting[each.point] == each.value for each in found)
        done += 1
    assert done > EXAMPLES

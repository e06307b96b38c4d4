"""Questions about the members for which one of several conjunctions holds: each is a sweep over slices."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice, product
from random import Random
from typing import Any, NamedTuple

import numpy as np

from costlab.explore.query.eliminate import extreme
from costlab.explore.query.engine import Engine
from costlab.explore.query.front import Front, Objective, front
from costlab.explore.query.histogram import spread
from costlab.explore.query.lowered import Asked
from costlab.explore.query.members import every, ranked
from costlab.explore.query.slices import Plan
from costlab.explore.query.top import Ranked, best
from costlab.explore.query.within import counts
from costlab.explore.written.axis import Index


def count(engine: Engine, plans: Sequence[Plan], doing: str = "counting") -> int:
    """How many members there are."""
    return sum(counts_by_slice(engine, plans, doing))


def counts_by_slice(engine: Engine, plans: Sequence[Plan], doing: str = "counting") -> list[int]:
    """How many members each slice of each plan has."""

    def fold(found: list[int], place: int, many: int) -> list[int]:
        found.append(many * plans[place].free())
        return found

    return engine.sweep(doing, plans, _count, fold, list[int]())


def _count(plan: Plan, number: int) -> int:
    return int(counts(plan, plan.slice(number)).sum())


def top(engine: Engine, asked: Sequence[Asked], sign: int, many: int, doing: str) -> list[Ranked]:
    """The members with the most of ``sign`` times what is asked, by its value as a form, the most first.

    Of equals those with the first values of axes that make no difference come first.
    """
    turned = sign if asked and asked[0].wanted[0].scale > 0 else -sign

    def fold(found: list[Ranked], place: int, more: list[Ranked]) -> list[Ranked]:
        equals = islice(_with_equals(asked[place].plan, more), many)
        return sorted([*found, *equals], key=lambda each: -turned * each.value)[:many]

    def arguments(found: list[Ranked], place: int) -> tuple[Any, ...]:
        least = turned * found[-1].value if len(found) == many else None
        return (asked[place].places[0], turned, many, least)

    if many == 1 and len(asked) == 1:
        engine.begin()
        found = extreme(asked[0].plan, asked[0].places[0], turned)
        if found is not None:
            engine.covered = 1.0
            return found
    return engine.sweep(doing, _plans(asked), _top, fold, list[Ranked](), arguments)


def _with_equals(plan: Plan, found: Sequence[Ranked]) -> Iterator[Ranked]:
    """Members, each with those that differ from it only along axes that make no difference."""
    free = plan.free_axes()
    for value, point in found:
        for places in product(*(range(plan.sizes[axis]) for axis in free)):
            whole = dict(enumerate(point)) | dict(zip(free, places, strict=True))
            yield Ranked(value, tuple(whole.values()))


def _top(plan: Plan, number: int, form: int, sign: int, many: int, least: int | None) -> list[Ranked]:
    return best(plan, plan.slice(number), form, sign, many, least)


def pareto(engine: Engine, asked: Sequence[Asked], doing: str) -> Front:
    """The members that none surpasses in having little of everything that is asked."""
    dtype = object if any(each.plan.dtype is object for each in asked) else np.int64

    def fold(found: Front, _: int, more: Front) -> Front:
        return found.joined(more.values, more.members)

    def arguments(found: Front, place: int) -> tuple[Any, ...]:
        pairs = zip(asked[place].places, asked[place].wanted, strict=True)
        return (tuple((form, 1 if wanted.scale > 0 else -1) for form, wanted in pairs), found)

    none = Front(np.zeros((len(asked[0].places) if asked else 0, 0), dtype), [])
    return engine.sweep(doing, _plans(asked), _front, fold, none, arguments)


def _front(plan: Plan, number: int, objectives: tuple[Objective, ...], known: Front) -> Front:
    return front(plan, plan.slice(number), objectives, known)


def histogram(
    engine: Engine, asked: Sequence[Asked], bins: int, by: str
) -> tuple[tuple[Fraction, ...], tuple[int, ...]]:
    """Edges of bins from the least value to above the most, and how many members have a value in each.

    Edges are of the form behind the value, which has whole numbers, and so exact.
    """
    ends = [top(engine, asked, sign, 1, f"searching the range of {by}") for sign in (-1, 1)]
    if not all(ends):
        return (), ()
    low, high = sorted(each[0].value for each in ends)
    step = -(-(high - low + 1) // bins)
    wanted = asked[0].wanted[0]
    # A bin has its lower edge; where less of the form is more of what is asked, that is its upper one there.
    turned = wanted.scale < 0
    edges = range(high, low - 1 - step, -step)[::-1] if turned else range(low, high + 1 + step, step)
    held = tuple(edge + turned for edge in edges)

    def fold(found: list[int], place: int, more: list[int]) -> list[int]:
        return [a + b * asked[place].plan.free() for a, b in zip(found, more, strict=True)]

    counts = engine.sweep(
        f"counting by {by}",
        _plans(asked),
        _spread,
        fold,
        [0] * (len(edges) - 1),
        lambda _, place: (asked[place].places[0], held),
    )
    values = tuple(wanted.scale * edge + wanted.constant for edge in edges)
    return (values[::-1], tuple(counts[::-1])) if turned else (values, tuple(counts))


def _spread(plan: Plan, number: int, form: int, edges: tuple[int, ...]) -> list[int]:
    kept: list[int] = spread(plan, plan.slice(number), form, np.array(edges, dtype=plan.dtype)).tolist()
    return kept


def _plans(asked: Sequence[Asked]) -> list[Plan]:
    return [each.plan for each in asked]


class Drawn(NamedTuple):
    """Members that were drawn, and of how many."""

    members: list[Index]
    among: int


def sample(engine: Engine, plans: Sequence[Plan], many: int, seed: int) -> Drawn:
    """Members drawn without replacement, each set of them as likely as any; all, if there are no more."""
    slices = [(plan, number) for plan in plans for number in range(plan.slices)]
    held = counts_by_slice(engine, plans, "counting what is drawn from")
    among = sum(held)
    random = Random(seed)  # noqa: S311  # a draw that can be repeated, and no secret
    ranks = _distinct(random, among, many)
    members: dict[int, Index] = {}
    upto = 0
    ordered = sorted(ranks)
    at = 0
    for (plan, number), here in zip(slices, held, strict=True):
        inside = []
        while at < len(ordered) and ordered[at] < upto + here:
            inside.append(ordered[at])
            at += 1
        if inside:
            members.update(_drawn(plan, number, inside, upto))
        upto += here
    return Drawn([members[rank] for rank in ranks], among)


def _drawn(plan: Plan, number: int, ranks: list[int], upto: int) -> dict[int, Index]:
    """The members of some ranks in a slice: axes that make no difference come last."""
    free = plan.free_axes()
    within = [divmod(rank - upto, plan.free()) for rank in ranks]
    found = ranked(plan, plan.slice(number), [place for place, _ in within])
    members = {}
    for rank, (_, among_equals), index in zip(ranks, within, found, strict=True):
        whole, rest = list(index), among_equals
        for axis in reversed(free):
            rest, whole[axis] = divmod(rest, plan.sizes[axis])
        members[rank] = tuple(whole)
    return members


def _distinct(random: Random, among: int, many: int) -> list[int]:
    """Different numbers below ``among``, in the order in which they are drawn."""
    if many >= among:
        ranks = list(range(among))
        random.shuffle(ranks)
        return ranks
    drawn: dict[int, None] = {}
    while len(drawn) < many:
        drawn[random.randrange(among)] = None
    return list(drawn)


def rows(engine: Engine, asked: Asked) -> Any:
    """All members, in batches: indices ``[member, axis]``, values of what is asked ``[asked, member]``."""
    plan = asked.plan
    free = plan.free_axes()
    engine.begin()
    for number in range(plan.slices):
        for indices, values in every(plan, plan.slice(number)):
            wanted = values[list(asked.places)]
            yield _spread_out(plan, free, indices), np.repeat(wanted, plan.free(), axis=1)
        engine.progress("listing members", (number + 1) / plan.slices)


def _spread_out(plan: Plan, free: Index, indices: Any) -> Any:
    """Members with all values of the axes that make no difference."""
    whole = np.repeat(indices, plan.free(), axis=0)
    rest = np.tile(np.arange(plan.free()), len(indices))
    for axis in reversed(free):
        rest, whole[:, axis] = np.divmod(rest, plan.sizes[axis])
    return whole


def points_of(found: Any) -> list[Index]:
    """The members in what a sweep found before it was interrupted."""
    if isinstance(found, Front):
        return found.members
    return [each.point for each in found or () if isinstance(each, Ranked)]

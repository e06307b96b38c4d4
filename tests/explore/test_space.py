"""Questions about spaces are answered as by counting every member, however they are gone over."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import pairwise, product
from multiprocessing import get_context
from typing import Any

import pytest

from costlab import (
    Block,
    Conv2d,
    DefinitionError,
    Dim,
    Flatten,
    Linear,
    MaxPool2d,
    Ratio,
    ReLU,
    block,
    concat,
    count,
    scale,
    seq,
)
from costlab.explore.query import fast, slices
from costlab.explore.space import Space
from costlab.explore.written.axis import Axis
from costlab.targets.resolve import find


@block(input="3x16x16")
def sample(width: Ratio = 1.0, a: Dim = 4, k: int = 3, wide: bool = False, head: str = "flat") -> Block:
    """Sizes along axes, a kernel that does not fit some inputs, a flag and a choice."""
    both = concat(left=Conv2d(a, 1), right=seq(Conv2d(a, k, padding=k // 2), ReLU()))
    last = seq(Flatten(), Linear(10)) if head == "flat" else Conv2d(10, 1)
    return seq(
        stem=Conv2d(scale(8, width), 5),
        pool=MaxPool2d(2),
        both=both,
        more=seq(both) if wide else seq(),
        last=last,
    )


AXES: dict[str, list[Any]] = {
    "width": [0.5, 1.0, 1.5],
    "a": [2, 4, 7],
    "k": [1, 3, 5],
    "wide": [False, True],
    "head": ["flat", "map"],
    "input": [4, 5, 8, 16],
}
CONDITIONS: dict[str, Callable[[dict[str, Any], dict[str, int]], bool]] = {
    "multiply_adds <= 30_000": lambda _, q: q["multiply_adds"] <= 30_000,
    "multiply_adds > 20e3 and parameters < 1500": lambda _, q: (
        q["multiply_adds"] > 20_000 and q["parameters"] < 1500
    ),
    "multiply_adds <= 9000 or parameters > 2000": lambda _, q: (
        q["multiply_adds"] <= 9000 or q["parameters"] > 2000
    ),
    'head == "map" and a != 4': lambda v, _: v["head"] == "map" and v["a"] != 4,
    "a > k or multiply_adds - 9 * parameters >= 0": lambda v, q: (
        v["a"] > v["k"] or q["multiply_adds"] >= 9 * q["parameters"]
    ),
    "activations != 640 and not wide": lambda v, q: q["activations"] != 640 and not v["wide"],
    "width * parameters <= a * 300": lambda v, q: v["width"] * q["parameters"] <= v["a"] * 300,
    "multiply_adds < 0": lambda _, q: q["multiply_adds"] < 0,
}
ORDERS = ["multiply_adds", "-parameters", "multiply_adds - 7 * parameters", "width * parameters"]
QUANTITIES = ("multiply_adds", "parameters", "activations")
Members = dict[tuple[Any, ...], dict[str, int] | str]


@cache
def members() -> Members:
    """Each member, counted by itself: its quantities, or the path of what does not fit."""
    from costlab import ShapeError

    found: Members = {}
    for values in product(*AXES.values()):
        settings = dict(zip(AXES, values, strict=True))
        side = settings.pop("input")
        try:
            counted = count(sample, (3, side, side), **settings)
        except ShapeError as error:
            found[values] = error.path
        else:
            found[values] = {name: int(counted.size(name)) for name in QUANTITIES}
    return found


def meeting(condition: str) -> dict[tuple[Any, ...], dict[str, int]]:
    """The members that fit and for which a condition holds."""
    holds = CONDITIONS[condition]
    return {
        values: sizes
        for values, sizes in members().items()
        if isinstance(sizes, dict) and holds(dict(zip(AXES, values, strict=True)), sizes)
    }


@pytest.fixture(scope="module")
def derived() -> Space:
    space = Space(sample, **AXES)
    assert space.lowering.derived.misfits
    return space


@pytest.fixture(params=["alone", "compiled", "threads"])
def space(request: pytest.FixtureRequest, derived: Space, monkeypatch: pytest.MonkeyPatch) -> Space:
    monkeypatch.setattr(fast, "_use", request.param == "compiled")
    monkeypatch.setattr(slices, "GROUP_MAX", 4)
    monkeypatch.setattr(slices, "ELEMENTS_MAX", 1000)
    return derived.on(workers=3 if request.param == "threads" else 1)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("condition", CONDITIONS)
def test_what_holds_is_counted_and_listed(space: Space, condition: str) -> None:
    wanted = meeting(condition)
    asked = space.where(condition)
    assert asked.count() == len(wanted)
    frame = asked.to_frame()
    assert len(frame) == len(wanted)
    if wanted:
        rows = {tuple(row[name] for name in AXES): row for row in frame.to_dict("records")}
        assert rows.keys() == wanted.keys()
        assert all(rows[values][name] == sizes[name] for values, sizes in wanted.items() for name in sizes)


@pytest.mark.parametrize(("condition", "by"), [*zip(CONDITIONS, ORDERS * 2, strict=True)])
def test_extremes_and_bins(space: Space, condition: str, by: str) -> None:
    def value(values: tuple[Any, ...], sizes: dict[str, int]) -> Any:
        return eval(by, {}, {**dict(zip(AXES, values, strict=True)), **sizes})

    wanted = sorted((value(*each) for each in meeting(condition).items()), reverse=True)
    asked = space.where(condition)
    most, least = asked.max(by), asked.min(by)
    assert (most is None) == (least is None) == (not wanted)
    if most is None or least is None:
        return
    found = [value(tuple(each.values.values()), dict(each.sizes)) for each in (most, least)]
    assert found == [wanted[0], wanted[-1]]
    histogram = asked.histogram(by, bins=5)
    assert sum(histogram.counts) == len(wanted)
    assert histogram.edges[0] <= wanted[-1] <= wanted[0] < histogram.edges[-1]
    for (low, high), many in zip(pairwise(histogram.edges), histogram.counts, strict=True):
        assert sum(low <= each < high for each in wanted) == many


@pytest.mark.parametrize(("condition", "signs"), [*zip(CONDITIONS, [(1, -1), (1, 1, -1)] * 4, strict=True)])
def test_fronts(space: Space, condition: str, signs: tuple[int, ...]) -> None:
    def points(sizes: dict[str, int]) -> tuple[int, ...]:
        return tuple(sign * sizes[name] for sign, name in zip(signs, QUANTITIES, strict=False))

    every = set(map(points, meeting(condition).values()))
    wanted = {each for each in every if not any(o != each and all(map(int.__le__, o, each)) for o in every)}
    names = [f"-{name}" if sign < 0 else name for sign, name in zip(signs, QUANTITIES, strict=False)]
    front = space.where(condition).front(*names)
    assert sorted(points(dict(each.sizes)) for each in front) == sorted(wanted)


def test_what_does_not_fit_is_counted_by_the_first_part(space: Space) -> None:
    wanted: dict[str, int] = {}
    for sizes in members().values():
        if isinstance(sizes, str):
            wanted[sizes] = wanted.get(sizes, 0) + 1
    assert len(wanted) > 1
    assert {each.path: each.members for each in space.misfits()} == wanted
    assert all(each.example.startswith(f"{each.path}: ") for each in space.misfits())


def test_processes_answer_as_one_does(
    derived: Space, pool: ProcessPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "GROUP_MAX", 4)
    monkeypatch.setattr(slices, "ELEMENTS_MAX", 2000)
    condition = "a > k or multiply_adds - 9 * parameters >= 0"
    alone, far = (each.where(condition) for each in (derived.on(workers=1), derived.on(executor=pool)))
    assert alone.count() == far.count() == len(meeting(condition))
    assert [each.index for each in alone.top(9)] == [each.index for each in far.top(9)]
    fronts = [each.front("multiply_adds", "-parameters") for each in (alone, far)]
    assert [each.sizes for each in fronts[0]] == [each.sizes for each in fronts[1]]
    assert [each.index for each in alone.sample(9, seed=4)] == [each.index for each in far.sample(9, seed=4)]
    assert alone.histogram() == far.histogram()


def test_more_axes_than_arrays_have_are_refused() -> None:
    axes = tuple(Axis(f"w{place}", (1, 2)) for place in range(33))
    with pytest.raises(DefinitionError, match="33 axes are more than 32: vary fewer"):
        Space.along(find("inception_v3"), axes)
    assert Space.along(find("inception_v3"), axes[:32]).size == 2**32


def test_a_frame_larger_than_the_memory_may_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    space = Space("inception_v3", n=[3, 5])
    assert len(space.to_frame()) == len(space.to_frame(limit=2)) == 2
    with pytest.raises(DefinitionError, match="2 members are more than limit=1: narrow"):
        space.to_frame(limit=1)
    monkeypatch.setattr(Space, "count", lambda _: 10_000_001)
    with pytest.raises(DefinitionError, match="10,000,001 members are more than limit=10,000,000"):
        space.to_frame()

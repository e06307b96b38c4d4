"""The pictures of a run over design spaces: data by hand, what is drawn where, letters that can be read."""

from collections.abc import Callable
from dataclasses import replace
from json import dumps, loads
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from costlab.report.figure import SMALL, Picture
from costlab.report.pictures.error_distribution import Gap, distribution_picture, distributions_of
from costlab.report.pictures.error_front import SEVERAL, errors_and_costs, front_picture
from costlab.report.trained_members import members_of
from costlab.train.record import Run
from tests.report.rendering import letters_of, overlaps, render
from tests.report.test_places import marks, refuse_unclear_labels, same
from tests.sampling import one_in
from tests.train.records import LONG
from tests.train.space_records import BASELINE, of_spaces

LOW, HIGH = (0.72, 0.73, 0.74, 0.75), (0.60, 0.61, 0.74, None)
BESIDE: dict[str, tuple[str, float | None]] = {
    "7x7": ("mini:width=0.3,kernel_7x7=7x7", 0.65),
    "convolution, then pool": ("mini:width=0.6,reductions=conv+pool", 0.68),
    "no result": ("mini:width=0.3,small=1x3+3x1", None),
}
MANY = {f"{LONG} {i}": (f"mini:width={0.25 + 0.03 * i:g}", 0.6 + 0.02 * i) for i in range(8)}
RUNS: dict[str, Callable[[], Run]] = {
    "two": lambda: of_spaces(LOW, HIGH, beside=BESIDE),
    "two alone": lambda: of_spaces(LOW, HIGH),
    "one": lambda: of_spaces(LOW),
    "three, of which two are one": lambda: of_spaces(LOW, HIGH, LOW, targets=("mini", "mini:n=5", "mini")),
    "many beside": lambda: of_spaces(LOW, HIGH, beside=MANY),
    "long names": lambda: long_names(of_spaces(LOW, HIGH, beside=BESIDE)),
    "one result": lambda: of_spaces((0.5, None), (None,), baseline=(None,)),
    "all alike": lambda: of_spaces((0.5, 0.5), (0.5, 0.5), baseline=(0.5,)),
    "all or nothing": lambda: of_spaces((0.0, 0.0, 1.0), (1.0, 1.0, 0.0), baseline=(1.0,)),
}


def long_names(made: Run) -> Run:
    """The run with spaces, and a baseline, of long names."""
    spaces = tuple(replace(space, target=f"{LONG}, {space.name}", name=2 * LONG) for space in made.spaces)
    first = replace(made.arms[0], label=LONG)
    trials = tuple(replace(each, arm=LONG) if each.arm == BASELINE else each for each in made.trials)
    return replace(made, spaces=spaces, arms=(first, *made.arms[1:]), trials=trials, title=LONG)


def stairs(axes: Axes) -> list[Line2D]:
    """The lines that are drawn as steps."""
    return [line for line in axes.get_lines() if line.get_drawstyle() == "steps-post"]


def test_distributions_by_hand() -> None:
    data = distributions_of(RUNS["two"]())
    assert [(curve.name, curve.place, curve.errors) for curve in data.curves] == [
        ("large=5x5", 0, (0.25, 0.26, 0.27, 0.28)),
        ("large=3x3+3x3", 1, (0.26, 0.39, 0.4)),
    ]
    assert (data.baseline, data.error) == (BASELINE, 0.3)
    assert data.gap == Gap(0.28, round(1 / 3, 6), 1.0)  # at 28% all of the first, and one of the three
    assert distributions_of(RUNS["all alike"]()).gap is None
    assert distributions_of(RUNS["three, of which two are one"]()).gap is None
    assert distributions_of(RUNS["one result"]()).error is None


@pytest.mark.parametrize("name", one_in(2, RUNS))
def test_a_curve_is_at_each_error_the_share_of_members_that_have_no_larger_one(name: str) -> None:
    made = RUNS[name]()
    (axes,) = render(distribution_picture(made, "x")).axes
    lines = stairs(axes)
    members = members_of(made)
    wanted = [
        [each.error for each in members if place in each.spaces and each.error is not None]
        for place in range(len(made.spaces))
    ]
    wanted = [errors for errors in wanted if errors]
    assert len(lines) == len(wanted)
    for line, errors in zip(lines, wanted, strict=True):
        places: Any = line.get_xydata()
        for error in [each + by for each in errors for by in (-1e-7, 1e-7)]:
            share = sum(each <= error for each in errors) / len(errors)
            passed = [y for x, y in places if x <= error]  # steps-post: the last one holds
            assert passed[-1] == pytest.approx(share)
        assert places[-1][1] == 1
        left, right = axes.get_xlim()
        assert left <= min(errors)
        assert max(errors) <= right


def test_errors_and_costs_by_hand() -> None:
    made = RUNS["two"]()
    sizes = {arm.label: arm.multiply_adds for arm in made.arms}
    data = errors_and_costs(made)
    first, second = ([sizes[label] for label in space.drawn] for space in made.spaces)
    assert [group.points for group in data.groups] == [
        tuple(zip(first, (0.28, 0.27, 0.26, 0.25), strict=True)),
        tuple(zip(second[:3], (0.4, 0.39, 0.26), strict=True)),
    ]
    assert [(label, error) for label, _, error in data.beside] == [
        (BASELINE, 0.3),
        ("7x7", 0.35),
        ("convolution, then pool", 0.32),
    ]
    twice = errors_and_costs(RUNS["three, of which two are one"]())
    assert [(group.name, group.place, len(group.points)) for group in twice.groups] == [
        ("n=5", 1, 3),
        (SEVERAL, -1, 4),
    ]


@pytest.mark.parametrize("name", one_in(2, RUNS))
def test_networks_lie_at_their_costs_and_errors(name: str) -> None:
    made = RUNS[name]()
    done = {each.arm: 1 - each.top_1 for each in made.trials if each.top_1 is not None}
    every = [(float(arm.multiply_adds), done[arm.label]) for arm in made.arms if arm.label in done]
    members = [(each.multiply_adds, each.error) for each in members_of(made) if each.error is not None]
    front = [
        (float(x), y)
        for x, y in members
        if not any(a <= x and b <= y and (a, b) != (x, y) for a, b in members)
    ]
    figure = render(front_picture(made, "x"))
    panels = [axes for axes in figure.axes if axes.axison]
    for axes in panels:
        same(marks(axes), every)
        (line,) = stairs(axes)
        places: Any = line.get_xydata()
        first, *between, last = [(float(x), float(y)) for x, y in places]
        same(between, front)
        assert first == (between[0][0], axes.get_ylim()[1])  # it goes on to the ends of the axes
        assert last == (axes.get_xlim()[1], between[-1][1])
    left, right = panels[0].get_xlim()
    bottom, top = panels[0].get_ylim()
    assert all(left <= x <= right and bottom <= y <= top for x, y in every)
    left, right = panels[-1].get_xlim()
    bottom, top = panels[-1].get_ylim()
    assert all(left <= x <= right and bottom <= y <= top for x, y in members)
    refuse_unclear_labels(figure)


def test_crowded_members_are_drawn_once_more() -> None:
    assert errors_and_costs(RUNS["two"]()).crowded
    assert not errors_and_costs(RUNS["two alone"]()).crowded


@pytest.mark.parametrize("name", one_in(2, RUNS))
@pytest.mark.parametrize("picture", [distribution_picture, front_picture], ids=["errors", "front"])
def test_letters_can_be_read_and_none_lies_on_another(
    name: str, picture: Callable[[Run, str], Picture[Any]]
) -> None:
    each = picture(RUNS[name](), "x")
    figure = render(each)
    letters = letters_of(figure)
    assert overlaps(letters) == []
    assert [letter.text for letter in letters if letter.size < SMALL] == []
    width, height = figure.get_size_inches() * figure.dpi
    assert [
        letter.text
        for letter in letters
        if letter.box.x0 < 0 or letter.box.y0 < 0 or letter.box.x1 > width or letter.box.y1 > height
    ] == []
    assert loads(dumps(each.data)) == loads(dumps(each.data, allow_nan=False))

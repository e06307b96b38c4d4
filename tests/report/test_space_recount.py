"""Spaces of a run held against counting: what is as recorded, and each thing that is not, by name."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from costlab.report.pages.space_recount import spaces_recounted
from costlab.report.pages.space_run import space_page
from costlab.report.trained_members import members_of
from costlab.train.space_record import SearchRecord, SpaceRecord
from tests.train.space_records import of_spaces

LOW = (0.72, 0.73, 0.74, 0.75)
SEARCH = SearchRecord("nsga2", 20, 4, 0, 7)
Change = Callable[[SpaceRecord], SpaceRecord]


def test_what_is_as_recorded_is_no_problem() -> None:
    made = of_spaces(LOW, LOW)
    page = space_page(made, "x", "")
    assert page.problems == ()
    assert "those that were trained drawn anew with the seed: as recorded." in page.text
    sizes = [each.multiply_adds for each in members_of(made)]
    assert f"and none outside of its own: from {min(sizes):,} to {max(sizes):,} multiply-adds." in page.text
    assert all(1_200_000 <= size <= 2_800_000 for size in sizes)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda it: replace(it, size=79), "members in all are recorded as 79, and it has 78"),
        (lambda it: replace(it, among=1), "members that meet the conditions are recorded as 1, and it has "),
        (lambda it: replace(it, seed=1), "is not what is drawn as number 1 with seed 1: mini:width=0."),
        (lambda it: replace(it, drawn=it.drawn[::-1]), "is not what is drawn as number 1 with seed 0"),
        (lambda it: replace(it, drawn=(*it.drawn, "no arm")), "no arm is a member of it, and no arm of the"),
        (lambda it: replace(it, of="4e6"), " multiply-adds, which are not multiply_adds within 40% of 4e6"),
        (lambda it: replace(it, where=("width < 0.2",)), "members that meet the conditions are recorded as "),
        (
            lambda it: replace(it, where=("depth < 2",)),
            "anew: where: there is no quantity and no axis 'depth'",
        ),
        (lambda it: replace(it, within="much"), "its regime cannot be read: within: 'much' is no number"),
        (lambda it: replace(it, vary={"breadth": "1:3"}), "anew: breadth: mini has no parameter 'breadth'"),
    ],
)
def test_what_is_not_as_recorded_is_a_problem(change: Change, line: str) -> None:
    made = of_spaces(LOW)
    lines = spaces_recounted(replace(made, spaces=(change(made.spaces[0]),)))
    assert any(line in each and each.startswith("large=5x5: ") for each in lines), lines


def test_problems_are_said_on_the_page() -> None:
    made = of_spaces(LOW)
    page = space_page(replace(made, spaces=(replace(made.spaces[0], size=79),)), "x", "")
    line = "large=5x5: members in all are recorded as 79, and it has 78"
    assert page.problems == (line,)
    assert f"something is not as recorded:\n\n* {line}\n" in page.text


def test_a_member_of_other_costs_is_a_problem() -> None:
    made = of_spaces(LOW)
    outside = replace(made.arms[1], multiply_adds=2_800_001)
    page = space_page(replace(made, arms=(made.arms[0], outside, *made.arms[2:])), "x", "")
    assert len(page.problems) == 2
    assert page.problems[0].startswith(f"{outside.label}: multiply-adds are recorded as 2,800,001, and ")
    assert page.problems[1] == (
        f"large=5x5: {outside.label} has 2,800,001 multiply-adds, which are not multiply_adds within 40% of "
        "2e6"
    )


def test_what_a_search_has_found_is_no_sample_and_has_to_be_members() -> None:
    made = of_spaces(LOW, search=SEARCH)
    page = space_page(made, "x", "")
    assert page.problems == ()
    assert (
        "Optuna's NSGA-II with seed 0, of at most 20 members. The first 4 were drawn at random" in page.text
    )
    assert (
        "7 proposals were no members of the space, which is known exactly, so that none of these was"
        in page.text
    )
    assert "are no sample of a space" in page.text
    assert "## The errors in each space" not in page.text
    assert [each.name for each in page.pictures] == ["x_front"]
    other = replace(made.spaces[0], drawn=made.spaces[0].drawn[::-1])
    assert spaces_recounted(replace(made, spaces=(other,))) == ()  # they need not be what a seed draws
    for axis, value in (("width", "0.33"), ("n", "5"), ("large", "3x3+3x3")):
        settings = dict(part.split("=") for part in made.arms[1].network.partition(":")[2].split(","))
        network = f"mini:{','.join(f'{k}={v}' for k, v in {**settings, axis: value}.items())}"
        odd = replace(made, arms=(made.arms[0], replace(made.arms[1], network=network), *made.arms[2:]))
        assert spaces_recounted(odd) == (f"large=5x5: {made.arms[1].label} is no member of it",)


def test_spaces_of_other_code_stand_as_recorded() -> None:
    made = of_spaces(LOW)
    theirs = replace(made.spaces[0], target="nets.py:mine", size=3)
    page = space_page(replace(made, spaces=(theirs,)), "x", "")
    assert page.problems == ()
    assert "Spaces of no definition that comes with costlab stand as recorded." in page.text
    assert "counted anew, and those that were trained" not in page.text

"""The page of a run over design spaces: its numbers by hand, and records that lack much."""

import re
from dataclasses import replace
from itertools import product

import pytest

from costlab import count
from costlab.report.evidence import page_of_run
from costlab.report.html.evidence import by_digest, pages_document
from costlab.report.pages.index import index_page
from costlab.report.pages.space_run import space_page
from costlab.report.table import Table
from costlab.report.tables.space_errors import (
    ALIKE,
    CROSSING,
    comparison_table,
    errors_table,
    probability,
    verdict,
)
from costlab.report.tables.space_run import (
    MOST_ROWS,
    front_table,
    members_table,
    spaces_table,
)
from costlab.report.trained_members import members_of
from costlab.train.record import Run
from costlab.train.space_record import SearchRecord
from costlab.train.two_samples import compare_errors
from tests.report.test_run_page import rows
from tests.train.records import trial
from tests.train.space_records import BASELINE, PLAIN, of_spaces, sizes_of

LOW, HIGH = (0.72, 0.73, 0.74, 0.75), (0.60, 0.61, 0.62, None)


def shown(table: Table) -> list[list[str]]:
    """The cells of a table as people see them, without its head."""
    return table.cells(table.visible(), lambda column, value: column.show(value))[1:]


def sample() -> Run:
    """Two spaces of four members each, of which one failed, beside the baseline and one more network.

    Errors in percent are 28, 27, 26, 25 and 40, 39, 38; that of the baseline is 30.
    """
    return of_spaces(LOW, HIGH, beside={"7x7": ("mini:width=0.3,kernel_7x7=7x7", 0.65)})


def test_a_baseline_that_was_drawn_is_one_of_the_members() -> None:
    made = sample()
    first, second = made.spaces
    page = space_page(
        replace(made, spaces=(first, replace(second, drawn=(*second.drawn, BASELINE)))), "x", "runs/x.json"
    )
    said = (
        "9 members, the baseline among them, of 2 design spaces of mini, a reduced Inception v3, were trained"
    )
    assert page.summary.startswith(said)
    assert "on cpu, beside 1 other network, with" in page.summary


@pytest.mark.parametrize(
    ("sampler", "refused", "words"),
    [
        ("tpe", 0, "Optuna's tree-structured Parzen estimator (TPE) with seed 0, of at most"),
        ("nsga2", 0, "No proposal after them was outside of the space"),
        ("nsga2", 1, "After them 1 proposal was no member of the space"),
        ("nsga2", 7, "After them 7 proposals were no members of the space"),
    ],
)
def test_how_members_were_searched_for(sampler: str, refused: int, words: str) -> None:
    made = of_spaces(LOW, search=SearchRecord(sampler, 20, 4, 0, refused))
    assert words in space_page(made, "x", "runs/x.json").text


def test_what_the_page_says_in_a_sentence() -> None:
    page = space_page(sample(), "x", "runs/x.json")
    assert page.title == "Trained on generated images: Spaces of mini"
    one, two = (space.among for space in sample().spaces)
    assert page.summary == (
        "8 members of 2 design spaces of mini, a reduced Inception v3, were trained for 3 epochs on 1 seed "
        "each on cpu, beside the baseline and 1 other network, with 4,000 images (shapes) of 32x32 pixels in "
        f"10 classes: 4 of the {one} of large=5x5 with multiply_adds within 40% of 2e6, of 78 in all; 4 of "
        f"the {two} of large=3x3+3x3 with multiply_adds within 40% of 2e6, of 78 in all. 9 of 10 trainings "
        "came to a result. The images are generated images, not photographs."
    )
    assert re.findall(r"^## .*$", page.text, re.MULTILINE) == [
        "## The spaces",
        "## How it was made",
        "## The errors in each space",
        "## Error and cost",
        "## The members",
        "## What failed",
        "## At full scale",
    ]
    assert [each.name for each in page.pictures] == ["x_errors", "x_front"]
    assert "--preset full --seeds 1 --device cuda" in page.text


def test_the_spaces_by_counting_every_member() -> None:
    plain, pair = shown(spaces_table(sample()))
    widths = [f"{0.1 + 0.025 * i:.4g}" for i in range(13)]
    for row, large in ((plain, "5x5"), (pair, "3x3+3x3")):
        every = product(widths, ("7x7", "1x7+7x1"), (1, 2, 3))
        targets = [f"mini:large={large},width={w},kernel_7x7={k},modules_12={m}" for w, k, m in every]
        inside = [size for size in sizes_of(targets).values() if 1_200_000 <= size <= 2_800_000]
        assert row[4:6] == [str(len(targets)), str(len(inside))]
    assert plain[:4] == [
        "large=5x5",
        "mini:large=5x5",
        "width=0.1:0.4:0.025; kernel_7x7=7x7,1x7+7x1; modules_12=1:3",
        "multiply_adds within 40% of 2e6",
    ]
    assert [row[6:] for row in (plain, pair)] == [["4", "4", "0"], ["4", "3", "1"]]


def test_a_space_whose_name_has_all_its_axes_goes_by_its_target() -> None:
    made = sample()
    long = [replace(each, name=f"{each.target} width=0.1:0.4:0.025 kernel_7x7") for each in made.spaces]
    made = replace(made, spaces=(replace(long[0], vary={**long[0].vary, "small": "*"}), long[1]))
    names = ["mini:large=5x5", "mini:large=3x3+3x3"]
    assert [row[0] for row in shown(spaces_table(made))] == names
    assert [row[0] for row in shown(errors_table(made))] == names
    assert shown(spaces_table(made))[0][2].endswith("; modules_12=1:3; small")
    alike = replace(made, spaces=(long[0], replace(long[0], name="narrow ones")))
    assert [row[0] for row in shown(spaces_table(alike))] == [long[0].name, "narrow ones"]


def test_errors_and_the_test_by_hand() -> None:
    assert [row[1:] for row in shown(errors_table(sample()))] == [
        ["4", "25.00", "26.50", "26.50", "28.00", "4 of 4"],
        ["3", "38.00", "39.00", "39.00", "40.00", "0 of 3"],
    ]
    table = comparison_table(sample())
    (row,) = shown(table)
    # Two of the 35 ways to choose four of seven errors keep them apart: p = 0.0571, which tells nothing.
    assert row[2:9] == ["4 and 3", "1.000", "28.00", "100.0% and 0.0%", "0.0571", "none", "4"]
    assert row[9] == "-12.50"
    assert row[11] == "not distinguishable"
    assert "Members without a result are left out" in str(table.notes[-1])
    assert "stood in more than one sample" not in str(table.notes[-1])
    assert "That does not plan for a true gap" in str(table.notes)
    apart = of_spaces(LOW, (0.60, 0.61, 0.62, 0.63))
    (row,) = shown(comparison_table(apart))
    # 2 of 70 ways. The means differ by 12 points, both variances are 5/3: Welch's freedom is that of equal
    # ones, 6, and 2.446912 * sqrt(2 * 5 / 3 / 4) = 2.2337.
    assert row[2:9] == ["4 and 4", "1.000", "28.00", "100.0% and 0.0%", "0.0286", "1.000", "-"]
    assert "That does not plan for a true gap" not in str(comparison_table(apart).notes)
    assert row[9:] == ["-12.00", "-14.24 to -9.76", "large=5x5 has the lower errors"]


@pytest.mark.parametrize("swapped", [False, True])
def test_a_verdict_can_go_either_way_or_fail(swapped: bool) -> None:
    def found(first: list[float], second: list[float]) -> str:
        pair = (second, first) if swapped else (first, second)
        return verdict(("b", "a") if swapped else ("a", "b"), compare_errors(*pair, 1000))

    low, high = [0.20 + 0.01 * i for i in range(5)], [0.40 + 0.01 * i for i in range(5)]
    assert found(low, high) == "a has the lower errors"
    assert found(high, low) == "b has the lower errors"
    assert found(low, low) == ALIKE
    assert found(low[:3], high[:3]) == ALIKE  # 2 of 20 ways
    # Most of the first are lower, and those that are not are so bad that its mean is higher.
    assert found([*low, *low, *low, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9], [0.25] * 20) == CROSSING


def test_several_pairs_are_named_with_what_chance_would_give() -> None:
    made = of_spaces(LOW, HIGH, LOW, targets=(PLAIN, "mini:large=3x3+3x3", "mini:small=1x3+3x1"))
    table = comparison_table(made)
    assert [row[:2] for row in shown(table)] == [
        ["large=5x5", "large=3x3+3x3"],
        ["large=5x5", "small=1x3+3x1"],
        ["large=3x3+3x3", "small=1x3+3x1"],
    ]
    level = "if nothing differed at all, 0.05 x 3 = 0.15 verdicts of a difference at most would be expected"
    assert f"3 comparisons at 95% each: {level}" in str(table.notes)
    assert "would be expected by chance" not in str(comparison_table(sample()).notes)
    assert "Drawn with one seed, the samples of large=5x5 and large=3x3+3x3, of large" in str(table.notes)
    apart = replace(made, spaces=tuple(replace(each, seed=i) for i, each in enumerate(made.spaces)))
    assert "Drawn with one seed" not in str(comparison_table(apart).notes)
    alone = space_page(of_spaces(LOW), "x", "")
    assert "Spaces compared" not in alone.text
    assert "4 members of 1 design space of" in alone.summary


def test_what_the_test_takes_for_granted_and_does_not_hold_is_said() -> None:
    made = of_spaces(LOW, LOW, targets=(PLAIN, PLAIN))
    said = str(comparison_table(made).notes[-1])
    assert "4 members stood in more than one sample, of which the test knows nothing." in said
    whole = replace(made.spaces[0], name="the whole", among=4)
    said = str(comparison_table(replace(made, spaces=(whole, made.spaces[1]))).notes[-1])
    assert "Of the whole every member that there is was trained." in said


@pytest.mark.parametrize(
    ("p", "text"),
    [(1.0, "1"), (2 / 70, "0.0286"), (0.049999, "0.049999"), (0.05, "0.05"), (1e-12, "below 1e-09")],
)
def test_a_probability_is_never_rounded_across_what_decides(p: float, text: str) -> None:
    assert probability(p) == text


def test_the_front_and_what_was_trained_beside_it() -> None:
    page = space_page(sample(), "x", "")
    best = min(
        (member for member in members_of(sample()) if member.error is not None),
        key=lambda member: (member.error, member.multiply_adds),
    )
    *_, last = shown(front_table(sample()))
    assert last == [
        best.target,
        "large=5x5",
        f"{best.multiply_adds:,}",
        f"{best.parameters:,}",
        "25.00",
    ]
    first, other = rows(page, "What was trained beside")
    assert [first[0], first[4], other[0], other[4]] == [BASELINE, "30.00", "7x7", "35.00"]
    assert "has an error of 30.00% with" in page.text
    assert "--input 3x32x32" in page.text
    assert "the noise of training is not known from this record" in page.text


def test_noise_is_pooled_over_the_seeds() -> None:
    made = sample()
    again = tuple(
        replace(trial(each.arm, 1, each.top_1 + (0.02 if each.arm == BASELINE else 0.04)), seed=1)
        for each in made.trials
        if each.top_1 is not None and each.arm in (BASELINE, made.spaces[0].drawn[0])
    )
    page = space_page(replace(made, seeds=2, trials=(*made.trials, *again)), "x", "")
    # Two values that are 2 and 4 points apart have variances of 2 and 8: sqrt((2 + 8) / 2).
    assert "a standard deviation of 2.24 points, pooled over 2 networks" in page.text
    assert "31.00" not in [row[4] for row in rows(page, "What was trained beside")]
    assert rows(page, "What was trained beside")[0][4] == "29.00"
    assert "on 2 seeds each, of which the mean is taken" in page.text


def test_all_members_by_error() -> None:
    found = shown(members_table(sample(), "runs/x.json"))
    assert [row[4] for row in found] == ["25.00", "26.00", "27.00", "28.00", "38.00", "39.00", "40.00", "-"]
    assert found[0][5:] == ["75.00", "1.1000", "1 of 1"]
    assert found[-1][5:] == ["-", "-", "0 of 1"]
    assert [row[1] for row in found] == ["large=5x5"] * 4 + ["large=3x3+3x3"] * 4


def test_of_very_many_members_the_best_are_shown_and_the_others_said_to_be_in_the_record() -> None:
    made = of_spaces([0.5 + 0.001 * i for i in range(4)], LOW)
    first = made.arms[-1]
    more = [replace(first, label=f"member {i}") for i in range(100)]
    spaces = (made.spaces[0], replace(made.spaces[1], drawn=tuple(each.label for each in more)))
    trials = (*made.trials[:5], *(trial(each.label, 0, 0.3 + 0.002 * i) for i, each in enumerate(more)))
    made = replace(made, arms=(*made.arms[:5], *more), spaces=spaces, trials=trials)
    table = members_table(made, "runs/x.json")
    assert table.title == f"The {MOST_ROWS} members with the smallest errors, of 104"
    found = shown(table)
    assert len(found) == MOST_ROWS
    errors = [float(row[4]) for row in found]
    assert errors == sorted(errors)
    assert errors[:5] == [49.7, 49.8, 49.9, 50.0, 50.2]
    assert "The other 44 stand in the record, runs/x.json, under arms and trials." in table.notes


def test_runs_without_results() -> None:
    failed = of_spaces((None, None), (None, None), baseline=(None,))
    page = space_page(failed, "x", "")
    assert "No member came to a result." in page.text
    assert page.pictures == ()
    assert len(page.problems) == 5
    one = of_spaces((0.5, 0.6), (None, None), baseline=(None,))
    page = space_page(one, "x", "")
    assert rows(page, "Spaces compared")[0][2:] == [
        "2 and 0",
        *["-"] * 4,
        "none",
        *["-"] * 3,
        "too few results",
    ]
    assert rows(page, "Top-1 errors")[1][1:] == ["0", "-", "-", "-", "-", "-"]
    assert "is without a result." in page.text


def test_the_page_of_the_users_run_and_the_document_are_of_the_spaces() -> None:
    (page,) = page_of_run(sample())
    assert "The other" not in page.text
    assert "## The spaces" in page.text
    html = pages_document([page], by_digest)
    assert html.count("digest:") == 2
    assert "large=3x3+3x3" in html


def test_the_index_shows_the_errors_of_the_spaces() -> None:
    listed = space_page(sample(), "trained_spaces", "results.json")
    index = index_page([listed], count("mini:width=0.25", (3, 32, 32)), [])
    assert re.findall(r"\]\((\w+\.png)\)", index.text) == ["trained_spaces_errors.png"]

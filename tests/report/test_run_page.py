"""The page of a training run: its numbers by hand, its pictures as drawn, and records that lack much."""

import re
from dataclasses import replace
from math import inf

import pytest

from costlab.report.page import Page
from costlab.report.pages.run import training_page
from costlab.report.pages.run_parts import recounted
from costlab.report.pictures.step_time import StepSaving, step_savings
from costlab.report.pictures.trained_accuracy import accuracies_of
from costlab.report.tables.run import accuracy_table, settings_table, step_time_table
from costlab.report.tables.run_claims import claims_table, points, span
from costlab.train.experiment import Expectation
from costlab.train.statistics import Interval
from tests.train.records import (
    CPU,
    HALF,
    PAIR,
    PLAIN,
    arm,
    many,
    run,
    sample,
    timing,
)


def rows(page: Page, title: str) -> list[list[str]]:
    """The cells of the table of that title, without its head."""
    lines = page.text.partition(f"**{title}")[2].split("\n")[4:]
    found = []
    for line in lines:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def test_what_the_page_says_in_a_sentence() -> None:
    page = training_page(sample(), "kernels")
    assert page.title == "Trained on generated images: Kernels of figure 5"
    assert page.summary == (
        "3 variants of mini, a reduced Inception v3, were trained for 3 epochs on 3 seeds each on cpu, with "
        "4,000 images (shapes) of 48x48 pixels in 10 classes; 8 of 9 trainings came to a result. The images "
        "are generated images, not photographs."
    )
    real = replace(sample(), data=replace(sample().data, synthetic=False))
    assert "photographs" not in training_page(real, "kernels").text
    headings = re.findall(r"^## .*$", page.text, re.MULTILINE)
    assert headings == [
        "## How it was made",
        "## What was learned",
        "## What a training step takes",
        "## What is claimed",
        "## What failed",
        "## At full scale",
    ]
    assert [each.name for each in page.pictures] == ["kernels_accuracy", "kernels_curves", "kernels_steps"]


def test_how_it_was_made() -> None:
    made = sample()
    timed = made.arms[0].timing
    assert timed is not None
    gpu = replace(
        timed, environment=replace(CPU, device="a GPU", driver="CUDA 13", threads=4, workers=1, compiled=True)
    )
    made = replace(made, arms=(replace(made.arms[0], timing=gpu), *made.arms[1:]))
    values = dict(settings_table(made).rows)
    assert values["images"] == "shapes: drawn shapes in ten classes"
    assert values["digest"] == "f" * 12
    settings = values["recipe, the same for all"].split(", ")
    assert settings[:2] == ["optimizer=rmsprop", "learning_rate=0.045"]
    assert {name: value for name, _, value in (each.partition("=") for each in settings)} == {
        name: str(value) for name, value in made.recipe.items()
    }
    assert values["settings of their own"] == "3x3+3x3: label_smoothing=0.0"
    assert [value for what, value in settings_table(made).rows if what == "ran on"] == [
        "cpu, torch 2.11.0, Python 3.11.7, Linux x86_64, float32, 1 thread in each of 2 workers, code at "
        "0123abc: 9 trainings and 2 timings",
        "a GPU, CUDA 13, torch 2.11.0, Python 3.11.7, Linux x86_64, float32, 4 threads, compiled, code at "
        "0123abc: 1 timing",
    ]
    fast = replace(made.trials[0], environment=replace(CPU, kernels=True))
    ran_on = [value for what, value in settings_table(replace(made, trials=(fast,))).rows if what == "ran on"]
    assert ", 1 thread in each of 2 workers, kernels of costlab[fast], code at" in str(ran_on[0])
    assert any("cannot be compared" in str(note) for note in step_time_table(made).notes)
    assert not any("cannot be compared" in str(note) for note in step_time_table(sample()).notes)
    sgd = replace(made, recipe={**made.recipe, "optimizer": "sgd"})
    assert ", decay=" not in dict(settings_table(sgd).rows)["recipe, the same for all"]


def test_what_was_learned_by_hand() -> None:
    page = training_page(sample(), "kernels")
    plain, pair, half = rows(page, "Cost and accuracy")
    # 0.70, 0.72, 0.71: the deviation is 0.01, so that 4.30265 * 0.01 / sqrt(3) = 0.024841 to either side.
    assert plain[4:] == ["71.00", "68.51 to 73.49", "-", "-", "3 of 3"]
    # +1, -1 and +3 points: 1 ± 4.30265 * 2 / sqrt(3).
    assert pair[4] == "72.00"
    assert pair[6:] == ["+1.00", "-3.97 to +5.97", "3 of 3"]
    # The last training failed: -10 and -12 are left, 11 ± 12.7062 * sqrt(2) / sqrt(2).
    assert half[4:] == ["60.00", "59.74 to 60.26", "-11.00", "-23.71 to +1.71", "2 of 3"]
    sizes = [int(row[1].replace(",", "")) for row in (plain, pair, half)]
    # Of the 24x24 module, 4 channels in and out: 25 weights for 18 each.
    assert sizes[0] - sizes[1] == (25 - 18) * 4 * 4 * 24 * 24
    savings = {each[0]: each[2] for each in accuracy_table(sample()).rows}
    assert savings == {
        PLAIN: None,
        PAIR: pytest.approx(1 - sizes[1] / sizes[0]),
        HALF: pytest.approx(1 - sizes[2] / sizes[0]),
    }
    assert "2 differences at 95% each: if nothing differed at all, 0.05 x 2 = 0.10 intervals" in page.text


def test_auxiliary_heads_are_in_the_parameters_and_not_in_the_multiply_adds() -> None:
    with_head, without = arm("a", "mini:width=0.25,aux=bn"), arm("a", "mini:width=0.25")
    assert with_head.multiply_adds == without.multiply_adds
    # 1x1: 32*8 weights, 3x3 without padding: 9*8*32, both with a scale and a shift; linear: 32*10 + 10.
    assert with_head.parameters - without.parameters == 32 * 8 + 16 + 9 * 8 * 32 + 64 + 32 * 10 + 10
    assert recounted(run([with_head, without], {})) == ()


def test_what_a_step_takes_by_hand() -> None:
    page = training_page(sample(), "kernels")
    plain, pair, half = rows(page, "Time of a step")
    step = sample().arms[0].step_multiply_adds
    assert plain[1:4] == ["100.0", "90.0 to 120.0", "-"]
    assert plain[4] == f"{step:,}"
    assert plain[5:] == ["-", "640", f"{step * 640 / 1e9:.2f} G", "200"]
    assert pair[3] == "5.0%"
    assert half[3] == "40.0%"
    # 0.06 s is 40% less than 0.1 s; its quartiles 0.072 s and 0.054 s are 28% and 46% less.
    counted = 1 - sample().arms[2].step_multiply_adds / step
    savings = f"{HALF}: {counted:.1%} fewer multiply-adds, 40.0% less time"
    assert f"* {savings} (the middle half of its steps: 28.0% less to 46.0% less)" in page.text
    assert step_savings(sample()).arms[1] == StepSaving(HALF, round(counted, 6), 0.4, 0.28, 0.46)


def test_batches_of_several_sizes_are_compared_by_the_image() -> None:
    first, other = arm("a", "mini:width=0.25"), arm("b", "mini:width=0.25")
    arms = [replace(first, timing=timing(0.1, 64)), replace(other, timing=timing(0.1, 128, memory=None))]
    made = run(arms, {})
    assert step_savings(made).arms == (StepSaving("b", 0.0, 0.5, 0.4, 0.55),)
    page = training_page(made, "x")
    assert rows(page, "Time of a step")[1][3] == "50.0%"
    assert rows(page, "Time of a step")[1][8] == "-"
    assert "steps of 64 or 128 images" in page.text
    assert "as many multiply-adds, 50.0% less time" in page.text


def test_claims_by_hand() -> None:
    table = claims_table(sample())
    first, second = (table.record(row) for row in table.rows)
    assert (first["better"], first["worse"]) == (PAIR, PLAIN)
    assert (first["difference"], first["interval"]) == ("+1.00", "-3.97 to +5.97")
    assert first["verdict"] == second["verdict"] == "not distinguishable"
    # 100 * 0.0396827 and 0.0596827, rounded up: less than that is not excluded.
    assert first["excluded"] == "a loss of more than 3.97 points and a gain of more than 5.97 points"
    assert "2 claims at 95% each: if nothing differed at all, 0.05 x 2 = 0.10 verdicts" in str(table.notes)
    assert "Verdicts are about these networks, at this scale, trained on these images" in str(table.notes)


@pytest.mark.parametrize(
    ("better", "verdict", "excluded"),
    [
        ((0.9, 0.91), "same direction", ""),
        ((0.1, 0.11), "opposite", ""),
        # 12.7062 / sqrt(2) * 1 / (sqrt(6) * 1000): accuracies are known to one of 1,000 images.
        (
            (0.5, 0.51),
            "not distinguishable",
            "a loss of more than 0.37 points and a gain of more than 0.37 points",
        ),
        ((0.5,), "not distinguishable", "nothing: too few seeds for an interval"),
        (
            (0.45, 0.56),
            "not distinguishable",
            "a loss of more than 63.54 points and a gain of more than 63.54 points",
        ),
        ((0.3, 0.71), "not distinguishable", "nothing"),  # it may be 254 points in either direction
    ],
)
def test_what_is_excluded(better: tuple[float, ...], verdict: str, excluded: str) -> None:
    made = run(
        [arm("a", "mini:width=0.25")], {"a": better, "b": (0.5, 0.51)}, [Expectation("", "a", "b", "", "")]
    )
    table = claims_table(made)
    (found,) = map(table.record, table.rows)
    assert (found["verdict"], found["excluded"]) == (verdict, excluded)
    assert ("1 claim at 95% each" in str(table.notes)) == (len(better) > 1)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (-0.01234, 0.02341, "-1.24 to +2.35"),
        (0.00001, 0.5, "+0.001 to +50.000"),  # it does not reach 0
        (-0.5, -0.000001, "-50.0000 to -0.0001"),
        (0.0, 0.01, "0.00 to +1.00"),
        (-0.01, 0.29, "-1.00 to +29.00"),  # 100 * 0.29 is 28.999999999999996
        (-inf, inf, None),
    ],
)
def test_intervals_are_rounded_outward_but_never_onto_0(low: float, high: float, text: str | None) -> None:
    assert span(Interval(0.0, low, high, 1 if text is None else 2)) == text


def test_points_have_a_sign() -> None:
    assert [points(each) for each in (0.01234, -0.01, 0.0, -1e-9)] == ["+1.23", "-1.00", "0.00", "0.00"]


def test_failures_and_what_is_missing_are_problems_and_said() -> None:
    made = sample()
    page = training_page(replace(made, trials=made.trials[1:]), "kernels")
    failed = f"{HALF}, seed 2: the loss is nan in epoch 1"
    assert page.problems == (failed,)
    assert f"\n* {failed}\n" in page.text
    assert "Trainings that the record does not have: 1." in page.text
    whole = run(made.arms, {PLAIN: (0.5,), PAIR: (0.6,), HALF: (0.7,)})
    assert "## What failed" not in training_page(whole, "x").text


def test_counts_that_are_not_what_the_definitions_give_are_problems() -> None:
    made = sample()
    first, second, third = made.arms
    altered = (
        replace(first, multiply_adds=first.multiply_adds + 1),
        replace(second, parameters=7),
        replace(third, network="mini:depth=3"),
    )
    lines = recounted(replace(made, arms=altered))
    assert lines[0] == (
        f"{PLAIN}: multiply-adds are recorded as {first.multiply_adds + 1:,}, and {first.network} has "
        f"{first.multiply_adds:,}"
    )
    assert lines[1].startswith(f"{PAIR}: parameters are recorded as 7, and ")
    assert lines[2].startswith(f"{HALF}: cannot be counted anew: mini has no parameter 'depth'")
    assert len(lines) == 3
    page = training_page(replace(made, arms=altered), "x")
    assert page.problems[1:] == lines
    assert "something is not as recorded" in page.text
    theirs = replace(first, network="nets.py:mine", multiply_adds=3)
    page = training_page(replace(made, arms=(theirs, second, third)), "x")
    assert len(page.problems) == 1
    assert "2 of 3 variants, all as recorded. Those of no definition that comes" in page.text
    assert "3 variants were trained" in page.summary


def test_a_single_seed_has_no_intervals() -> None:
    made = many(seeds=1)
    page = training_page(made, "x")
    assert all(row[5] == row[7] == "-" for row in rows(page, "Cost and accuracy"))
    assert all(row[6:8] == ["-", "not distinguishable"] for row in rows(page, "Claims and verdicts"))
    assert "would be expected by chance" not in page.text
    assert all(each.low is None for each in accuracies_of(made).arms)


def test_without_timings_there_is_no_word_of_time() -> None:
    page = training_page(many(timed=False), "x")
    assert "What a training step takes" not in page.text
    assert [each.name for each in page.pictures] == ["x_accuracy", "x_curves"]


def test_an_arm_or_the_baseline_that_was_not_timed() -> None:
    made = sample()
    first, second, third = made.arms
    page = training_page(replace(made, arms=(first, replace(second, timing=None), third)), "x")
    assert [row[1] for row in rows(page, "Time of a step")] == ["100.0", "-", "60.0"]
    assert [each.label for each in page.pictures[2].data.arms] == [HALF]
    page = training_page(replace(made, arms=(replace(first, timing=None), second, third)), "x")
    assert [row[3] for row in rows(page, "Time of a step")] == ["-", "-", "-"]
    assert len(page.pictures) == 2


def test_against_a_baseline_that_failed_there_is_no_difference() -> None:
    made = run(sample().arms, {PLAIN: (None, None), PAIR: (0.5, 0.6), HALF: (0.4, 0.4)})
    assert all(row[6] == "-" for row in rows(training_page(made, "x"), "Cost and accuracy"))


def test_names_are_kept_from_markdown() -> None:
    made = sample()
    bad = "_a_|<b>[c](d)"
    arms = (replace(made.arms[0], label=bad), *made.arms[1:])
    page = training_page(
        replace(made, title=bad, arms=arms, trials=(replace(made.trials[-1], arm=bad),)), "x"
    )
    assert page.text.split("\n")[2] == r"# Trained on generated images: \_a\_\|\<b>\[c](d)"
    assert "<b>" not in page.text.replace(r"\<b>", "")

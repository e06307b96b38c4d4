"""The page of a training run, computed from its record alone."""

from collections.abc import Iterator

from costlab.report.cell import plural
from costlab.report.page import Page, Part, page
from costlab.report.pages.run_parts import (
    GENERATED,
    at_full_scale,
    claims_parts,
    failed_trainings,
    failures,
    for_epochs,
    listed,
    of_what,
    on_devices,
    recounted,
    recounted_paragraph,
    results_in_words,
    sizes_in_words,
)
from costlab.report.pictures.learning_curves import curves_picture
from costlab.report.pictures.step_time import StepSavings, step_picture
from costlab.report.pictures.trained_accuracy import accuracy_picture
from costlab.report.table import inline
from costlab.report.tables.run import accuracy_table, settings_table, step_time_table
from costlab.report.trained_on import page_title
from costlab.train.record import Run


def training_page(run: Run, name: str, target: str = "") -> Page:
    """The settings of a run, accuracies, times of steps, and verdicts on the claims.

    ``target`` is that of the command, for a page outside of the evidence. Problems are trainings that failed,
    and counts that differ from those of the definitions.
    """
    failed, moved = failed_trainings(run), recounted(run)
    return page(
        name,
        page_title(run),
        _summary(run),
        (
            "## How it was made",
            settings_table(run),
            "## What was learned",
            accuracy_table(run),
            recounted_paragraph(run, moved),
            *_accuracies(run, name),
            *_times(run, name),
            *claims_parts(run),
            *failures(run, failed),
            *at_full_scale(run),
        ),
        (*failed, *moved),
        target,
    )


def _summary(run: Run) -> str:
    variants, each = len(run.arms), " each" if len(run.arms) > 1 else ""
    return (
        f"{plural(variants, 'variant')}{of_what(run)} {'were' if each else 'was'} trained"
        f"{for_epochs(run)} on {plural(run.seeds, 'seed')}{each}{on_devices(run)}, with "
        f"{plural(run.data.train, 'image')} ({inline(run.data.name)}) of {sizes_in_words(run)} in "
        f"{plural(run.data.classes, 'class')}; {results_in_words(run)}."
        f"{f' {GENERATED}' if run.data.synthetic else ''}"
    )


def _accuracies(run: Run, name: str) -> Iterator[Part]:
    if not any(trial.top_1 is not None for trial in run.trials):
        yield "No training came to a result."
        return
    yield accuracy_picture(run, name)
    if any(trial.failure for trial in run.trials):
        yield "Trainings that failed are left out of every mean and every curve."
    yield curves_picture(run, name)


def _times(run: Run, name: str) -> Iterator[Part]:
    if not any(arm.timing for arm in run.arms):
        yield "No step was timed."
        return
    yield "## What a training step takes"
    yield step_time_table(run)
    picture = step_picture(run, name)
    if picture.data.arms:
        yield picture
        yield _savings_list(picture.data)


def _savings_list(data: StepSavings) -> str:
    """The savings of each arm, in words."""
    lines = (
        f"{arm.label}: {_less(arm.multiply_adds, 'fewer', 'as many')} multiply-adds, {_less(arm.time)} time "
        f"(the middle half of its steps: {_less(arm.low)} to {_less(arm.high)})"
        for arm in data.arms
    )
    return f"Against {inline(data.baseline)}, for one image:\n\n{listed(lines)}"


def _less(part: float, less: str = "less", same: str = "as much") -> str:
    digits = f"{abs(part):.1%}"
    return same if float(digits[:-1]) == 0 else f"{digits} {less if part > 0 else 'more'}"

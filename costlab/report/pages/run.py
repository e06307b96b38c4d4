"""The page of a training run, computed from its record alone."""

import re
from collections.abc import Iterator

from costlab.counting.count import count
from costlab.errors import CostlabError
from costlab.report.cell import plural
from costlab.report.page import Page, Part, page
from costlab.report.pictures.learning_curves import curves_picture
from costlab.report.pictures.step_time import StepSavings, step_picture
from costlab.report.pictures.trained_accuracy import accuracy_picture
from costlab.report.table import inline
from costlab.report.tables.run import accuracy_table, settings_table, step_time_table
from costlab.report.tables.run_claims import claims_table
from costlab.targets.catalog import is_shipped, lookup
from costlab.train.record import ArmRecord, Run, TrialResult

FULL = "full"
"""The preset that is the whole experiment."""
FULL_SEEDS = 5
REDUCED = "mini"
GENERATED = "The images are generated images, not photographs."


def training_page(run: Run, name: str, target: str = "") -> Page:
    """The settings of a run, accuracies, times of steps, and verdicts on the claims.

    ``target`` is that of the command, for a page outside of the evidence. Problems are trainings that failed,
    and counts that differ from those of the definitions.
    """
    failed = [f"{_trial_name(trial)}: {trial.failure}" for trial in run.trials if trial.failure]
    moved = recounted(run)
    return page(
        name,
        run.title,
        _summary(run),
        (
            "## How it was made",
            settings_table(run),
            "## What was learned",
            accuracy_table(run),
            _recounted_paragraph(run, moved),
            *_accuracies(run, name),
            *_times(run, name),
            *_claims(run),
            *_failures(run, failed),
            *_at_full_scale(run),
        ),
        (*failed, *moved),
        target,
    )


def recounted(run: Run) -> tuple[str, ...]:
    """Count the arms again that are definitions of costlab: a line for each number that differs.

    Multiply-adds are those in inference, parameters those in training.
    """
    return tuple(line for arm in run.arms if _is_shipped(arm) for line in _differences(arm))


def _differences(arm: ArmRecord) -> Iterator[str]:
    try:
        counted = count(arm.network, (3, arm.side, arm.side))
        sizes = (counted.inference.multiply_adds, counted.parameters)
    except CostlabError as error:
        yield f"{arm.label}: cannot be counted anew: {error}"
        return
    recorded = (arm.multiply_adds, arm.parameters)
    for quantity, size, before in zip(("multiply-adds", "parameters"), sizes, recorded, strict=True):
        if size != before:
            yield f"{arm.label}: {quantity} are recorded as {before:,}, and {arm.network} has {size:,}"


def _is_shipped(arm: ArmRecord) -> bool:
    try:
        return is_shipped(lookup(arm.network.partition(":")[0]))
    except CostlabError:
        return False


def _summary(run: Run) -> str:
    names = {arm.network.partition(":")[0] for arm in run.arms}
    of = ""
    if len(names) == 1:
        reduced = ", a reduced Inception v3" if names == {REDUCED} else ""
        of = f" of {inline(min(names))}{reduced},"
    done = sum(trial.top_1 is not None for trial in run.trials)
    planned = len(run.arms) * run.seeds
    results = f"all {planned} trainings" if done == planned else f"{done} of {planned} trainings"
    devices = inline(" and ".join(dict.fromkeys(trial.environment.device for trial in run.trials)))
    same = "epochs" in run.recipe and not any("epochs" in arm.recipe for arm in run.arms)
    epochs = f" for {plural(run.recipe['epochs'], 'epoch')}" if same else ""
    return (
        f"{len(run.arms)} variants{of} were trained{epochs} on {plural(run.seeds, 'seed')} each"
        f"{f' on {devices}' if devices else ''}, with {run.data.train:,} images "
        f"({inline(run.data.name)}) in {run.data.classes:,} classes; {results} came to a result."
        f"{f' {GENERATED}' if run.data.synthetic else ''}"
    )


def _recounted_paragraph(run: Run, moved: tuple[str, ...]) -> str:
    """The result of counting again, in a paragraph."""
    if moved:
        return "Counted anew for this page, something is not as recorded:\n\n" + _listed(moved)
    number, every = sum(map(_is_shipped, run.arms)), len(run.arms)
    sentences = []
    if number:
        sentences.append(
            f"Counted anew for this page from the definitions: {number} of {every} variants, all as recorded."
        )
    if number < every:
        sentences.append("Those of no definition that comes with costlab stand as recorded.")
    return " ".join(sentences)


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
    return f"Against {inline(data.baseline)}, for one image:\n\n{_listed(lines)}"


def _less(part: float, less: str = "less", same: str = "as much") -> str:
    digits = f"{abs(part):.1%}"
    return same if float(digits[:-1]) == 0 else f"{digits} {less if part > 0 else 'more'}"


def _claims(run: Run) -> Iterator[Part]:
    if run.claims:
        yield "## What is claimed"
        yield claims_table(run)


def _failures(run: Run, failed: list[str]) -> Iterator[Part]:
    save_plan = {(trial.arm, trial.seed) for trial in run.trials}
    missing = len(run.arms) * run.seeds - len(save_plan)
    if not failed and missing <= 0:
        return
    yield "## What failed"
    if failed:
        yield _listed(failed)
    if missing > 0:
        yield f"Trainings that the record does not have: {missing}."


def _at_full_scale(run: Run) -> Iterator[Part]:
    if run.preset == FULL:
        return
    yield "## At full scale"
    yield f"This run was of preset {inline(run.preset)}. On a GPU, the full one is made, with its page, by:"
    ablation = re.sub(r" --(preset|seeds|width|images|set) ('[^']*'|\S+)", "", run.command)
    command = f"{ablation} --preset {FULL} --seeds {FULL_SEEDS} --device cuda"
    yield f"```\n{command}\n```"


def _listed(lines: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    return "\n".join(f"* {inline(line)}" for line in lines)


def _trial_name(trial: TrialResult) -> str:
    return f"{trial.arm}, seed {trial.seed}"

"""The page of a training run, computed from its record alone."""

import re
from collections.abc import Container, Iterable, Iterator
from shlex import join

from costlab.counting.count import count
from costlab.errors import CostlabError
from costlab.report.cell import plural
from costlab.report.page import Page, Part, page
from costlab.report.pictures.learning_curves import curves_picture
from costlab.report.pictures.step_time import StepSavings, step_picture
from costlab.report.pictures.trained_accuracy import accuracy_picture
from costlab.report.table import inline
from costlab.report.tables.run import (
    accuracy_table,
    set_by_user,
    settings_table,
    size_of,
    step_time_table,
    words_of,
)
from costlab.report.tables.run_claims import claims_table
from costlab.report.tables.run_prospects import prospects_table
from costlab.report.trained_on import page_title
from costlab.targets.catalog import is_shipped, lookup
from costlab.targets.resolve import IN_FILE, IN_MODULE
from costlab.train.plan import PRESETS
from costlab.train.record import ArmRecord, Run, TrialResult

FULL = "full"
"""The preset that is the whole experiment."""
FULL_SEEDS = 5
SCALES = ("--preset", "--seeds", "--width", "--images")
"""The options that make a run a small one."""
REDUCED = "mini"
CLAIMED = "What is claimed"
CLAIMED_ANCHOR = "what-is-claimed"
"""The heading above the verdicts on claims, and where a link finds it."""
SIDES = 3
"""The most sizes of images that are named one by one."""
GENERATED = "The images are generated images, not photographs."


def training_page(run: Run, name: str, target: str = "") -> Page:
    """The settings of a run, accuracies, times of steps, and verdicts on the claims.

    ``target`` is that of the command, for a page outside of the evidence. Problems are trainings that failed,
    and counts that differ from those of the definitions.
    """
    failed = [f"{trial_name(trial)}: {trial.failure}" for trial in run.trials if trial.failure]
    moved = recounted(run)
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


def recounted(run: Run) -> tuple[str, ...]:
    """Count the arms again that are definitions of costlab: a line for each number that differs.

    Multiply-adds are those in inference, parameters those in training.
    """
    return tuple(line for arm in run.arms if is_of_costlab(arm.network) for line in _differences(arm))


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


def is_of_costlab(target: str) -> bool:
    """Whether a target is of a definition that comes with costlab."""
    try:
        return is_shipped(lookup(target.partition(":")[0]))
    except CostlabError:
        return False


def _summary(run: Run) -> str:
    variants, each = len(run.arms), " each" if len(run.arms) > 1 else ""
    return (
        f"{plural(variants, 'variant')}{of_what(run)} {'were' if each else 'was'} trained"
        f"{for_epochs(run)} on {plural(run.seeds, 'seed')}{each}{on_devices(run)}, with "
        f"{plural(run.data.train, 'image')} ({inline(run.data.name)}) of {sizes_in_words(run)} in "
        f"{plural(run.data.classes, 'class')}; {results_in_words(run)}."
        f"{f' {GENERATED}' if run.data.synthetic else ''}"
    )


def for_epochs(run: Run) -> str:
    """For how many epochs all arms were trained, in words; empty where they differ."""
    same = "epochs" in run.recipe and not any("epochs" in arm.recipe for arm in run.arms)
    return f" for {plural(run.recipe['epochs'], 'epoch')}" if same else ""


def on_devices(run: Run) -> str:
    """What the trials ran on, in words; empty where there are none."""
    devices = inline(" and ".join(dict.fromkeys(trial.environment.device for trial in run.trials)))
    return f" on {devices}" if devices else ""


def of_what(run: Run) -> str:
    """The definition that all arms are variants of, if there is one."""
    names = {_definition(arm) for arm in run.arms}
    if len(names) > 1:
        return ""
    return f" of {inline(min(names))}{', a reduced Inception v3,' if names == {REDUCED} else ''}"


def _definition(arm: ArmRecord) -> str:
    """The target of an arm without its settings."""
    named = re.fullmatch(IN_FILE, arm.network) or re.fullmatch(IN_MODULE, arm.network)
    return f"{named['source']}:{named['attribute']}" if named else arm.network.partition(":")[0]


def sizes_in_words(run: Run) -> str:
    """The sizes of the images as they were trained: at most three, or the ends."""
    sides = sorted({arm.side for arm in run.arms})
    sizes = [f"{side}x{side}" for side in sides[:-1]]
    between = ", ".join(sizes) + " or " if len(sides) <= SIDES else f"{sizes[0]} to "
    return f"{between if sizes else ''}{size_of(sides[-1])}"


def results_in_words(run: Run) -> str:
    """How many trainings came to a result, in words."""
    done = sum(trial.top_1 is not None for trial in run.trials)
    planned = len(run.arms) * run.seeds
    if planned == 1:
        return "the training came to a result" if done else "the training came to no result"
    every = "both trainings" if planned == 2 else f"all {plural(planned, 'training')}"
    return f"{every if done == planned else f'{done:,} of {planned:,} trainings'} came to a result"


def recounted_paragraph(run: Run, moved: tuple[str, ...]) -> str:
    """The result of counting again, in a paragraph."""
    if moved:
        return "Counted anew for this page, something is not as recorded:\n\n" + listed(moved)
    number, every = sum(is_of_costlab(arm.network) for arm in run.arms), len(run.arms)
    sentences = []
    if number:
        sentences.append(
            f"Counted anew for this page from the definitions: {number} of {plural(every, 'variant')}, "
            f"{'all ' if number > 1 else ''}as recorded."
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
    return f"Against {inline(data.baseline)}, for one image:\n\n{listed(lines)}"


def _less(part: float, less: str = "less", same: str = "as much") -> str:
    digits = f"{abs(part):.1%}"
    return same if float(digits[:-1]) == 0 else f"{digits} {less if part > 0 else 'more'}"


def claims_parts(run: Run) -> Iterator[Part]:
    """The verdicts on claims, if there are any."""
    if run.claims:
        yield f"## {CLAIMED}"
        yield claims_table(run)
        if (open_ones := prospects_table(run)) is not None:
            yield open_ones


def failures(run: Run, failed: list[str]) -> Iterator[Part]:
    """The trainings that failed, a line each, and how many there are none of, if any."""
    save_plan = {(trial.arm, trial.seed) for trial in run.trials}
    missing = len(run.arms) * run.seeds - len(save_plan)
    if not failed and missing <= 0:
        return
    yield "## What failed"
    if failed:
        yield listed(failed)
    if missing > 0:
        yield f"Trainings that the record does not have: {missing}."


def at_full_scale(run: Run, seeds: int = FULL_SEEDS) -> Iterator[Part]:
    """The command of the full preset on so many seeds, where this run is of another one."""
    words = words_of(run.command)
    if run.preset == FULL or words[:2] != ["costlab", "train"]:
        return
    yield "## At full scale"
    yield f"This run was of preset {inline(run.preset)}. On a GPU, the full one is made, with its page, by:"
    own = PRESETS[FULL].recipe
    yield f"```\n{join(_at_any_scale(words, own))} --preset {FULL} --seeds {seeds} --device cuda\n```"
    replaced = [setting for setting in set_by_user(run) if setting.partition("=")[0] in own]
    if replaced:
        yield f"The full preset has its own in the place of {inline(', '.join(replaced))}."


def _at_any_scale(words: Iterable[str], own: Container[str]) -> Iterator[str]:
    """A command without its scale: options of it, and settings of which the full preset has its ``own``."""
    rest = iter(words)
    for word in rest:
        if word in SCALES:
            next(rest, None)
        elif word == "--set":
            setting = next(rest, "")
            yield from () if setting.partition("=")[0] in own else (word, setting)
        else:
            yield word


def listed(lines: Iterable[str]) -> str:
    """Lines as a list of Markdown."""
    return "\n".join(f"* {inline(line)}" for line in lines)


def trial_name(trial: TrialResult) -> str:
    """A training in words."""
    return f"{trial.arm}, seed {trial.seed}"

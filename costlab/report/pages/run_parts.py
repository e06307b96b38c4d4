"""What the pages of runs have in common: runs in words, counts held against definitions, claims, failures."""

import re
from collections.abc import Container, Iterable, Iterator
from shlex import join

from costlab.counting.count import count
from costlab.errors import CostlabError
from costlab.report.cell import plural
from costlab.report.page import Part
from costlab.report.table import inline
from costlab.report.tables.run import set_by_user, size_of, words_of
from costlab.report.tables.run_claims import claims_table
from costlab.report.tables.run_prospects import prospects_table
from costlab.targets.catalog import is_shipped, lookup
from costlab.targets.resolve import IN_FILE, IN_MODULE
from costlab.train.plan import PRESETS
from costlab.train.record import ArmRecord, Run

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


def claims_parts(run: Run) -> Iterator[Part]:
    """The verdicts on claims, if there are any."""
    if run.claims:
        yield f"## {CLAIMED}"
        yield claims_table(run)
        if (open_ones := prospects_table(run)) is not None:
            yield open_ones


def failed_trainings(run: Run) -> list[str]:
    """The trainings that failed, each with the reason."""
    return [f"{trial.arm}, seed {trial.seed}: {trial.failure}" for trial in run.trials if trial.failure]


def failures(run: Run, failed: list[str]) -> Iterator[Part]:
    """The trainings that failed, a line each, and how many there are none of, if any."""
    present = {(trial.arm, trial.seed) for trial in run.trials}
    missing = len(run.arms) * run.seeds - len(present)
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

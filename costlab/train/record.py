"""The record of a run: what was trained, where, and with which results, as one file of JSON.

The page of a run is computed from this record alone.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from costlab.decode import (
    AboveZero,
    Fraction,
    Line,
    MalformedError,
    Must,
    Natural,
    NotNegative,
    Positive,
    at_least,
    decode,
    parse,
)
from costlab.errors import DefinitionError, RunError, one_line
from costlab.files import read, write
from costlab.messages import named
from costlab.train.experiment import LARGEST_SIDE, LEAST_SIDE, MOST_SIDE, NAME, Expectation, is_name
from costlab.train.recipe import Recipe
from costlab.train.space_record import SearchRecord, SpaceRecord

if TYPE_CHECKING:
    from costlab.train.plan import Plan

VERSION = 1
FILE = "results.json"
MOST_SEEDS, MOST_ARMS, MOST_MEMBERS = 10_000, 100, 1_000
"""How often an arm is trained at most, how many arms a run has, and how many members of spaces beside."""
MOST_BYTES = 2**28
"""The largest file of a record or a plan; reading one takes many times its size."""
Seeds = Annotated[int, at_least(1, MOST_SEEDS)]
ExperimentName = Annotated[str, Must(is_name, NAME)]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training images.

    ``loss`` and ``accuracy`` are means over the training images during the epoch; those of validation are of
    the averaged weights after it. ``seconds`` is the time of training without validation.
    """

    epoch: Positive
    loss: NotNegative
    accuracy: Fraction
    validation_loss: NotNegative
    validation_accuracy: Fraction
    learning_rate: NotNegative
    seconds: AboveZero
    images_per_second: AboveZero


@dataclass(frozen=True)
class Environment:
    """Where something ran; ``threads`` are those of a worker, ``revision`` is that of the code.

    ``workers`` is the number of trials side by side, ``processes`` the number of processes on each trial.
    With ``kernels`` some layers ran in those of ``costlab[fast]``, which round otherwise.
    """

    device: Line
    driver: Line
    torch: Line
    python: Line
    system: Line
    precision: Line
    threads: Positive
    workers: Positive
    compiled: bool
    revision: Line
    processes: Positive = 1
    kernels: bool = False


@dataclass(frozen=True)
class TrialResult:
    """The result of one variant with one seed; ``failure`` says in a line why there is none."""

    arm: Line
    seed: Natural
    epochs: tuple[Epoch, ...]
    environment: Environment
    failure: Line = ""

    @property
    def top_1(self) -> float | None:
        """The fraction of validation images classified correctly after the last epoch (not the best one)."""
        return None if self.failure or not self.epochs else self.epochs[-1].validation_accuracy


@dataclass(frozen=True)
class Timing:
    """The time of a training step of one batch, measured alone on the device, the arms in turns.

    ``seconds`` is the median of ``steps`` steps, ``low`` and ``high`` are the quartiles. ``memory`` is the
    peak in bytes beyond that of a process that trains nothing, None where it is unknown.
    """

    seconds: AboveZero
    low: AboveZero
    high: AboveZero
    steps: Positive
    batch_size: Positive
    memory: Natural | None
    environment: Environment


@dataclass(frozen=True)
class ArmRecord:
    """An arm as it was trained, and its counts. ``network`` is a target of `costlab count`.

    ``multiply_adds`` are those of an inference of one image; ``parameters`` and ``step_multiply_adds``, those
    of a forward and backward pass of one image, include auxiliary heads.
    """

    label: Line
    network: Line
    side: Annotated[int, at_least(LEAST_SIDE, MOST_SIDE)]
    recipe: Mapping[str, Any]
    multiply_adds: Natural
    parameters: Natural
    step_multiply_adds: Positive
    timing: Timing | None = None


@dataclass(frozen=True)
class DataRecord:
    """The images: a sentence about them, their numbers, their digest, and the side that they come with.

    Records of earlier versions have no ``side``, 0.
    """

    name: Line
    about: Line
    synthetic: bool
    classes: Positive
    train: Positive
    validation: Positive
    digest: Line
    side: Natural = 0

    @property
    def own_side(self) -> int:
        """The side that images come with; where it is not recorded, as many pixels as any arm asks for."""
        return self.side or LARGEST_SIDE


@dataclass(frozen=True)
class Run:
    """A run: its settings, its arms, of which the first is the baseline, and its trials.

    ``command`` is the one that began it, ``recipe`` the settings that all arms share. With ``spaces`` some
    arms are members of design spaces, chosen by ``search`` if there is one.
    """

    name: ExperimentName
    title: Line
    preset: Line
    command: Line
    recipe: Mapping[str, Any]
    data: DataRecord
    seeds: Seeds
    arms: tuple[ArmRecord, ...]
    claims: tuple[Expectation, ...]
    trials: tuple[TrialResult, ...]
    spaces: tuple[SpaceRecord, ...] = ()
    search: SearchRecord | None = None

    @property
    def baseline(self) -> ArmRecord:
        """The arm that the others are compared with."""
        return self.arms[0]

    def top_1(self, label: str) -> dict[int, float]:
        """The accuracies of an arm by seed, without the seeds that failed."""
        return {
            trial.seed: trial.top_1 for trial in self.trials if trial.arm == label and trial.top_1 is not None
        }

    def save(self, file: Path) -> None:
        """Write the record, replacing an older one. Raises `OutputError` if it cannot be written."""
        content = {"version": VERSION, **asdict(self)}
        lines = ",\n".join(f"{_json(name)}: {_json_lines(value)}" for name, value in content.items())
        write(file, f"{{\n{lines}\n}}\n", replace=True)


def load(file: Path) -> Run:
    """The record of a run.

    Raises:
        RunError: the file is missing, damaged, or of another version of costlab.
    """
    content = read(file, MOST_BYTES)
    if content is None:
        raise RunError(f"{file}: there is no such file; costlab train writes it when a run is done")
    try:
        data = parse(content)
        version = data.pop("version", None) if isinstance(data, dict) else VERSION
        if (type(version), version) != (int, VERSION):  # True and 1.0 are equal to it
            raise RunError(f"{file} is of another version of costlab")
        run: Run = decode(Run, data)
        refuse_inconsistent(run.arms, run.claims, run.recipe, run.spaces)
        refuse_odd_spaces(run)
        _refuse_odd_trials(run)
    except ValueError as error:
        raise RunError(f"{file} is no record of a run: {error}") from None
    return run


def refuse_inconsistent(
    arms: Sequence[ArmRecord],
    claims: Sequence[Expectation],
    recipe: Mapping[str, Any],
    spaces: Sequence[SpaceRecord] = (),
) -> None:
    """Raises `MalformedError` for arms, claims and a recipe that no experiment has."""
    labels = [arm.label for arm in arms]
    _refuse_odd_labels(labels, MOST_ARMS + MOST_MEMBERS if spaces else MOST_ARMS)
    for claim in claims:
        for label in (claim.better, claim.worse):
            if label not in labels:
                raise MalformedError(f"it has no arm {named(label)}")
    try:
        Recipe().with_settings(recipe)
        if missing := vars(Recipe()).keys() - recipe.keys():
            raise MalformedError(f"recipe: {min(missing)} is missing")
        for arm in arms:
            Recipe().with_settings(arm.recipe)
    except DefinitionError as error:
        raise MalformedError(one_line(error)) from None


def _refuse_odd_labels(labels: Sequence[str], most: int) -> None:
    """Raises `MalformedError` for too few arms, too many, or two with one label."""
    if len(labels) > most:
        raise MalformedError(f"it has {len(labels):,} arms, and a run has at most {most:,}")
    if len(set(labels)) < 2:
        raise MalformedError("it has no two arms" if labels else "it has no arms")
    for label, many in Counter(labels).items():
        if many > 1:
            raise MalformedError(f"it has two arms {named(label)}")


def refuse_odd_spaces(run: "Run | Plan") -> None:
    """Raises `MalformedError` for spaces whose members are no arms, and for a search without one space."""
    labels = {arm.label for arm in run.arms}
    for space in run.spaces:
        for odd in [label for label in space.drawn if label not in labels]:
            raise MalformedError(f"it has no arm {named(odd)}")
        if len(set(space.drawn)) < len(space.drawn):
            raise MalformedError(f"a member of {named(space.name)} was drawn twice")
    if run.search and len(run.spaces) != 1:
        raise MalformedError(f"it searches {len(run.spaces)} spaces")


def in_order(epochs: Sequence[Epoch]) -> bool:
    """Whether these are the first epochs of a training, one after another."""
    return [epoch.epoch for epoch in epochs] == list(range(1, len(epochs) + 1))


def _refuse_odd_trials(run: Run) -> None:
    """Raises `MalformedError` for trials of other arms and seeds, or two of the same."""
    labels, seen = {arm.label for arm in run.arms}, set()
    for trial in run.trials:
        pair = trial.arm, trial.seed
        if trial.arm not in labels:
            raise MalformedError(f"it has no arm {named(trial.arm)}")
        if trial.seed >= run.seeds or pair in seen:
            raise MalformedError(
                f"it has {run.seeds} seeds, and the trial {trial.seed} of {named(trial.arm)} is odd"
            )
        if not in_order(trial.epochs):
            raise MalformedError(f"the epochs of trial {trial.seed} of {named(trial.arm)} are not in order")
        seen.add(pair)


def _json_lines(value: Any) -> str:
    """A value as JSON, with each entry of a list on a line of its own."""
    if not isinstance(value, tuple) or not value:
        return _json(value)
    return "[\n" + ",\n".join(f" {_json(entry)}" for entry in value) + "\n]"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

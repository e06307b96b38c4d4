"""The record of a run: what was trained, where, and with which results, as one file of JSON.

The page of a run is computed from this record alone.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import GenericAlias, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from costlab.errors import RunError, one_line
from costlab.files import read, write
from costlab.messages import named
from costlab.train.experiment import Expectation

VERSION = 1
FILE = "results.json"


@dataclass(frozen=True)
class Epoch:
    """One pass over the training images.

    ``loss`` and ``accuracy`` are means over the training images during the epoch; those of validation are of
    the averaged weights after it. ``seconds`` is the time of training without validation.
    """

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float
    images_per_second: float


@dataclass(frozen=True)
class Environment:
    """Where something ran; ``threads`` are those of a worker, ``revision`` is that of the code.

    ``workers`` is the number of trials side by side, ``processes`` the number of processes on each trial.
    """

    device: str
    driver: str
    torch: str
    python: str
    system: str
    precision: str
    threads: int
    workers: int
    compiled: bool
    revision: str
    processes: int = 1


@dataclass(frozen=True)
class TrialResult:
    """The result of one variant with one seed; ``failure`` says in a line why there is none."""

    arm: str
    seed: int
    epochs: tuple[Epoch, ...]
    environment: Environment
    failure: str = ""

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

    seconds: float
    low: float
    high: float
    steps: int
    batch_size: int
    memory: int | None
    environment: Environment


@dataclass(frozen=True)
class ArmRecord:
    """An arm as it was trained, and its counts. ``network`` is a target of `costlab count`.

    ``multiply_adds`` are those of an inference of one image; ``parameters`` and ``step_multiply_adds``, those
    of a forward and backward pass of one image, include auxiliary heads.
    """

    label: str
    network: str
    side: int
    recipe: Mapping[str, Any]
    multiply_adds: int
    parameters: int
    step_multiply_adds: int
    timing: Timing | None = None


@dataclass(frozen=True)
class DataRecord:
    """The images: a sentence about them, their numbers, and their digest."""

    name: str
    about: str
    synthetic: bool
    classes: int
    train: int
    validation: int
    digest: str


@dataclass(frozen=True)
class Run:
    """A run: its settings, its arms, of which the first is the baseline, and its trials.

    ``command`` is the one that began it, ``recipe`` the settings that all arms share.
    """

    name: str
    title: str
    preset: str
    command: str
    recipe: Mapping[str, Any]
    data: DataRecord
    seeds: int
    arms: tuple[ArmRecord, ...]
    claims: tuple[Expectation, ...]
    trials: tuple[TrialResult, ...]

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
    content = read(file)
    if content is None:
        raise RunError(f"{file}: there is no such file; costlab train writes it when a run is done")
    try:
        data = json.loads(content)
        if data.pop("version") != VERSION:
            raise RunError(f"{file} is of another version of costlab")
        run: Run = decode(Run, data)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise RunError(f"{file} is no record of a run: {one_line(error)}") from None
    if problem := _inconsistency(run):
        raise RunError(f"{file} is no record of a run: {problem}")
    return run


def _inconsistency(run: Run) -> str:
    """What is inconsistent in a record; empty if nothing is."""
    labels = {arm.label for arm in run.arms}
    named = {trial.arm for trial in run.trials} | {
        label for claim in run.claims for label in (claim.better, claim.worse)
    }
    if not labels or not named <= labels:
        return f"it has no arm {min(named - labels)!r}" if labels else "it has no arms"
    accuracies = [epoch.validation_accuracy for trial in run.trials for epoch in trial.epochs]
    if not all(0 <= accuracy <= 1 for accuracy in accuracies):
        return "an accuracy is not between 0 and 1"
    times = [arm.timing.seconds for arm in run.arms if arm.timing]
    sizes = [arm.step_multiply_adds for arm in run.arms] + [run.data.validation, run.seeds]
    if not all(value > 0 for value in (*times, *sizes)):
        return "a time or a number is not above 0"
    return ""


def _json_lines(value: Any) -> str:
    """A value as JSON, with each entry of a list on a line of its own."""
    if not isinstance(value, tuple) or not value:
        return _json(value)
    return "[\n" + ",\n".join(f" {_json(entry)}" for entry in value) + "\n]"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def decode(kind: Any, value: Any) -> Any:
    """A value from JSON as the type that it was written from.

    Raises:
        TypeError, KeyError: it is not of that type.
    """
    if isinstance(kind, UnionType):
        return None if value is None else decode(get_args(kind)[0], value)
    if isinstance(kind, GenericAlias) and get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise TypeError(f"{named(value)} is no list")
        return tuple(decode(get_args(kind)[0], entry) for entry in value)
    if hasattr(kind, "__dataclass_fields__"):
        types = get_type_hints(kind)
        if set(value) - set(types):
            raise KeyError(", ".join(set(value) - set(types)))
        return kind(**{name: decode(types[name], entry) for name, entry in value.items()})
    expected = get_origin(kind) or kind
    if expected is Any or isinstance(value, expected) or (expected is float and isinstance(value, int)):
        if isinstance(value, bool) and expected in (int, float):
            raise TypeError(f"{named(value)} is no number")
        return value
    raise TypeError(f"{named(value)} is no {expected.__name__}")

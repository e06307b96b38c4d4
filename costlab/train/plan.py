"""The plan of a run: all of its settings, fixed before the first step and kept in a file."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

from costlab.algebra.parameter import closest
from costlab.counting.count import Count, count
from costlab.decode import AboveZero, Line, Must, Natural, decode, parse
from costlab.errors import CostlabError, DefinitionError, RunError, TargetError
from costlab.files import read, write
from costlab.hardware.training_step import training_step
from costlab.messages import named
from costlab.targets.build import build
from costlab.targets.catalog import is_listed_ablation
from costlab.targets.find_ablation import find_ablation
from costlab.targets.resolve import IN_MODEL_FILE, label_with_settings, load_reference, without_folder
from costlab.targets.target import made_again
from costlab.train import experiments
from costlab.train.experiment import Expectation, Experiment, SizedArm, of_ablation
from costlab.train.recipe import Recipe
from costlab.train.record import (
    LARGEST_SIDE,
    MOST_BYTES,
    ArmRecord,
    DataRecord,
    ExperimentName,
    Seeds,
    refuse_inconsistent,
)

FILE = "run.json"
LISTED = r"\w+"
"""What is an experiment or an ablation that is listed, if it is one; what has a colon is in code."""
LOCK = ".lock"
"""The lock file of the process that trains in a folder."""
TRIALS = "trials"
"""The folder of the trials in that of a run."""


@dataclass(frozen=True)
class Preset:
    """A scale: the width of the reduced network, the most images, and settings of the recipe."""

    width: float
    train: int
    validation: int
    recipe: Mapping[str, Any]


PRESETS = {
    "smoke": Preset(0.5, 3000, 1000, {"epochs": 15}),
    "quick": Preset(0.5, 10_000, 2000, {"epochs": 20}),
    "photographs": Preset(0.5, 50_000, 10_000, {"epochs": 12}),
    "full": Preset(1.0, 50_000, 10_000, {"epochs": 40, "batch_size": 256, "learning_rate": 0.18}),
}


@dataclass(frozen=True)
class Plan:
    """What a run trains, in values that JSON can hold.

    ``ablation`` is the name by which the user asked for the experiment, ``source`` that of the images, with
    their path; ``images`` is the number of training images, 0 for that of the preset. ``shared`` says that
    the trials are in a database, not in the folder.
    """

    ablation: Line
    name: ExperimentName
    title: Line
    preset: Annotated[str, Must(PRESETS.__contains__, f"one of {', '.join(PRESETS)}")]
    width: AboveZero
    source: Line
    images: Natural
    seeds: Seeds
    recipe: Mapping[str, Any]
    arms: tuple[ArmRecord, ...]
    claims: tuple[Expectation, ...]
    data: DataRecord
    mirrored: bool
    shared: bool
    command: Line
    revision: Line

    @property
    def pairs(self) -> tuple[tuple[str, int], ...]:
        """Every trial, by label and seed: all arms of a seed before the next seed."""
        return tuple((arm.label, seed) for seed in range(self.seeds) for arm in self.arms)

    @property
    def identity(self) -> str:
        """A digest of everything that decides what a trial trains; the number of seeds does not."""
        arms = [asdict(replace(arm, timing=None)) for arm in self.arms]
        data = asdict(self.data)
        del data["side"]  # which the digest is of, too; records before it have none
        content = json.dumps([self.recipe, arms, data, self.mirrored], sort_keys=True)
        return sha256(content.encode()).hexdigest()[:16]

    def recipe_of(self, label: str) -> Recipe:
        """The recipe of an arm."""
        arm = next(arm for arm in self.arms if arm.label == label)
        return Recipe(**{**self.recipe, **arm.recipe})

    def networks(self) -> dict[str, SizedArm]:
        """The networks to train, by label.

        Raises:
            TargetError, DefinitionError, ShapeError: the experiment no longer exists, or fails.
            RunError: a network has changed since the run began.
        """
        own = self.data.own_side
        arms = sized_arms(find_experiment(self.ablation, self.width, own), self.data.classes, own)
        for arm in self.arms:
            now = count_arm(arm.label, arms[arm.label], self.data.classes) if arm.label in arms else None
            if now != replace(arm, timing=None):
                raise RunError(f"{self.ablation}: {arm.label!r} is not what it was when the run began")
        return arms

    def named_again(self, name: str | None, folder: Path) -> "Plan":
        """The plan, by the name that the user gives its experiment now, if any.

        A folder may be somebody else's: code runs only where the user names it.

        Raises:
            RunError: the experiment is code that is not named, or another one is named.
        """
        if not name and is_code(self.ablation):
            raise RunError(
                f"--resume {folder}: this run is of {named(self.ablation)}, code that would run: "
                f"if you trust it, {self.resume_command(folder)}"
            )
        if name and name != self.ablation and not (is_code(name) and is_code(self.ablation)):
            raise RunError(f"--resume {folder}: this run is of {named(self.ablation)}, not of {named(name)}")
        return replace(self, ablation=name) if name else self

    def resume_command(self, folder: Path) -> str:
        """The command that goes on with the run in a folder."""
        name = f"{quote(self.ablation)} " if is_code(self.ablation) else ""
        return f"costlab train {name}--resume {quote(str(folder))}"

    def with_seeds(self, seeds: int) -> "Plan":
        """The plan with another number of seeds. Raises `RunError` if that is less than it has."""
        if seeds < self.seeds:
            raise RunError(f"--seeds {seeds}: the run has {self.seeds} already, and none is taken away")
        command = self.command.replace(f"--seeds {self.seeds}", f"--seeds {seeds}", 1)
        return replace(self, seeds=seeds, command=command)

    def save(self, folder: Path) -> None:
        """Write the plan into the folder of its run."""
        write(folder / FILE, self._content, replace=True)

    def refuse_unreadable(self) -> None:
        """Refuse a plan that could not be read again. Raises `DefinitionError` with the field."""
        try:
            _decode(self._content.encode())
        except ValueError as error:
            raise DefinitionError(f"{self.ablation}: {error}") from None

    @property
    def _content(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


def load(folder: Path) -> Plan:
    """The plan of a run.

    Raises:
        RunError: there is none in the folder, or it is damaged.
    """
    content = read(folder / FILE, MOST_BYTES)
    if content is None:
        what = "there is no run in it" if folder.is_dir() else "there is no such folder"
        raise RunError(f"--resume {folder}: {what}; costlab train NAME begins a run, and says where")
    try:
        return _decode(content)
    except ValueError as error:
        raise RunError(f"{folder / FILE} is no plan of a run: {error}") from None


def _decode(content: bytes) -> Plan:
    plan: Plan = decode(Plan, parse(content))
    refuse_inconsistent(plan.arms, plan.claims, plan.recipe)
    return plan


def is_code(name: str) -> bool:
    """Whether the name of an experiment is that of code, and not of one that is listed."""
    return name not in experiments.names() and re.fullmatch(LISTED, name) is None


def find_experiment(name: str, width: float, own: int = LARGEST_SIDE) -> Experiment:
    """The experiment of that name, or that of an ablation whose variants can be trained.

    ``width`` is for the reduced network of costlab's own experiments, ``own`` the side of the images, which
    those scale theirs with.

    Raises:
        TargetError, DefinitionError: there is none, its code fails, or its variants cannot be trained.
    """
    if name in experiments.names():
        return experiments.experiment(name, width, own)
    if re.fullmatch(LISTED, name):
        if not is_listed_ablation(name):
            raise TargetError(f"there is no experiment {name!r}{closest(name, experiments.names())}")
        return of_ablation(find_ablation(name))
    if name.partition(":")[0] in experiments.names():
        raise TargetError(f"{name}: an experiment takes no settings")
    if re.fullmatch(IN_MODEL_FILE, name):
        raise TargetError(f"{name}: what is in such a file is not trained: name an experiment or an ablation")
    source = load_reference(name)
    if not isinstance(source.value, Experiment):
        return of_ablation(find_ablation(name))
    if source.settings_text:
        raise TargetError(f"{name}: an experiment takes no settings")
    found = made_again(source.value, name)
    arms = {
        label: replace(arm, network=replace(arm.network, from_user=True, folder=source.folder))
        for label, arm in found.arms.items()
    }
    return replace(found, arms=arms)


def sized_arms(experiment: Experiment, classes: int, own: int) -> dict[str, SizedArm]:
    """The arms for images of so many classes that come with ``own`` pixels at a side.

    Their ``num_classes`` is set where their definition has it and they do not set it themselves.
    """
    return {label: _with_classes(arm.sized(own), classes) for label, arm in experiment.arms.items()}


def count_arm(label: str, arm: SizedArm, classes: int) -> ArmRecord:
    """The record of an arm, counted as it will be trained.

    Its step of training is counted with the gradients that are wanted; that of a module is traced.

    Raises:
        TargetError, DefinitionError, ShapeError: the network does not take its images, or has another number
            of outputs than there are classes.
    """
    counted = count_forward(label, arm)
    output = counted.root.output
    is_module = counted.root.block.takes_tensors  # it puts out a batch
    if tuple(output) != ((1, classes) if is_module else (classes,)):
        raise DefinitionError(f"{label}: the network puts out {output}, and there are {classes} classes")
    if is_module:
        step = count(arm.network, (3, arm.side, arm.side), backward=True).multiply_adds
        for _ in range(2):  # or say that it is the same one again
            build(arm.network, (3, arm.side, arm.side))
    else:
        step = training_step(counted).multiply_adds
    return ArmRecord(
        label,
        without_folder(counted.label),
        arm.side,
        dict(arm.recipe),
        int(counted.inference.multiply_adds),
        int(counted.parameters),
        int(step),
    )


def count_forward(label: str, arm: SizedArm) -> Count:
    """The count of an arm at its images. Raises as `count` does, with the label of the arm."""
    try:
        counted = count(arm.network, (3, arm.side, arm.side))
    except CostlabError as error:
        raise DefinitionError(f"{label}: {error}") from error
    if int(counted.parameters) == 0:
        raise DefinitionError(f"{label}: the network has no parameters: there is nothing to train")
    return counted


def _with_classes(arm: SizedArm, classes: int) -> SizedArm:
    network = arm.network
    open_ = network.parameters.get("num_classes")
    if open_ is None or "num_classes" in network.settings or open_.default == classes:
        return arm
    settings = {"num_classes": classes}
    label = label_with_settings(network.label, settings, bool(network.settings))
    return replace(arm, network=replace(network.with_settings(settings), label=label))

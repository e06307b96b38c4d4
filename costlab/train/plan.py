"""The plan of a run: everything that was asked for, settled before the first step, in a file of its own."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from costlab.algebra.parameter import closest
from costlab.counting.count import count
from costlab.errors import DefinitionError, RunError, TargetError
from costlab.files import read, write
from costlab.targets.catalog import is_listed_ablation
from costlab.targets.resolve import IN_CATALOG, find_ablation, labelled, source_of
from costlab.train import experiments
from costlab.train.experiment import Arm, Expectation, Experiment, of_ablation
from costlab.train.recipe import Recipe
from costlab.train.record import ArmRecord, DataRecord, decoded

FILE = "run.json"
LOCK = ".lock"
"""Held by the process that trains in a folder."""


@dataclass(frozen=True)
class Preset:
    """A scale: the width of the reduced network, the most images, and what of the recipe hangs on it."""

    width: float
    train: int
    validation: int
    recipe: Mapping[str, Any]


PRESETS = {
    "smoke": Preset(0.5, 3000, 1000, {"epochs": 15}),
    "quick": Preset(0.5, 10_000, 2000, {"epochs": 20}),
    "full": Preset(1.0, 50_000, 10_000, {"epochs": 40, "batch_size": 256, "learning_rate": 0.18}),
}


@dataclass(frozen=True)
class Plan:
    """What a run trains, in values that JSON can hold.

    ``ablation`` is what the experiment was asked for by, ``source`` what the images were, with their path,
    and ``images`` how many to train on, 0 for as many as the preset has. ``shared`` says that the trials are
    in a database, not in the folder.
    """

    ablation: str
    name: str
    title: str
    preset: str
    width: float
    source: str
    images: int
    seeds: int
    recipe: Mapping[str, Any]
    arms: tuple[ArmRecord, ...]
    claims: tuple[Expectation, ...]
    data: DataRecord
    mirrored: bool
    shared: bool
    command: str
    revision: str

    @property
    def pairs(self) -> tuple[tuple[str, int], ...]:
        """Every trial, by label and seed: all arms of a seed before the next seed."""
        return tuple((arm.label, seed) for seed in range(self.seeds) for arm in self.arms)

    @property
    def identity(self) -> str:
        """What tells this plan's trials from those of all others; how many seeds there are matters not."""
        arms = [asdict(replace(arm, timing=None)) for arm in self.arms]
        told = json.dumps([self.recipe, arms, asdict(self.data), self.mirrored], sort_keys=True)
        return sha256(told.encode()).hexdigest()[:16]

    def recipe_of(self, label: str) -> Recipe:
        """The recipe of an arm."""
        arm = next(arm for arm in self.arms if arm.label == label)
        return Recipe(**{**self.recipe, **arm.recipe})

    def networks(self) -> dict[str, Arm]:
        """The networks to be trained, by label.

        Raises:
            TargetError, DefinitionError, ShapeError: the experiment is not there any more, or fails.
            RunError: a network is not what it was when the run began.
        """
        arms = planned_arms(found(self.ablation, self.width), self.data.classes)
        for arm in self.arms:
            now = recorded(arm.label, arms[arm.label], self.data.classes) if arm.label in arms else None
            if now != replace(arm, timing=None):
                raise RunError(f"{self.ablation}: {arm.label!r} is not what it was when the run began")
        return arms

    def having(self, seeds: int) -> "Plan":
        """The plan with more seeds. Raises `RunError` if it has more already."""
        if seeds < self.seeds:
            raise RunError(f"--seeds {seeds}: the run has {self.seeds} already, and none is taken away")
        told = self.command.replace(f"--seeds {self.seeds}", f"--seeds {seeds}", 1)
        return replace(self, seeds=seeds, command=told)

    def save(self, folder: Path) -> None:
        """Write the plan into the folder of its run."""
        write(folder / FILE, json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", replace=True)


def load(folder: Path) -> Plan:
    """The plan of a run.

    Raises:
        RunError: the folder holds none, or it is damaged.
    """
    content = read(folder / FILE)
    if content is None:
        raise RunError(f"--resume {folder}: there is no run in it; costlab train --ablation ... begins one")
    try:
        plan: Plan = decoded(Plan, json.loads(content))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(f"{folder / FILE} is no plan of a run: {type(error).__name__}: {error}") from None
    return plan


def found(name: str, width: float) -> Experiment:
    """The experiment of that name, or an ablation whose variants can be trained.

    Raises:
        TargetError, DefinitionError: there is none, its code fails, or its variants cannot be trained.
    """
    if name in experiments.names():
        return experiments.experiment(name, width)
    if re.fullmatch(IN_CATALOG, name):
        if not is_listed_ablation(name):
            raise TargetError(f"there is no experiment {name!r}{closest(name, experiments.names())}")
        return of_ablation(find_ablation(name))
    source = source_of(name)
    if not isinstance(source.value, Experiment):
        return of_ablation(find_ablation(name))
    if source.typed:
        raise TargetError(f"{name}: an experiment takes no settings")
    arms = {
        label: replace(made, network=replace(made.network, theirs=True, folder=source.folder))
        for label, made in source.value.arms.items()
    }
    return replace(source.value, arms=arms)


def planned_arms(experiment: Experiment, classes: int) -> dict[str, Arm]:
    """The arms with one output per class, where a definition leaves open how many it has."""
    return {label: _having_classes(made, classes) for label, made in experiment.arms.items()}


def recorded(label: str, made: Arm, classes: int) -> ArmRecord:
    """An arm, counted as it will be trained.

    A step's multiply-adds are those of the forward pass, and as many for the gradients of the weights and of
    what goes into them; the layer that comes first needs none of the latter.

    Raises:
        TargetError, DefinitionError, ShapeError: the network does not take its images, or puts out others.
    """
    counted = count(made.network, (3, made.side, made.side))
    output = counted.root.output
    if tuple(output) != (classes,):
        raise DefinitionError(f"{label}: the network puts out {output}, and there are {classes} classes")
    first = next((int(row.work.multiply_adds) for row in counted.rows if int(row.work.multiply_adds)), 0)
    return ArmRecord(
        label,
        re.sub(r"^[^:]*/(?=[^/:]+:)", "", counted.label),  # a file without its folder
        made.side,
        dict(made.recipe),
        int(counted.inference.multiply_adds),
        int(counted.parameters),
        3 * int(counted.multiply_adds) - first,
    )


def _having_classes(made: Arm, classes: int) -> Arm:
    network = made.network
    open_ = network.parameters.get("num_classes")
    if open_ is None or "num_classes" in network.settings or open_.default == classes:
        return made
    settings = {"num_classes": classes}
    label = labelled(network.label, settings, bool(network.settings))
    return replace(made, network=replace(network.having(settings), label=label))

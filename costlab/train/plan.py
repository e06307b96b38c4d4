"""The plan of a run: all of its settings, fixed before the first step and kept in a file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

from costlab.decode import AboveZero, Line, Must, Natural, decode, parse
from costlab.errors import DefinitionError, RunError
from costlab.files import read, write
from costlab.messages import named
from costlab.train.arms import find_experiment, is_code, made_anew, refuse_changed, sized_arms
from costlab.train.experiment import Expectation, SizedArm
from costlab.train.recipe import Recipe
from costlab.train.record import (
    MOST_BYTES,
    ArmRecord,
    DataRecord,
    ExperimentName,
    Seeds,
    refuse_inconsistent,
    refuse_odd_spaces,
)
from costlab.train.space_record import SearchRecord, SpaceRecord

FILE = "run.json"
LOCK = ".lock"
"""The lock file of the process that trains in a folder."""
TRIALS = "trials"
"""The folder of the trials in that of a run."""


@dataclass(frozen=True)
class Preset:
    """A scale: the width of the reduced network, the most images, settings of the recipe; and its purpose.

    With ``of_photographs`` it is for images that the user has.
    """

    width: float
    train: int
    validation: int
    recipe: Mapping[str, Any]
    purpose: str = ""
    of_photographs: bool = False

    def __str__(self) -> str:
        said = f"{self.train:,} images, {self.recipe['epochs']} epochs"
        return f"{said}, {self.purpose}" if self.purpose else said


PRESETS = {
    "smoke": Preset(0.5, 3000, 1000, {"epochs": 15}, "about a minute per trial on a core"),
    "quick": Preset(0.5, 10_000, 2000, {"epochs": 20}),
    "photographs": Preset(0.5, 50_000, 10_000, {"epochs": 12}, "for images from --data", of_photographs=True),
    "full": Preset(
        1.0,
        50_000,
        10_000,
        {"epochs": 40, "batch_size": 256, "learning_rate": 0.18},
        "twice the width, for a GPU",
    ),
}


@dataclass(frozen=True)
class Plan:
    """What a run trains, in values that JSON can hold.

    ``ablation`` is the name by which the user asked for the experiment, ``source`` that of the images, with
    their path; ``images`` is the number of training images, 0 for that of the preset. ``shared`` says that
    the trials are in a database, not in the folder. With ``spaces`` some arms are members of them, and
    ``ablation`` is the target that they are of; the first ``fixed`` arms stand beside what a search finds.
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
    spaces: tuple[SpaceRecord, ...] = ()
    search: SearchRecord | None = None
    fixed: Natural = 0

    @property
    def pairs(self) -> tuple[tuple[str, int], ...]:
        """Every trial, by label and seed: all arms of a seed before the next seed."""
        return tuple((arm.label, seed) for seed in range(self.seeds) for arm in self.arms)

    @property
    def identity(self) -> str:
        """A digest of everything that decides what a trial trains; the number of seeds does not.

        That of a search does not depend on what it has found so far.
        """
        fixed = self.arms[: self.fixed] if self.search else self.arms
        arms = [asdict(replace(arm, timing=None)) for arm in fixed]
        data = asdict(self.data)
        del data["side"]  # which the digest is of, too; records before it have none
        parts = [self.recipe, arms, data, self.mirrored]
        if self.search:
            parts += [asdict(replace(space, drawn=())) for space in self.spaces]
            parts.append(asdict(replace(self.search, refused=0)))
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def recipe_of(self, label: str) -> Recipe:
        """The recipe of an arm."""
        return Recipe(**{**self.recipe, **self.arm(label).recipe})

    def arm(self, label: str) -> ArmRecord:
        """The record of an arm."""
        return next(arm for arm in self.arms if arm.label == label)

    def networks(self) -> dict[str, SizedArm]:
        """The networks to train, by label.

        Raises:
            TargetError, DefinitionError, ShapeError: the experiment no longer exists, or fails.
            RunError: a network has changed since the run began.
        """
        if self.spaces:
            return {arm.label: self.network(arm.label) for arm in self.arms}
        own = self.data.own_side
        arms = sized_arms(find_experiment(self.ablation, self.width, own), self.data.classes, own)
        for arm in self.arms:
            refuse_changed(arm, arms.get(arm.label), self.data.classes, self.ablation)
        return arms

    def network(self, label: str) -> SizedArm:
        """One network of a run with spaces, made by its target. Raises as `networks` does."""
        record = self.arm(label)
        made = made_anew(record, self.ablation)
        refuse_changed(record, made, self.data.classes, self.ablation)
        return made

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
    refuse_inconsistent(plan.arms, plan.claims, plan.recipe, plan.spaces)
    refuse_odd_spaces(plan)
    return plan

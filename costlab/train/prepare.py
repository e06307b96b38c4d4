"""Settling a run: from what was asked for to a plan, with its images at hand."""

from collections.abc import Callable, Iterable
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from costlab.errors import DataError, RunError
from costlab.files import is_folder
from costlab.train import cache, datasets, plan, recipe
from costlab.train.data import Dataset
from costlab.train.environment import revision
from costlab.train.experiments import names
from costlab.train.plan import LOCK, PRESETS, Plan
from costlab.train.recipe import Recipe


class Asked(NamedTuple):
    """What a run is asked to be. ``settings`` are those of the recipe, each typed as ``name=value``.

    ``width`` and ``images`` stand for those of the preset where they are given; ``images`` is how many to
    train on, with as many for validation as the preset has for so many.
    """

    ablation: str
    preset: str
    source: str
    seeds: int
    settings: tuple[str, ...] = ()
    width: float | None = None
    images: int | None = None
    shared: bool = False


def settled(asked: Asked, tell: Callable[[str], None]) -> tuple[Plan, Dataset]:
    """The plan of a new run, and the images that it takes.

    Raises:
        TargetError, DefinitionError, ShapeError: the experiment is not there, or cannot be trained.
        RunError: a width is given to an experiment that has its own.
        DataError: the images are not there, damaged, or too few.
    """
    preset = PRESETS[asked.preset]
    width = preset.width if asked.width is None else asked.width
    experiment = plan.found(asked.ablation, width)
    if asked.width is not None and asked.ablation not in names():
        raise RunError(f"--width goes with costlab's own experiments: {asked.ablation} says how wide it is")
    shared = Recipe().having({**preset.recipe, **recipe.read(asked.settings)})
    dataset = _loaded(asked, tell)
    arms = plan.planned_arms(experiment, len(dataset.classes))
    made = Plan(
        asked.ablation,
        experiment.name,
        experiment.title,
        asked.preset,
        width,
        asked.source,
        asked.images or 0,
        asked.seeds,
        vars(shared),
        tuple(plan.recorded(label, made, len(dataset.classes)) for label, made in arms.items()),
        experiment.claims,
        dataset.record(),
        dataset.mirrored,
        asked.shared,
        command(asked, dataset.name),
        revision(),
    )
    _refuse_large_batches(made)
    return made, dataset


def begun(made: Plan, dataset: Dataset, folder: Path) -> None:
    """Put a plan with its images into a folder, which is locked.

    Raises:
        RunError: the folder holds something already.
        OutputError: it cannot be written to.
    """
    refuse_full(folder)
    made.save(folder)  # first: whatever comes between, the run can be gone on with
    cache.prepare(folder, _sides(made), dataset.digest, lambda: dataset)


def refuse_full(folder: Path) -> None:
    """Raises `RunError` if a folder holds anything but a lock, `OutputError` if it is no folder."""
    if is_folder(folder) and any(file.name != LOCK for file in folder.iterdir()):
        raise RunError(
            f"{folder} holds something already: --resume {folder} goes on with a run, -o DIR begins another"
        )


def continued(folder: Path, seeds: int | None, tell: Callable[[str], None], shared: bool = False) -> Plan:
    """The plan of the run in a folder, which is locked, perhaps with more seeds, and its images at hand.

    ``shared`` says that a database is named that its trials are in.

    Raises:
        RunError: there is none, its images are not what they were, it has more seeds already, or its trials
            are in a database that is not named, or in none.
        DataError: the images are not there any more.
    """
    made = plan.load(folder)
    if made.shared != shared:
        there, say = ("a database", "name it with") if made.shared else ("the folder", "leave out")
        raise RunError(f"--resume {folder}: the trials of this run are in {there}: {say} --study")
    made.networks()  # or say what is not as it was
    if seeds is not None:
        made = made.having(seeds)
        made.save(folder)
    asked = Asked(made.ablation, made.preset, made.source, made.seeds, images=made.images or None)

    def again() -> Dataset:
        dataset = _loaded(asked, tell)
        if dataset.digest != made.data.digest:
            raise RunError(f"--resume {folder}: the images of {made.source} are not what they were")
        return dataset

    cache.prepare(folder, _sides(made), made.data.digest, again)
    return made


def command(asked: Asked, data: str) -> str:
    """What would be typed for the same, with PATH in the place of the images', and files without folders."""
    name = asked.ablation.rpartition("/")[2]
    words = [f"costlab train --ablation {quote(name)} --preset {asked.preset} --seeds {asked.seeds}"]
    if asked.source != "synthetic":
        words.append(f"--data {data}{':PATH' * (':' in asked.source)}")
    if asked.width is not None:
        words.append(f"--width {asked.width:g}")
    if asked.images is not None:
        words.append(f"--images {asked.images}")
    words += [f"--set {quote(setting)}" for setting in asked.settings]
    return " ".join(words)


def _loaded(asked: Asked, tell: Callable[[str], None]) -> Dataset:
    preset = PRESETS[asked.preset]
    train, validation = preset.train, preset.validation
    if asked.images is not None:
        train, validation = asked.images, max(1, asked.images * validation // train)
    return datasets.load(asked.source, train, validation, report=tell)


def _sides(made: Plan) -> Iterable[int]:
    return {arm.side for arm in made.arms}


def _refuse_large_batches(made: Plan) -> None:
    for arm in made.arms:
        size = made.recipe_of(arm.label).batch_size
        if size > made.data.train:
            raise DataError(
                f"--data {made.data.name}: {made.data.train:,} training images are fewer than "
                f"batch_size={size} of {arm.label}: --set batch_size=... takes less"
            )

"""Preparing a run: from what the user asked for to a plan, with its images at hand."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from costlab.decode import Line, MalformedError, decode
from costlab.errors import DataError, DefinitionError, RunError
from costlab.files import PART, is_folder, refuse_taken
from costlab.train import arms, cache, datasets, plan, recipe, record
from costlab.train.data import Dataset
from costlab.train.environment import revision
from costlab.train.experiments import names
from costlab.train.finder import ExperimentFinder, Finder
from costlab.train.plan import LOCK, PRESETS, TRIALS, Plan
from costlab.train.recipe import Recipe
from costlab.train.record import DataRecord


class RunRequest(NamedTuple):
    """The run that the user asks for. ``settings`` are those of the recipe, each as ``name=value``.

    ``width`` and ``images`` replace those of the preset if they are given. ``images`` is the number of
    training images; the number of validation images is scaled with it. ``shared`` says that the trials are
    kept in a database, ``about`` adds a sentence to what the page says of the images. ``words`` are those of
    the command in the place of the name of an experiment.
    """

    ablation: str
    preset: str
    source: str
    seeds: int
    settings: tuple[str, ...] = ()
    width: float | None = None
    images: int | None = None
    shared: bool = False
    about: str = ""
    words: tuple[str, ...] = ()


def make_plan(
    request: RunRequest, report: Callable[[str], None], finder: Finder | None = None
) -> tuple[Plan, Dataset]:
    """The plan of a new run, and the images for it. Calls ``report`` with a line before each slow step.

    ``finder`` finds the networks, of the experiment that is asked for if it is None.

    Raises:
        TargetError, DefinitionError, ShapeError: there is no such experiment, or it cannot be trained.
        RunError: a width is given for an experiment that sets its own.
        DataError: the images are missing, damaged or too few.
    """
    preset = PRESETS[request.preset]
    width = preset.width if request.width is None else request.width
    finder = finder or ExperimentFinder(request.ablation)
    finder.check(width)
    if request.width is not None and not request.words and request.ablation not in names():
        raise RunError(f"--width goes with costlab's own experiments: {request.ablation} says how wide it is")
    common = Recipe().with_settings({**preset.recipe, **recipe.read(request.settings)})
    dataset = _load_images(request, report)
    classes = len(dataset.classes)
    found = finder.find(width, dataset.side, classes)
    new = Plan(
        ablation=request.ablation,
        name=found.name,
        title=found.title,
        preset=request.preset,
        width=width,
        source=request.source,
        images=request.images or 0,
        seeds=request.seeds,
        recipe=vars(common),
        arms=tuple(arms.count_arm(label, arm, classes) for label, arm in found.arms.items()),
        claims=found.claims,
        data=_described(dataset, request.about),
        mirrored=dataset.mirrored,
        shared=request.shared,
        command=command_line(request, dataset.name),
        revision=revision(),
        spaces=found.spaces,
        search=found.search,
        fixed=found.fixed,
    )
    new.refuse_unreadable()
    _refuse_large_batches(new)
    return new, dataset


def save_plan(new: Plan, dataset: Dataset, folder: Path) -> None:
    """Write a plan and its images into a folder that this process has locked.

    Raises:
        RunError: the folder is not empty.
        OutputError: it cannot be written to.
    """
    refuse_nonempty(folder)
    new.save(folder)  # first, so that the run can be resumed whatever goes wrong after it
    cache.prepare(folder, _sides(new), dataset.digest, lambda: dataset)


def refuse_nonempty(folder: Path) -> None:
    """Raises `RunError` if a folder holds anything but a lock file, `OutputError` if it is no folder.

    Incomplete files of a process that was killed there are swept out later.
    """
    if is_folder(folder) and any(
        file.name != LOCK and not file.name.startswith(PART) for file in folder.iterdir()
    ):
        raise RunError(
            f"{folder} holds something already: --resume {folder} goes on with a run, -o DIR begins another"
        )


def resume_plan(
    folder: Path,
    seeds: int | None,
    report: Callable[[str], None],
    shared: bool = False,
    name: str | None = None,
) -> Plan:
    """The plan of the run in a folder that this process has locked, with its images at hand.

    Args:
        folder: that of the run.
        seeds: how many seeds the run is to have from now on; None for as many as before.
        report: called with a line before each slow step.
        shared: whether a database is named that holds the trials of the run.
        name: the experiment as the user names it now: one that is code does not run otherwise.

    Raises:
        DefinitionError: the name is none that a file of a plan can hold.
        RunError: the experiment is code that is not named, or another; there is no run, its images have
            changed, it has more seeds already, or its trials are in a database that is not named, or in none
            although one is named.
        DataError: the images are missing.
        OutputError: what comes out cannot be written.
    """
    saved = plan.load(folder).named_again(name, folder)
    if saved.shared != shared:
        place, advice = ("a database", "name it with") if saved.shared else ("the folder", "leave out")
        raise RunError(f"--resume {folder}: the trials of this run are in {place}: {advice} --study")
    refuse_taken(folder / record.FILE, replace=True)
    is_folder(folder / TRIALS)  # or raises
    _refuse_large_batches(saved)
    saved.networks()  # raises if the networks have changed
    if seeds is not None:
        saved = saved.with_seeds(seeds)
    if seeds is not None or name is not None:
        saved.refuse_unreadable()
        saved.save(folder)
    prepare_images(saved, folder, report)
    return saved


def prepare_images(saved: Plan, folder: Path, report: Callable[[str], None]) -> None:
    """See that the images of all arms are at hand. Raises as `resume_plan` does for images."""
    request = RunRequest(saved.ablation, saved.preset, saved.source, saved.seeds, images=saved.images or None)

    def load_same_images() -> Dataset:
        try:
            dataset = _load_images(request, report)
        except DataError as error:  # it names an option that is not typed here
            raise DataError(f"--resume {folder}: its images are wanted where they were: {error}") from None
        if dataset.digest != saved.data.digest:
            raise RunError(f"--resume {folder}: the images of {saved.source} are not what they were")
        return dataset

    cache.prepare(folder, _sides(saved), saved.data.digest, load_same_images)


def command_line(request: RunRequest, data: str) -> str:
    """The command that begins the same run, with PATH for that of the images, and files without folders."""
    what = request.words or ("--ablation", request.ablation.rpartition("/")[2])
    words = [f"costlab train {shlex.join(what)} --preset {request.preset} --seeds {request.seeds}"]
    if request.source != "synthetic":
        words.append(f"--data {data}{':PATH' if ':' in request.source else ''}")
    if request.width is not None:
        words.append(f"--width {request.width:g}")
    if request.images is not None:
        words.append(f"--images {request.images}")
    if request.about:
        words.append(f"--about {shlex.quote(request.about)}")
    words += [f"--set {shlex.quote(setting)}" for setting in request.settings]
    return " ".join(words)


def _described(dataset: Dataset, about: str) -> DataRecord:
    """What the record keeps of the images, with what the user says of them."""
    made = dataset.record()
    try:
        return replace(made, about=decode(Line, f"{made.about} {about}".rstrip()))
    except MalformedError as error:
        raise DefinitionError(f"--about: {error}") from None


def _load_images(request: RunRequest, report: Callable[[str], None]) -> Dataset:
    preset = PRESETS[request.preset]
    train, validation = preset.train, preset.validation
    if request.images is not None:
        train, validation = request.images, max(1, request.images * validation // train)
    return datasets.load(request.source, train, validation, report=report)


def _sides(plan: Plan) -> set[int]:
    return {arm.side for arm in plan.arms}


def _refuse_large_batches(plan: Plan) -> None:
    for arm in plan.arms:
        size = plan.recipe_of(arm.label).batch_size
        if size > plan.data.train:
            raise DataError(
                f"--data {plan.data.name}: {plan.data.train:,} training images are fewer than "
                f"batch_size={size} of {arm.label}: --set batch_size=... takes less"
            )

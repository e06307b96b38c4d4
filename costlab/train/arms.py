"""Arms: found by the names that users give experiments, sized for their images, counted, made again."""

import re
from dataclasses import replace

from costlab.algebra.parameter import closest
from costlab.counting.count import Count, count
from costlab.errors import CostlabError, DefinitionError, RunError, TargetError
from costlab.hardware.training_step import training_step
from costlab.messages import named
from costlab.targets.build import build
from costlab.targets.catalog import is_listed, is_listed_ablation
from costlab.targets.find_ablation import find_ablation
from costlab.targets.resolve import (
    IN_FILE,
    IN_MODEL_FILE,
    IN_MODULE,
    find,
    label_with_settings,
    load_reference,
    without_folder,
)
from costlab.targets.target import Variant, made_again
from costlab.train import experiments
from costlab.train.experiment import LARGEST_SIDE, Experiment, SizedArm, of_ablation
from costlab.train.record import ArmRecord

LISTED = r"\w+"
"""What is an experiment or an ablation that is listed, if it is one; what has a colon is in code."""


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
    return {label: with_classes(arm.sized(own), classes) for label, arm in experiment.arms.items()}


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


def with_classes(arm: SizedArm, classes: int) -> SizedArm:
    """The arm with as many outputs as there are classes, where its definition leaves that open."""
    network = variant_with_classes(arm.network, classes)
    return arm if network is arm.network else replace(arm, network=network)


def variant_with_classes(network: Variant, classes: int) -> Variant:
    """The network with as many outputs as there are classes, where its definition leaves that open."""
    open_ = network.parameters.get("num_classes")
    if open_ is None or "num_classes" in network.settings or open_.default == classes:
        return network
    settings = {"num_classes": classes}
    label = label_with_settings(network.label, settings, bool(network.settings))
    return replace(network.with_settings(settings), label=label)


def made_anew(arm: ArmRecord, source: str) -> SizedArm:
    """The arm of a record, by its target. Code runs only where it is that of ``source``, a target by itself.

    Raises:
        RunError: it is other code.
        TargetError, DefinitionError: it is no target, or not any more.
    """
    return SizedArm(find(located(arm.network, source)), arm.side, arm.recipe)


def located(target: str, source: str) -> str:
    """A target as it was recorded, with the folder of ``source``, a target by which the user named its code.

    Raises:
        RunError: it is no target of the catalog, and of other code.
    """
    if is_listed(target.partition(":")[0]):
        return target
    place, own = place_of(source), place_of(target)
    if not own or without_folder(f"{place}:x") != f"{own}:x":
        raise RunError(f"{named(target)} is no code of {named(source)}, which alone runs")
    return place + target[len(own) :]


def place_of(target: str) -> str:
    """The file or the module that a target is in; empty for one of the catalog."""
    if is_listed(target.partition(":")[0]) or re.fullmatch(IN_MODEL_FILE, target):
        return ""
    match = re.fullmatch(IN_FILE, target) or re.fullmatch(IN_MODULE, target)
    return match["source"] if match else ""


def refuse_changed(record: ArmRecord, arm: SizedArm | None, classes: int, source: str) -> None:
    """Raises `RunError` for an arm that does not cost what it did when the run began."""
    now = count_arm(record.label, arm, classes) if arm else None
    if now != replace(record, timing=None):
        raise RunError(f"{source}: {record.label!r} is not what it was when the run began")

"""Experiments: variants that are trained to be compared, and what a publication claims of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from costlab.algebra import Block, as_dim
from costlab.algebra.inputs import shape_of
from costlab.decode import Line
from costlab.errors import DefinitionError
from costlab.messages import named
from costlab.targets.ablation import Ablation
from costlab.targets.like import TargetLike
from costlab.targets.resolve import variant
from costlab.targets.target import Variant
from costlab.train.recipe import Recipe

NAME = "of letters, digits, _ and -, a hundred at most, and 200 bytes"
LONGEST = 200
"""The most bytes of a name: those of files have at most 255, with what follows."""
LEAST_SIDE, SIDE, LARGEST_SIDE, MOST_SIDE = 8, 48, 96, 65_536
"""Sides of images in pixels: the least of any; that of an arm by default, where they have as many; the most
that an arm of costlab's own experiments asks for; the most of any."""


def is_name(text: str) -> bool:
    """Whether an experiment can have this name, which is that of its folder and of its page."""
    return re.fullmatch(r"\w[\w-]{0,99}", text) is not None and len(text.encode()) <= LONGEST


@dataclass(frozen=True)
class Arm:
    """A variant to train: the network, the side of its images, and its own settings of the recipe.

    Without a side it is `SIDE`, or that which the images come with, if they have less.
    """

    network: Variant
    side: int | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def sized(self, own: int) -> "SizedArm":
        """The arm for images that come with ``own`` pixels at a side."""
        return SizedArm(self.network, self.side or min(SIDE, own), self.recipe)


@dataclass(frozen=True)
class SizedArm:
    """A variant to train on images of a side that is known."""

    network: Variant
    side: int
    recipe: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Expectation:
    """A claim about two arms: that ``better`` is at least as accurate as ``worse``.

    ``claim`` states it in a sentence, ``reported`` gives the figures of the source as printed.
    """

    claim: Line
    better: Line
    worse: Line
    reported: Line
    source: Line


@dataclass(frozen=True)
class Experiment:
    """A named set of arms by label, the first one the baseline. Make arms with `arm`.

    Raises:
        DefinitionError: there are fewer than two arms, a value is no arm, or a claim names an unknown arm.
    """

    name: str
    title: str
    arms: Mapping[str, Arm] = field(hash=False)
    claims: tuple[Expectation, ...] = ()

    def __post_init__(self) -> None:
        arms: Any = self.arms  # not yet known to be what they should be
        if not isinstance(arms, Mapping) or not all(isinstance(arm, Arm) for arm in arms.values()):
            raise DefinitionError(f"experiment {self.name}: arms must be arm(...) by label")
        Ablation(self.name, self.title, {label: arm.network for label, arm in arms.items()})  # or say why not
        if not is_name(self.name):
            raise DefinitionError(f"experiment {named(self.name)}: its name must be {NAME}")
        for claim in self.claims:
            for label in (claim.better, claim.worse):
                if label not in arms:
                    raise DefinitionError(f"experiment {self.name}: a claim is of {label!r}, which is no arm")

    @property
    def baseline(self) -> str:
        """The label of the first arm."""
        return next(iter(self.arms))


def arm(
    target: TargetLike, side: int | None = None, recipe: Mapping[str, Any] | None = None, **settings: Any
) -> Arm:
    """An arm of an `Experiment`: a target with settings, trained on images of ``side`` pixels.

    Without a side they have 48 pixels, or as many as they come with, if those are fewer: they are enlarged
    only where a side asks for it. ``recipe`` are settings of the recipe for this arm alone.

    Raises:
        TargetError, DefinitionError: as `costlab.variant`; also for an invalid side or setting of the recipe.
    """
    if side is not None and not isinstance(as_dim("arm: side", side, least=LEAST_SIDE), int):
        raise DefinitionError(f"arm: side={named(side)} must be a single number")
    own = dict(recipe or {})
    Recipe().with_settings(own)
    return Arm(_made_anew(variant(target, **settings), "arm"), side, own)


def _made_anew(network: Variant, where: str) -> Variant:
    """The network, of which each trial makes one of its own."""
    if isinstance(network.subject, Block) and network.subject.takes_tensors:
        raise DefinitionError(
            f"{where}: {network.label} is one module, and each trial begins with weights of its own: give "
            "its class, or a function that makes one"
        )
    return network


def of_ablation(ablation: Ablation) -> Experiment:
    """An experiment of the variants of an ablation, each at its own input, all with the same recipe.

    Raises:
        DefinitionError: a variant does not take square images of three channels.
    """
    arms = {}
    for label, member in ablation.variants.items():
        shape = shape_of(member.shape(), f"{ablation.name}: {label!r}", "training")
        channels, height, width = (*shape, None, None)[:3]
        if channels != 3 or height != width or not isinstance(height, int):
            raise DefinitionError(
                f"{ablation.name}: {label!r} takes {channels}x{height}x{width} and cannot be trained: "
                "a network that can takes square images, 3xHxH, and gives one number per class"
            )
        arms[label] = Arm(_made_anew(replace(member, input=None), f"{ablation.name}: {label!r}"), height)
    return Experiment(ablation.name, ablation.title, arms)

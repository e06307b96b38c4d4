"""Experiments: variants that are trained beside each other, and what a publication says of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from costlab.algebra import as_dim
from costlab.algebra.inputs import shape_of
from costlab.errors import DefinitionError
from costlab.targets.ablation import Ablation
from costlab.targets.resolve import TargetLike, variant
from costlab.targets.target import Variant
from costlab.train.recipe import Recipe

SIDE = 48
"""The side of an image where an arm asks for no other."""


@dataclass(frozen=True)
class Arm:
    """One variant in training: the network, the side of its images, and what of the recipe is its own."""

    network: Variant
    side: int = SIDE
    recipe: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Expectation:
    """What is claimed of two arms: that ``better`` is at least as accurate as ``worse``.

    ``claim`` says it in a sentence, ``reported`` with the figures of the source, as printed.
    """

    claim: str
    better: str
    worse: str
    reported: str
    source: str


@dataclass(frozen=True)
class Experiment:
    """A named set of arms by label, the first one the baseline. Make arms with `arm`.

    Raises:
        DefinitionError: there are fewer than two arms, one is none, or a claim is of none of them.
    """

    name: str
    title: str
    arms: Mapping[str, Arm] = field(hash=False)
    claims: tuple[Expectation, ...] = ()

    def __post_init__(self) -> None:
        arms: Any = self.arms  # not yet known to be what they should be
        if not isinstance(arms, Mapping) or not all(isinstance(made, Arm) for made in arms.values()):
            raise DefinitionError(f"experiment {self.name}: arms must be arm(...) by label")
        Ablation(
            self.name, self.title, {label: made.network for label, made in arms.items()}
        )  # or say why not
        if not re.fullmatch(r"\w[\w-]*", self.name):
            raise DefinitionError(f"experiment {self.name!r}: its name must be of letters, digits, _ and -")
        for claim in self.claims:
            for label in (claim.better, claim.worse):
                if label not in arms:
                    raise DefinitionError(f"experiment {self.name}: a claim is of {label!r}, which is no arm")

    @property
    def baseline(self) -> str:
        """The label of the first arm."""
        return next(iter(self.arms))


def arm(
    target: TargetLike, side: int = SIDE, recipe: Mapping[str, Any] | None = None, **settings: Any
) -> Arm:
    """A target with settings, trained on images of ``side``, with settings of the recipe of its own.

    Raises:
        TargetError, DefinitionError: as `costlab.algebra.variant`; also for a side or a setting that is none.
    """
    if not isinstance(as_dim("arm: side", side, least=8), int):
        raise DefinitionError(f"arm: side={side!r} must be a single number")
    own = dict(recipe or {})
    Recipe().having(own)
    return Arm(variant(target, **settings), side, own)


def of_ablation(ablation: Ablation) -> Experiment:
    """An ablation of networks as an experiment: every variant at its own input, with the same recipe.

    Raises:
        DefinitionError: a variant takes no square image of three channels.
    """
    arms = {}
    for label, made in ablation.variants.items():
        shape = shape_of(made.shape(), f"{ablation.name}: {label!r}", "training")
        channels, height, width = (*shape, None, None)[:3]
        if channels != 3 or height != width or not isinstance(height, int):
            raise DefinitionError(
                f"{ablation.name}: {label!r} takes {channels}x{height}x{width} and cannot be trained: "
                "a network that can takes square images, 3xHxH, and gives one number per class"
            )
        arms[label] = Arm(replace(made, input=None), height)
    return Experiment(ablation.name, ablation.title, arms)

"""The recipe of a training: that of section 8 of the paper, scaled to the length of the training.

The paper trains for 100 epochs of 1.28 million images and lets the learning rate decay 50 times. Epochs are
short here, so decay and warm-up are given as fractions of the training, the same at any scale.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, sections 4,
7 and 8.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from sys import float_info
from typing import Any, Literal, get_type_hints

from costlab.algebra.dim import DIM_MAX
from costlab.algebra.parameter import Parameter, closest, parameter
from costlab.errors import DefinitionError
from costlab.messages import named

Optimizer = Literal["rmsprop", "sgd"]
OWNER = "recipe"


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Args:
        optimizer: torch's ``RMSprop`` or ``SGD``, both with momentum.
        learning_rate: the highest, at the end of the warm-up; the paper's 0.045 is for batches of 32.
        momentum: of either optimizer.
        decay: RMSprop's smoothing of squared gradients, torch's ``alpha``.
        epsilon: what RMSprop adds to their root.
        weight_decay: L2 penalty on every parameter.
        batch_size: images per step; an incomplete batch at the end of an epoch is left out.
        epochs: passes over the training images.
        warm_up: the fraction of the training in which the learning rate rises linearly.
        lr_decay: the factor of the learning rate at each decay.
        lr_decay_every: the fraction of the training between decays; 0.02 is the paper's 50 times.
        clip: the norm that gradients are clipped to; 0 for none.
        label_smoothing: the fraction of a label that is spread over all classes.
        aux_weight: the weight of an auxiliary head's loss.
        average: the half-life in epochs of the average of parameters that is evaluated; 0 for none.
        shift: the largest random shift of training images, as a fraction of their side.

    Raises:
        DefinitionError: a value is of the wrong type or out of its range.
    """

    optimizer: Optimizer = "rmsprop"
    learning_rate: float = 0.09
    momentum: float = 0.9
    decay: float = 0.9
    epsilon: float = 1.0
    weight_decay: float = 4e-5
    batch_size: int = 64
    epochs: int = 15
    warm_up: float = 0.05
    lr_decay: float = 0.94
    lr_decay_every: float = 0.02
    clip: float = 2.0
    label_smoothing: float = 0.1
    aux_weight: float = 0.4
    average: float = 0.5
    shift: float = 0.08

    def __post_init__(self) -> None:
        for setting in parameters():
            setting.check(getattr(self, setting.name), OWNER)
        for names, holds, must in RANGES:
            for name in names:
                value = getattr(self, name)
                if not holds(value):
                    raise DefinitionError(f"{OWNER}: {name}={named(value)} must be {must}")

    def with_settings(self, settings: Mapping[str, Any]) -> "Recipe":
        """The recipe with other settings. Raises `DefinitionError` for an unknown name or invalid value."""
        for name in settings:
            _known(name)
        return replace(self, **settings)


LARGEST = float_info.max
"""The largest number that a computation can be done with."""
RANGES: Any = (
    (("batch_size",), lambda value: value >= 2, "at least 2: batch norm needs more than one"),
    (("epochs",), lambda value: value >= 1, "at least 1"),
    (("batch_size", "epochs"), lambda value: value <= DIM_MAX, "below 2**31"),
    (("learning_rate", "epsilon"), lambda value: 0 < value <= LARGEST, "above 0"),
    (("lr_decay", "lr_decay_every"), lambda value: 0 < value <= 1, "above 0 and at most 1"),
    (("momentum", "decay", "label_smoothing"), lambda value: 0 <= value < 1, "at least 0 and below 1"),
    (("warm_up",), lambda value: 0 <= value < 1, "at least 0 and below 1"),
    (("shift",), lambda value: 0 <= value <= 0.5, "at least 0 and at most 0.5"),
    (
        ("weight_decay", "clip", "aux_weight", "average"),
        lambda value: 0 <= value <= LARGEST,
        "at least 0",
    ),
)


def parameters() -> tuple[Parameter, ...]:
    """The settings of a recipe, with their types and defaults."""
    types = get_type_hints(Recipe)
    return tuple(
        parameter(setting.name, types[setting.name], setting.default, "") for setting in fields(Recipe)
    )


def read(settings: Iterable[str]) -> dict[str, Any]:
    """Settings of a recipe, each typed as ``name=value``.

    Raises:
        DefinitionError: one is malformed, unknown, or given twice.
    """
    values: dict[str, Any] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals:
            raise DefinitionError(f"{OWNER}: {text!r} must be name=value")
        if name in values:
            raise DefinitionError(f"{OWNER}: {name} is given twice")
        values[name] = _known(name).parse(value, OWNER)
    return values


def _known(name: str) -> Parameter:
    known = {setting.name: setting for setting in parameters()}
    if name not in known:
        hint = closest(name, known) or f"; there is {', '.join(known)}"
        raise DefinitionError(f"{OWNER}: there is no {name}{hint}")
    return known[name]

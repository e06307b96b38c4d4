"""Regimes of training that have a name, with where each of their figures comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from costlab.algebra.parameter import closest
from costlab.errors import DefinitionError
from costlab.messages import named

IMAGENET = 1_281_167
"""The training images of ImageNet's challenge of 2012."""


@dataclass(frozen=True)
class Regime:
    """How a network is trained: images, epochs, the batch of a replica, and how many replicas there are.

    ``device`` is the name of the device that each replica has, empty where none is known, ``dtype`` the type
    that it computes in. ``sources`` say of each figure where it comes from, ``notes`` what is not known.
    """

    images: int
    epochs: int
    batch: int
    replicas: int
    device: str = ""
    dtype: str = "float32"
    sources: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


_IMAGES = "the training images of ImageNet 2012"
_EPOCHS = "the Inception-v3 paper, section 8"
UNNAMED = Regime(
    IMAGENET,
    100,
    32,
    50,
    sources={"images": _IMAGES, **dict.fromkeys(("epochs", "batch", "replicas"), _EPOCHS)},
)
"""What holds where nothing is said: the paper's images, epochs, batch and replicas, on no device."""
PRESETS: Mapping[str, Regime] = {
    "paper": Regime(
        IMAGENET,
        100,
        32,
        50,
        "k40",
        sources={
            **UNNAMED.sources,
            "replicas": f"{_EPOCHS}: a Kepler GPU each",
            "device": "assumed: the paper says Kepler, and not which; a K40 at its base clock",
            "dtype": "assumed: the paper names none",
        },
        notes=("the paper names neither a utilization nor a power",),
    ),
    "one-device": Regime(
        IMAGENET,
        100,
        32,
        1,
        sources={**UNNAMED.sources, "replicas": "one device in the place of the paper's 50"},
    ),
    "today": Regime(
        IMAGENET,
        100,
        256,
        1,
        "h200",
        "bfloat16",
        sources={
            **UNNAMED.sources,
            "batch": "assumed: what is common on one device; no FLOP hangs on it",
            "replicas": "assumed: one device",
            "device": "assumed: an accelerator of today",
            "dtype": "assumed: products in bfloat16, weights and gradients in float32",
        },
    ),
}
"""The regimes that have a name."""
NEED_DEVICE = frozenset({"one-device"})
"""Those that are nothing without a device, which is for the user to name."""


def regime(preset: Any) -> Regime:
    """The regime of that name, or what holds where none is named.

    Raises:
        DefinitionError: there is none.
    """
    if preset is None:
        return UNNAMED
    if not isinstance(preset, str) or preset not in PRESETS:
        near = closest(preset, PRESETS) if isinstance(preset, str) else ""
        hint = near or f"; there is {', '.join(PRESETS)}"
        raise DefinitionError(f"there is no preset {named(preset)}{hint}")
    return PRESETS[preset]

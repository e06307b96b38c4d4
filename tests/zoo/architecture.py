"""An architecture of the zoo: its class, the settings that make it small, and what it is called with."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

SEED = 0
Inputs = dict[str, Any]


class Architecture(NamedTuple):
    """A model class of transformers, by name, and how to make one."""

    model: str
    inputs: Callable[[], Inputs]
    settings: Mapping[str, Any]

    def make(self) -> tuple[nn.Module, Inputs]:
        """The model in eval mode, with eager attention, and its inputs: the same values at every call.

        Its parameters are frozen: FlopCounterMode follows modules by their gradients, and without them it
        stops at a parameter that is given to a module.
        """
        kind = getattr(import_module("transformers"), self.model)
        torch.manual_seed(SEED)
        model: nn.Module = kind(kind.config_class(**self.settings, attn_implementation="eager"))
        return model.eval().requires_grad_(False), self.inputs()


def of(model: str, inputs: Callable[[], Inputs], **settings: Any) -> Architecture:
    """An architecture, its settings as keywords."""
    return Architecture(model, inputs, settings)


def ids(*sizes: int) -> Tensor:
    """Token ids of a vocabulary of 99: none is the padding, the beginning or the end."""
    return torch.randint(3, 90, sizes)


def tokens(length: int = 10, **others: Any) -> Callable[[], Inputs]:
    """Two sequences of token ids."""
    return lambda: {"input_ids": ids(2, length), **others}


def image(size: int = 32) -> Callable[[], Inputs]:
    """Two square images."""
    return lambda: {"pixel_values": torch.rand(2, 3, size, size)}


def wave(channels: int | None, length: int) -> Callable[[], Inputs]:
    """Two pieces of sound."""
    return lambda: {"input_values": torch.rand(2, *([] if channels is None else [channels]), length)}

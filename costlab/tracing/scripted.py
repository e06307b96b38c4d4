"""Scripted modules: their interpreter calls operators alone, and keeps their modes outside of Python."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def modes_restored(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Put the scripted ones of some modules back into the modes that they are in: train or eval."""
    scripted = [each for each in modules if isinstance(each, torch.jit.ScriptModule)]
    modes = [(each, each.training) for each in scripted if hasattr(each, "training")]
    try:
        yield
    finally:
        for module, training in modes:
            if module.training is not training:
                module.training = training

"""Scripted modules: their interpreter calls operators alone, and keeps their modes outside of Python."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from costlab.errors import TargetError
from costlab.tracing.stand_ins import IN_MKLDNN


def refuse_opaque(modules: Iterable[nn.Module]) -> None:
    """Refuse scripts for mkldnn, which would read memory that a stand-in does not have.

    Raises:
        TargetError: there is one among the modules.
    """
    for module in modules:
        script: Any = module._c if isinstance(module, torch.jit.ScriptModule) else None
        for name in () if script is None else script._method_names():
            graph = script._get_method(name).graph
            if any("mkldnn" in node.kind().lower() for node in graph.nodes()):
                raise TargetError(IN_MKLDNN)


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

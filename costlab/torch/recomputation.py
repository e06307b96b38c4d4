"""What a model computes, without what is made again: under checkpoints, and in fused attention."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.utils import checkpoint

from costlab.tracing.process import ONE_RUN
from costlab.tracing.rules.attention import WEIGHTS_KEPT

SPARING: dict[str, Any] = vars(checkpoint)
"""What `torch.utils.checkpoint.checkpoint` looks up when it is called, however it was imported."""


class _RunsOnce:
    """In the place of the function of autograd that runs its part again.

    As there, nothing learns in the part where nothing that is handed in has a gradient.
    """

    @staticmethod
    def apply(function: Callable[..., Any], _: bool, *args: Any) -> Any:
        learns = any(isinstance(each, Tensor) and each.requires_grad for each in args)
        with nullcontext() if learns else torch.no_grad():
            return function(*args)


def _runs_once(*_: Any, **__: Any) -> Iterator[None]:
    """In the place of what prepares a part to be run again."""
    yield


@contextmanager
def run_once() -> Iterator[None]:
    """Let parts under activation checkpointing run once, and count the weights of attention once."""
    instead = {"CheckpointFunction": _RunsOnce, "_checkpoint_without_reentrant_generator": _runs_once}
    with ONE_RUN:  # or of two threads one would put back what the other put there
        before = {name: SPARING[name] for name in instead}
        SPARING.update(instead)
        kept = WEIGHTS_KEPT.set(True)
        try:
            yield
        finally:
            WEIGHTS_KEPT.reset(kept)
            SPARING.update(before)

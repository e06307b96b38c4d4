"""Observers of quantization that read the values of what passes through: they let it through unseen."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from torch import Tensor, nn

HISTOGRAM = "HistogramObserver"
"""The one that reads values in Python; of torch, and of libraries that took it over."""


def let_through(modules: Iterable[nn.Module]) -> None:
    """Let histograms not be made, which cost no multiply-adds, and change nothing of what the model does."""
    for module in modules:
        kind: Any = type(module)  # which mypy holds for one that has no hash
        if _makes_one(kind):
            module.__dict__["forward"] = _unseen


@cache
def _makes_one(kind: type) -> bool:
    return any(base.__name__ == HISTOGRAM for base in kind.__mro__)


def _unseen(x: Tensor) -> Tensor:
    return x

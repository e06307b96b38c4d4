"""Models are made with the small tensors that they compute by, and weights that take no memory."""

from math import prod
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from costlab.tracing.stand_in import LARGE, SMALL

WEIGHTS = frozenset([torch.empty, torch.rand, torch.randn, torch.empty_strided, torch.normal])
"""Constructors by which weights are made: nothing is computed from what is in them yet."""
CONSTANTS = frozenset([torch.zeros, torch.ones, torch.full])
CONSTANT = 2**20
"""Elements up to which what the others make has values."""
MEMORY = 2**26
"""Elements up to which a model has tensors with values in all."""


class WithoutWeights(TorchFunctionMode):
    """Puts large tensors that are made within on torch's meta device, where they have no memory.

    ``spared`` says whether there were any.
    """

    def __init__(self) -> None:
        super().__init__()
        self._made = 0
        self.spared = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if (func in WEIGHTS or func in CONSTANTS) and kwargs.get("device") is None and "out" not in kwargs:
            elements = _elements(func, args, kwargs)
            if elements > self._limit(func, kwargs.get("dtype")) or self._made + elements > MEMORY:
                self.spared = True
                return func(*args, **{**kwargs, "device": torch.device("meta")})
            self._made += elements
        return func(*args, **kwargs)

    def _limit(self, func: Any, kind: torch.dtype | None) -> int:
        if kind is not None and not (kind.is_floating_point or kind.is_complex):
            return LARGE
        return SMALL if func in WEIGHTS else CONSTANT


def _elements(func: Any, args: Any, kwargs: Any) -> int:
    """How many elements a constructor makes, 0 where it is called in a way that it does not take."""
    given = kwargs.get("size", args[2:3] if func is torch.normal else args)
    sizes = given[0] if given and not isinstance(given[0], int) else given
    try:
        return prod(map(int, sizes))
    except (TypeError, ValueError):
        return 0

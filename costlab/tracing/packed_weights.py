"""Weights that torch keeps packed, in objects of its own that quantized operators take."""

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor, fx, nn

SPARSE_WEIGHTS = "sparse"
"""The namespace of the classes that hold a linear layer's weight in sparse blocks."""


def unpacked(packed: Any) -> tuple[Tensor, ...]:
    """The tensors in an object of torch's: a weight and its bias, of a recurrent layer two of each.

    There are none in one of another kind.
    """
    kind = str(packed._type())
    if packed._has_method("unpack"):
        made = packed.unpack()
        return tuple(each for each in (made if isinstance(made, tuple | list) else (made,)) if _is(each))
    if f".{SPARSE_WEIGHTS}." in kind:
        return tuple(each for each in torch.ops.sparse.qlinear_unpack(packed)[:2] if _is(each))
    return tuple(tensor for each in _objects_in(packed) for tensor in unpacked(each))


def _is(value: Any) -> bool:
    return isinstance(value, Tensor)


def _objects_in(packed: Any) -> Iterator[Any]:
    """The objects that one of a recurrent layer holds; its tensors are their biases once more."""
    if not packed._has_method("__getstate__"):
        return
    pending = [packed.__getstate__()]
    while pending:
        for each in pending.pop(0):
            if isinstance(each, torch.ScriptObject):
                yield each
            elif isinstance(each, tuple | list):
                pending.append(each)


@cache
def may_hold(kind: Any) -> bool:
    """Whether modules of a class may hold packed weights: torch's quantized ones, and graphs of such."""
    return issubclass(kind, fx.GraphModule) or any(
        each.__module__.startswith("torch.ao.nn.") for each in inspect.getmro(kind)
    )


class Packed:
    """The tensors in packed weights, each object unpacked once."""

    def __init__(self) -> None:
        # By the hash of an object, which is its address, with the object.
        self._known: dict[int, tuple[Any, tuple[Tensor, ...]]] = {}

    def __call__(self, packed: Any) -> tuple[Tensor, ...]:
        """The tensors in an object."""
        key = hash(packed)
        if key not in self._known:
            self._known[key] = (packed, tuple(each.detach() for each in unpacked(packed)))  # none is trained
        return self._known[key][1]

    def held_by(self, module: nn.Module) -> list[Tensor]:
        """The tensors in all that a module holds packed itself."""
        return [tensor for _, each in objects_held_by(module) for tensor in self(each)]


def objects_held_by(module: nn.Module) -> list[tuple[str, Any]]:
    """The packed weights that a module holds itself, by the names of its attributes."""
    kind: Any = type(module)
    if not may_hold(kind):
        return []
    return [(name, each) for name, each in vars(module).items() if isinstance(each, torch.ScriptObject)]

"""The tensors among the arguments of a call, and what comes out of it."""

from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from typing import Any

import torch
from torch import Tensor

from costlab.tracing.stand_in import StandIn


def lowered(value: Any, how: Callable[[StandIn], Tensor], device: torch.device | None = None) -> Any:
    """A value with plain tensors in place of stand-ins; a ``device`` in it is replaced."""
    kind = type(value)
    if kind is StandIn:
        return how(value)
    if kind is tuple or kind is list:
        return kind([lowered(each, how) for each in value])
    if kind is dict:
        return {
            name: device if name == "device" and each is not None else lowered(each, how)
            for name, each in value.items()
        }
    return value


def tensors_in(value: Any) -> Iterator[Any]:
    """The tensors in a value, in tuples, lists, dictionaries and dataclasses too."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from tensors_in(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from tensors_in(each)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from tensors_in(vars(value))

"""What objects hold, to see whether something has changed it."""

from hashlib import sha256
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, NoneType
from typing import Any, NamedTuple

import torch
from torch import Tensor

OPAQUE = (type, FunctionType, BuiltinFunctionType, MethodType, ModuleType)
"""What is compared by identity alone."""
PLAIN = (NoneType, bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size)
"""What is compared by how it is printed."""


class Snapshot(NamedTuple):
    """What was found at each place, and the objects themselves, kept so that their ids stay their own."""

    prints: dict[str, Any]
    objects: list[object]


def everything(*roots: object) -> Snapshot:
    """All that can be reached from objects: attributes and containers by identity, tensors bit by bit too."""
    prints: dict[str, Any] = {}
    objects: dict[int, object] = {}
    pending: list[tuple[str, object]] = [(str(place), root) for place, root in enumerate(roots)]
    while pending:
        path, value = pending.pop()
        prints[path] = _print(value)
        if id(value) not in objects:
            objects[id(value)] = value
            pending += [(f"{path}.{name}", each) for name, each in _inside(value)]
    return Snapshot(prints, list(objects.values()))


def _print(value: object) -> Any:
    if isinstance(value, PLAIN):
        return repr(value)
    if isinstance(value, Tensor):
        return id(value), value._version, value.device, value.stride(), _bits(value)
    if isinstance(value, set | frozenset):
        return id(value), sorted(map(repr, value))
    return id(value), type(value)


def _bits(tensor: Tensor) -> str:
    """A digest of what a tensor holds, which on the meta device is nothing."""
    if tensor.is_meta:
        return ""
    plain = tensor.detach().reshape(-1).contiguous().view(torch.uint8)
    return sha256(plain.numpy().tobytes()).hexdigest()


def _inside(value: object) -> list[tuple[object, object]]:
    if isinstance(value, (Tensor, *OPAQUE, *PLAIN)):
        return []
    found: list[tuple[object, object]] = list(getattr(value, "__dict__", {}).items())
    if isinstance(value, dict):
        found += [(f"[{key!r}]", each) for key, each in value.items()]
    elif isinstance(value, list | tuple):
        found += [(f"[{place}]", each) for place, each in enumerate(value)]
    return found


def tensors_in(value: object) -> list[Tensor]:
    """The tensors that can be reached from an object, each once."""
    return [each for each in everything(value).objects if isinstance(each, Tensor)]

"""What to give instead of something that is no target, but leads to one."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from costlab.messages import named
from costlab.targets.torch_module import is_module

MANY = 3
"""The names that are listed."""


def instead(value: object) -> str:
    """What to give instead of a value that cannot be counted; empty if nobody knows."""
    torch: Any = sys.modules.get("torch")
    if isinstance(value, type):
        return ""
    if torch is not None:
        script = sys.modules.get("torch.jit")
        if isinstance(value, getattr(script, "ScriptFunction", ())):
            return "give a module that calls it"
        if isinstance(value, torch.optim.Optimizer):
            return "give the model whose parameters it updates"
        if isinstance(value, torch.Tensor):
            return "give the model, and the tensor as its input"
        if _holds_tensors(value, torch.Tensor):
            return "these are the tensors of a model, as in a state_dict: give the model itself"
    if names := list(_modules_in(value)):
        more = ", ..." if len(names) > MANY else ""
        return f"give the module in it, {' or '.join(names[:MANY])}{more}"
    return "give what it returns" if callable(value) and hasattr(value, "__code__") else ""


def _holds_tensors(value: object, tensor: type) -> bool:
    """Whether a mapping holds tensors, or mappings of them, as a checkpoint does."""
    if not isinstance(value, Mapping):
        return False
    return any(isinstance(each, tensor) or _holds_tensors(each, tensor) for each in value.values())


def _modules_in(value: object) -> Iterator[str]:
    """How the modules are written that a value holds, in a list, a dictionary or its attributes."""
    if isinstance(value, Mapping):
        yield from (f"[{named(key)}]" for key, each in value.items() if is_module(each))
    elif isinstance(value, tuple | list):
        yield from (f"[{place}]" for place, each in enumerate(value) if is_module(each))
    elif not isinstance(value, type):
        held = getattr(value, "__dict__", {})
        for name in [name for name, each in held.items() if is_module(each)]:
            public = name.lstrip("_")
            yield f".{public if hasattr(value, public) else name}"

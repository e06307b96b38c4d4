"""How an operation is asked for: as a layer, a function, a method or a sign."""

import dis
import sys
from functools import cache
from typing import Any

import torch
from torch import nn
from torch._ops import OpOverload

from costlab.algebra.work import Form

SIGNS = frozenset(["add", "sub", "mul", "div", "matmul", "pow", "true_divide", "floor_divide", "remainder"])


def form_in(module: nn.Module, func: Any) -> Form:
    """How a module asks for a function."""
    kind = type(module)
    if kind.__module__.startswith("torch.nn.modules") and not module._modules:
        return "module"
    if _is_layer(kind) and not kind.__module__.startswith("torch.nn"):
        return "subclass"
    return form_of(func)


def sign_of(func: Any) -> Form | None:
    """``x + y`` and ``x.add(y)`` reach torch alike; the code that asked tells them apart."""
    if getattr(func, "__module__", None) is not None or func.__name__.rstrip("_") not in SIGNS:
        return None
    frame = sys._getframe(3)
    instruction = dis.opname[frame.f_code.co_code[frame.f_lasti]]
    called = instruction.startswith("CALL") and func.__name__ in _methods(frame.f_code)
    return None if called else "operator"


@cache
def _methods(code: Any) -> frozenset[str]:
    """The names of attributes that code reads, methods among them."""
    return frozenset(
        each.argval for each in dis.get_instructions(code) if each.opname in ("LOAD_METHOD", "LOAD_ATTR")
    )


def form_of(func: Any) -> Form:
    """How a function is asked for, by where it lives."""
    if isinstance(func, OpOverload):
        return "torch"
    home = getattr(func, "__module__", None)
    if home is None:
        return "method"
    if home in ("torch.nn.functional", "torch._C._nn") or func in FUNCTIONAL:
        return "function"
    return "torch"


FUNCTIONAL = frozenset(
    each
    for name in (
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
        "bilinear",
        "prelu",
        "avg_pool1d",
        "adaptive_avg_pool1d",
    )
    for each in [getattr(torch.nn.functional, name)]
)
"""Functions that torch itself and torch.nn.functional have alike."""


def _is_layer(kind: type) -> bool:
    """Whether a class is derived from a layer of torch.nn, and not from Module alone or a container."""
    return any(
        base.__module__.startswith("torch.nn.modules") and "container" not in base.__module__
        for base in kind.__mro__[1:]
        if base is not nn.Module
    )

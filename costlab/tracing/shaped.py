"""Calls that need not run: their output is known from the sizes of what they are given."""

from typing import Any

import torch

from costlab.tracing.rules.registry import SHAPED
from costlab.tracing.stand_in import StandIn
from costlab.tracing.stand_ins import StandIns


def shaped(stand_ins: StandIns, func: Any, args: Any, kwargs: Any, *, weighted: bool) -> Any:
    """The output of a call that need not run; NotImplemented where values or a graph come of it."""
    shape = SHAPED.get(func)
    unsized = bool(stand_ins.deferred)
    if shape is None or unsized or torch.is_grad_enabled() or torch._C._is_any_autocast_enabled():
        return NotImplemented
    first = args[0] if args else None
    several: Any = first if type(first) in (list, tuple) else (first,)
    if not (weighted or any(type(each) is StandIn and not each.known for each in several)):
        return NotImplemented
    try:
        return shape(*args, **kwargs)
    except (TypeError, ValueError, AttributeError, IndexError):
        return NotImplemented  # torch says what is wrong

"""Operators of aten that are functions of torch too: as such an exported graph calls them."""

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch._ops import OpOverload, OpOverloadPacket

from costlab.tracing.rules.activations import ACTIVATIONS
from costlab.tracing.rules.registry import CALLS, OVERLOADS

_HIDDEN: Any = torch._C  # torch leaves parts of it without types
HOMES = (torch, _HIDDEN._nn, _HIDDEN._linalg, _HIDDEN._sparse)
"""Where torch has functions whose arguments are those of the operator."""
IN_PYTHON = {
    name: function
    for name in (*ACTIVATIONS, "hardtanh", "einsum", "tensordot", "softmin")
    for home in (torch, F)
    if callable(function := getattr(home, name, None)) and function in CALLS
}
"""Functions that are written in Python whose rules take the arguments of the operator."""
SAME = {
    "_adaptive_avg_pool2d": torch._C._nn.adaptive_avg_pool2d,
    "_adaptive_avg_pool3d": torch._C._nn.adaptive_avg_pool3d,
    "_sparse_addmm": torch.sparse.addmm,
}
"""Operators of another name than the function that they are."""


def function_of(called: Any) -> Any:
    """What is called, as a function of torch if it is one, unless a user's rule counts the operator."""
    if not isinstance(called, OpOverload | OpOverloadPacket) or called in OVERLOADS:
        return called
    return twin_of(called) or called


@cache
def twin_of(operator: Any) -> Any:
    """The function of torch with a rule that an operator is; None where there is none."""
    packet = operator.overloadpacket if isinstance(operator, OpOverload) else operator
    space, _, name = packet._qualified_op_name.partition("::")
    if space != "aten":
        return None
    candidates = [getattr(home, name, None) for home in HOMES]
    candidates += [SAME.get(name), IN_PYTHON.get(name)]
    return next((each for each in candidates if each is not None and each in CALLS), None)

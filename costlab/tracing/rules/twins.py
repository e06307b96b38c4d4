"""Operators of aten that are functions of torch too: as such an exported graph calls them."""

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch._ops import OpOverload, OpOverloadPacket

from costlab.tracing.rules.activations import ACTIVATIONS
from costlab.tracing.rules.quantized import rule_of as rule_of_quantized
from costlab.tracing.rules.registry import CALLS, OPERATORS, OVERLOADS, Rule

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
IN_PLACE_OF = {"transformers::grouped_mm_fallback": "_grouped_mm"}
"""Operators of others that do what one of torch does: experts, as transformers has them exported."""


def function_of(called: Any) -> Any:
    """What is called, as a function of torch if it is one, unless a user's rule counts the operator."""
    if not isinstance(called, OpOverload | OpOverloadPacket) or called in OVERLOADS:
        return called
    return twin_of(called) or called


def twin_of(operator: Any) -> Any:
    """The function of torch with a rule that an operator is; None where there is none."""
    return next((each for each in _candidates(operator) if each in CALLS), None)


@cache
def _candidates(operator: Any) -> tuple[Any, ...]:
    """The functions of torch that an operator may be; rules may be added to them later."""
    packet = operator.overloadpacket if isinstance(operator, OpOverload) else operator
    space, _, name = packet._qualified_op_name.partition("::")
    if space != "aten":
        return ()
    candidates = [getattr(home, name, None) for home in HOMES]
    candidates += [SAME.get(name), IN_PYTHON.get(name)]
    return tuple(each for each in candidates if each is not None)


def rule_of(operator: OpOverload, name: str) -> Rule | None:
    """The rule of an operator by its name, or of the function that it is; a user's is looked for before."""
    if operator.namespace not in ("aten", "prims", "torch_nn"):
        written = IN_PLACE_OF.get(operator.overloadpacket._qualified_op_name)
        return rule_of_quantized(operator) if written is None else OPERATORS[written]
    return OPERATORS.get(name) or OPERATORS.get(name.rstrip("_")) or CALLS.get(twin_of(operator))

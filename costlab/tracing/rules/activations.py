"""Activation functions and softmax."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from costlab.algebra.work import Work
from costlab.tracing.rules.elements import element_work
from costlab.tracing.rules.registry import CALLS, Seen, calls, like, shapes


def _activation(kind: str) -> Callable[..., Work]:
    def rule(seen: Seen, *args: Any, **_: Any) -> Work:
        return element_work(seen, kind, args)

    return rule


ACTIVATIONS = (
    "relu",
    "relu_",
    "relu6",
    "leaky_relu",
    "leaky_relu_",
    "elu",
    "elu_",
    "gelu",
    "silu",
    "mish",
    "hardswish",
    "hardsigmoid",
    "softplus",
    "selu",
    "celu",
    "logsigmoid",
    "softsign",
    "tanhshrink",
    "glu",
    "sigmoid",
    "tanh",
)
FUNCTIONS = frozenset(
    function
    for name in ACTIVATIONS
    for home in (F, torch, Tensor)
    if (function := getattr(home, name, None)) is not None
)
"""The activation functions, in all the places where torch has them."""
COMPUTED = FUNCTIONS | {F.softmax, torch.softmax, Tensor.softmax, F.log_softmax, torch.log_softmax}
"""Functions with a rule whose values are computed for parameters, too: what an architecture is chosen by."""
for name in ACTIVATIONS:
    for home in (F, torch, Tensor):
        if function := getattr(home, name, None):
            CALLS[function] = _activation(name)


@shapes(F.relu, torch.relu, F.relu6, F.gelu, F.silu, torch.sigmoid, torch.tanh)
def same_shape(input: Tensor, inplace: Any = False, **_: Any) -> Any:
    """As the input."""
    return input if inplace is True else like(input)


@calls(F.hardtanh)
def hardtanh(seen: Seen, input: Tensor, *_: Any, **__: Any) -> Work:
    """Any shape to the same; ReLU6 is one."""
    return element_work(seen, "relu6" if isinstance(seen.module, nn.ReLU6) else "hardtanh", (input,))


@calls(F.prelu, torch.prelu, Tensor.prelu)
def prelu(seen: Seen, input: Tensor, weight: Tensor) -> Work:
    """Any shape to the same, with a learned slope."""
    return element_work(seen, "prelu", (input, weight))


@calls(F.log_softmax, torch.log_softmax, Tensor.log_softmax)
def log_softmax(seen: Seen, input: Tensor, dim: Any = None, *_: Any, **__: Any) -> Work:
    """Any shape to the same, along one axis."""
    return element_work(seen, "log_softmax", (input,))


@calls(F.softmin)
def softmin(seen: Seen, input: Tensor, dim: Any = None, *_: Any, **__: Any) -> Work:
    """Any shape to the same, along one axis."""
    return element_work(seen, "softmin", (input,))


@calls(F.softmax, torch.softmax, Tensor.softmax)
def softmax(seen: Seen, input: Tensor, dim: Any = None, *_: Any, **__: Any) -> Work:
    """Any shape to the same, along one axis."""
    spatial = type(seen.module) is nn.Softmax2d
    return element_work(seen, "softmax2d" if spatial else "softmax", (input,))

"""Activation functions and softmax."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from costlab.algebra.work import Work
from costlab.tracing.rules.elements import element_work
from costlab.tracing.rules.registry import CALLS, Seen, calls, like, shapes


def _activation(kind: str, function: Any) -> Callable[..., Work]:
    def rule(seen: Seen, *args: Any, **_: Any) -> Work:
        work = element_work(seen, kind, args)
        # A function that a module holds is not seen by tools that put another in the place of its name.
        holds = seen.module is not None and any(each is function for each in vars(seen.module).values())
        return work._replace(form="torch") if holds else work

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
for name in ACTIVATIONS:
    for home in (F, torch, Tensor):
        if function := getattr(home, name, None):
            CALLS[function] = _activation(name, function)


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
    work = element_work(seen, "prelu", (input, weight))
    also = {"sample_parameters": input.shape[0] * weight.numel(), "own_weights": seen.own(weight)}
    return work._replace(also={**work.also, **also})


@calls(F.log_softmax, torch.log_softmax, Tensor.log_softmax)
def log_softmax(seen: Seen, input: Tensor, *args: Any, **kwargs: Any) -> Work:
    """Any shape to the same, along one axis."""
    return softmax(seen, input, *args, **kwargs)._replace(kind="log_softmax")


@calls(F.softmin)
def softmin(seen: Seen, input: Tensor, *args: Any, **kwargs: Any) -> Work:
    """Any shape to the same, along one axis."""
    return softmax(seen, input, *args, **kwargs)._replace(kind="softmin")


@calls(F.softmax, torch.softmax, Tensor.softmax)
def softmax(seen: Seen, input: Tensor, dim: Any = None, *_: Any, **__: Any) -> Work:
    """Any shape to the same, along one axis."""
    size = input.shape[dim] if isinstance(dim, int) and input.dim() else 1
    spatial = type(seen.module).__name__ == "Softmax2d"
    return Work(
        "softmax2d" if spatial else "softmax",
        inputs=input.numel(),
        outputs=input.numel(),
        form=seen.form,
        also={"samples": seen.samples, "rows": input.numel() // max(size, 1)},
    )

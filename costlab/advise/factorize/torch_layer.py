"""Layers of torch as values, and whether another module can stand in their place."""

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.nn.utils import parametrize

from costlab.algebra.ops.convolution import Conv2d
from costlab.tracing.stand_in import Uninitialized

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def conv_of(module: nn.Conv2d) -> Conv2d:
    """The settings of a layer as a value. Other padding than zeros is of the same size."""
    settings: Any = module
    return Conv2d(
        settings.out_channels,
        settings.kernel_size,
        settings.stride,
        settings.padding,
        settings.dilation,
        settings.groups,
        bias=module.bias is not None,
    )


def obstacle(module: nn.Module, modules: Mapping[str, nn.Module]) -> str:
    """Why no other module can stand in the place of a convolution; empty where one can."""
    kind: Any = type(module)
    as_torch = isinstance(module, nn.Conv2d) and (kind.forward, kind._conv_forward) == (
        nn.Conv2d.forward,
        nn.Conv2d._conv_forward,
    )
    if not as_torch or "forward" in vars(module):
        return f"{kind.__name__} has a forward of its own"
    if parametrize.is_parametrized(module):
        return "its weight is parametrized"
    if any(getattr(module, hooks) for hooks in HOOKS):
        return "it has hooks"
    for name, other in modules.items():
        if other is not module and any(each is module.weight for each in other._parameters.values()):
            return f"its weight is that of {name}, too"
    return ""


def is_lazy(module: nn.Conv2d) -> bool:
    """Whether its weights have no sizes yet."""
    return isinstance(module.weight, Uninitialized)

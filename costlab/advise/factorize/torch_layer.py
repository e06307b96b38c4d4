"""Layers of torch as values, and whether another module can stand in their place."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
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
        return "it is parametrized"
    if module._modules:
        return "it has modules in it"
    if not {"weight", "bias"} <= module._parameters.keys():
        return "its weight or its bias is no parameter"
    if any(getattr(module, hooks) for hooks in HOOKS):
        return "it has hooks"
    weight: Any = module.weight
    if not weight.is_floating_point():
        return f"its weights are {weight.dtype}"
    for kind_of, mine in module._parameters.items():
        if mine is not None and (name := _other_holder(module, mine, modules)) is not None:
            return f"its {kind_of} is that of {name or 'the root'}, too"
    return ""


def is_lazy(module: nn.Conv2d) -> bool:
    """Whether its weights have no sizes yet."""
    return isinstance(module.weight, Uninitialized)


def _other_holder(module: nn.Module, tensor: Tensor, modules: Mapping[str, nn.Module]) -> str | None:
    """The path of another module that holds a tensor, None if there is none."""
    for name, other in modules.items():
        if other is not module and any(each is tensor for each in other._parameters.values()):
            return name
    return None

"""Modules with other layers in the place of some of their convolutions, always new ones."""

from collections.abc import Callable, Iterable
from contextlib import closing
from copy import deepcopy
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from costlab.advise.factorize.blocks import another
from costlab.advise.factorize.plan import Replacement
from costlab.advise.factorize.torch_layer import conv_of, is_lazy
from costlab.errors import DefinitionError, one_line
from costlab.tracing.holdings import Holdings
from costlab.tracing.process import unwrapped

Memo: TypeAlias = dict[int, Any]
"""What is copied already, by its id, as `copy.deepcopy` keeps it."""
Maker: TypeAlias = Callable[[Replacement, nn.Conv2d, Memo], nn.Sequential]
"""Makes what stands in the place of a convolution."""


def with_layers(model: nn.Module, replacements: Iterable[Replacement], make: Maker) -> nn.Module:
    """A copy of a module with layers in the place of some convolutions, which are not copied.

    Raises:
        DefinitionError: it has other convolutions than it was planned for, or cannot be copied.
    """
    return _copy(unwrapped(model), replacements, make, {})


def to_count(model: nn.Module, replacements: Iterable[Replacement]) -> nn.Module:
    """As `with_layers`, to be counted: with the tensors of the module itself, and layers without memory."""
    model = unwrapped(model)
    memo: Memo = {}

    def share(tensor: Tensor) -> Tensor:
        memo[id(tensor)] = tensor
        return tensor

    with closing(Holdings()) as held:
        held.replaced(model, share)
    return _copy(model, replacements, empty_layers, memo)


def _copy(model: nn.Module, replacements: Iterable[Replacement], make: Maker, memo: Memo) -> nn.Module:
    modules = dict(model.named_modules(remove_duplicate=False))
    for each in replacements:
        conv = _conv_at(modules.get(each.path), each)
        memo[id(conv)] = make(each, conv, memo)
    try:
        return deepcopy(model, memo)
    except Exception as error:
        raise DefinitionError(
            f"{type(model).__name__}: it cannot be copied, and is not changed itself: {one_line(error)}"
        ) from error


def _conv_at(module: nn.Module | None, planned: Replacement) -> nn.Conv2d:
    """The convolution that was planned for. Raises `DefinitionError` if it is another."""
    site = planned.site
    if not isinstance(module, nn.Conv2d) or conv_of(module) != site.conv:
        raise another(site.path)
    if not is_lazy(module) and module.in_channels != site.channels:
        raise another(site.path)
    return module


def fresh_layers(planned: Replacement, conv: nn.Conv2d, device: torch.device) -> nn.Sequential:
    """The layers with weights as torch begins them, on a device, and like the convolution in all else."""
    layers, channels = [], planned.site.channels
    for part in planned.parts:
        sizes: Any = part
        layer = nn.Conv2d(
            channels,
            sizes.filters,
            sizes.kernel,
            sizes.stride,
            sizes.padding,
            sizes.dilation,
            sizes.groups,
            part.bias,
            conv.padding_mode,
            device,
            conv.weight.dtype,
        )
        channels = sizes.filters
        layers.append(layer.requires_grad_(conv.weight.requires_grad))
    if layers[-1].bias is not None and conv.bias is not None:
        layers[-1].bias.requires_grad_(conv.bias.requires_grad)
    return nn.Sequential(*layers).train(conv.training)


def fresh_in_place(planned: Replacement, conv: nn.Conv2d, _: Memo) -> nn.Sequential:
    """The layers with weights as torch begins them, where the convolution is."""
    return fresh_layers(planned, conv, conv.weight.device)


def empty_layers(planned: Replacement, conv: nn.Conv2d, memo: Memo) -> nn.Sequential:
    """The layers without values in their weights, and with the bias of the convolution, if it has one."""
    layers = fresh_layers(planned, conv, torch.device("meta"))
    if conv.bias is not None and not is_lazy(conv):
        last: Any = layers[-1]
        last.bias = deepcopy(conv.bias, memo)
    return layers


def fill(layers: nn.Module, weights: Iterable[Tensor], where: Tensor) -> None:
    """Put weights into layers in a row, in their types, on the device of ``where``, laid out as it."""
    in_order = torch.channels_last if _is_channels_last(where) else torch.contiguous_format
    for layer, weight in zip(layers.children(), weights, strict=True):
        old: Any = layer.weight
        made = torch.empty_like(old, device=where.device, memory_format=in_order)
        layer.weight = nn.Parameter(made.copy_(weight), requires_grad=old.requires_grad)


def _is_channels_last(weight: Tensor) -> bool:
    return weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()

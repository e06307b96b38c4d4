"""What comes out of the commonest operators without values, where it is like what goes in."""

from collections.abc import Callable
from typing import Any

import torch

from costlab.tracing.stand_in import StandIn, stand_in, whole_of

OF_TWO = frozenset(["add", "add_", "sub", "sub_", "mul", "mul_", "div", "div_"])
OF_ONE = frozenset(
    ["detach", "relu", "relu_", "sigmoid", "tanh", "exp", "neg", "sqrt", "rsqrt", "silu", "silu_", "gelu"]
)
NUMBERS = frozenset([int, float])


def shortcut(name: str, args: Any, kwargs: Any) -> Any:
    """What comes out of an operator, by a rule that is known here; else NotImplemented.

    torch's own rules for sizes take ten times as long for these, which are most of what runs.
    """
    return (_in_training if name in IN_TRAINING else _like_the_first)(name, args, kwargs)


def _like_the_first(name: str, args: Any, kwargs: Any) -> Any:
    """A tensor like the first argument, or itself if it is written into; else NotImplemented."""
    if kwargs or not args or name not in (OF_TWO if len(args) == 2 else OF_ONE):
        return NotImplemented
    first, second = args[0], args[-1]
    if type(first) is not StandIn or not first.is_floating_point() or not first.is_contiguous():
        return NotImplemented
    if second is not first and type(second) not in NUMBERS:
        alike = type(second) is StandIn and second.dtype == first.dtype and second.size() == first.size()
        if not alike or not second.is_contiguous():
            return NotImplemented
    if name[-1] == "_":
        return first
    made = _like(first)
    if name == "detach":
        made.viewed = whole_of(first)
    return made


def _in_training(name: str, args: Any, kwargs: Any) -> Any:
    """What comes out of a normalization, or of one of the commonest gradients.

    torch decomposes each into some twenty operators to learn its sizes: half of the time of a training step.
    """
    first = args[0] if args and not kwargs else None
    if type(first) is not StandIn:
        return NotImplemented
    tensors = [each for each in args if isinstance(each, torch.Tensor)]
    if first.dtype not in (torch.float32, torch.float64) or not all(
        type(each) is StandIn and each.dtype == first.dtype and each.is_contiguous() for each in tensors
    ):
        return NotImplemented
    return IN_TRAINING[name](*args)


def _batch_norm(data: StandIn, *rest: Any) -> Any:
    channels = data.shape[1:2]
    if not channels or not _are(rest[:4], channels):
        return NotImplemented
    return _like(data), _like(data, channels), _like(data, channels)


def _batch_norm_backward(gradient: StandIn, data: StandIn, *rest: Any) -> Any:
    channels = data.shape[1:2]
    _, weight, bias = rest[-1]
    if gradient.size() != data.size() or not _are(rest[:5], channels):
        return NotImplemented
    return _like(data), _like(data, channels) if weight else None, _like(data, channels) if bias else None


def _layer_norm(data: StandIn, sizes: Any, *rest: Any) -> Any:
    sizes = torch.Size(sizes)
    rank = data.dim() - len(sizes)
    if rank < 0 or data.shape[rank:] != sizes or not _are(rest[:2], sizes):
        return NotImplemented
    moments = torch.Size((*data.shape[:rank], *(1 for _ in sizes)))
    return _like(data), _like(data, moments), _like(data, moments)


def _layer_norm_backward(gradient: StandIn, data: StandIn, sizes: Any, *rest: Any) -> Any:
    sizes = torch.Size(sizes)
    _, _, *weights, wanted = rest
    if gradient.size() != data.size() or any(each is None for each in weights) or not _are(weights, sizes):
        return NotImplemented
    made = (_like(data), _like(data, sizes), _like(data, sizes))
    return tuple(each if asked else None for each, asked in zip(made, wanted, strict=True))


def _threshold_backward(gradient: StandIn, data: StandIn, _: Any) -> Any:
    return _like(data) if gradient.size() == data.size() else NotImplemented


def _are(tensors: Any, sizes: torch.Size) -> bool:
    """Whether the tensors among some values have these sizes."""
    return all(each is None or each.size() == sizes for each in tensors)


def _like(tensor: StandIn, sizes: torch.Size | None = None) -> StandIn:
    return stand_in(tensor.size() if sizes is None else sizes, tensor.dtype, tensor.device)


IN_TRAINING: dict[str, Callable[..., Any]] = {
    "native_batch_norm": _batch_norm,
    "native_batch_norm_backward": _batch_norm_backward,
    "native_layer_norm": _layer_norm,
    "native_layer_norm_backward": _layer_norm_backward,
    "threshold_backward": _threshold_backward,
}


def concatenated(tensors: Any, dim: Any = 0, **named: Any) -> Any:
    """What comes out of tensors behind each other; NotImplemented where torch has to say."""
    if named or type(dim) is not int or not tensors or any(type(each) is not StandIn for each in tensors):
        return NotImplemented
    first = tensors[0]
    rank = first.dim()
    axis = dim + rank if dim < 0 else dim
    if not 0 <= axis < rank:
        return NotImplemented
    around = first.shape[:axis], first.shape[axis + 1 :]
    whole = 0
    for each in tensors:
        sizes = each.shape
        if each.dtype != first.dtype or not each.is_contiguous() or len(sizes) != rank:
            return NotImplemented
        if (sizes[:axis], sizes[axis + 1 :]) != around:
            return NotImplemented
        whole += sizes[axis]
    return stand_in(torch.Size((*around[0], whole, *around[1])), first.dtype, first.device)

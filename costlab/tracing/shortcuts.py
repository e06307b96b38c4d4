"""What comes out of the commonest operators without values, where it is like what goes in."""

from typing import Any

import torch

from costlab.tracing.stand_in import StandIn, stand_in

OF_TWO = frozenset(["add", "add_", "sub", "sub_", "mul", "mul_", "div", "div_"])
OF_ONE = frozenset(
    ["relu", "relu_", "sigmoid", "tanh", "exp", "neg", "sqrt", "rsqrt", "silu", "silu_", "gelu"]
)
NUMBERS = frozenset([int, float])


def like_the_first(name: str, args: Any, kwargs: Any) -> Any:
    """A tensor like the first argument, itself if it is written into; NotImplemented where it may be another.

    torch's own rules for sizes take ten times as long for these, which are most of what runs.
    """
    if kwargs or not args or name not in (OF_TWO if len(args) == 2 else OF_ONE):
        return NotImplemented
    first, second = args[0], args[-1]
    if type(first) is not StandIn or not first.is_floating_point() or not first.is_contiguous():
        return NotImplemented
    if second is not first and type(second) not in NUMBERS:
        alike = type(second) is StandIn and second.dtype == first.dtype and second.size() == first.size()
        if not alike or not second.is_contiguous():
            return NotImplemented
    return first if name[-1] == "_" else stand_in(first.size(), first.dtype, first.device)


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

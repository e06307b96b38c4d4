"""What operators answer whatever the data is that they are given, as its sizes alone or none of it decide."""

from math import prod
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

from costlab.tracing.arguments import lowered
from costlab.tracing.operator_facts import FINITE, FROM_SIZES
from costlab.tracing.stand_in import HOME, LARGE, StandIn, held_or_meta, meta_of


def answer_without_values(func: OpOverload, name: str, args: Any, kwargs: Any, called: Any) -> Any:
    """What an operator answers of data, with values; NotImplemented where these depend on the data's.

    ``called`` is the function of torch that the model has called, None in a gradient.
    """
    if name == "allclose" and not (called and name in getattr(called[0], "__name__", "")):
        return True  # by which torch checks, in a gradient, what it is given
    if name in FROM_SIZES and prod(args[1] if name.startswith("new") else args[0].shape) <= LARGE:
        return func(*lowered(args, meta_of), **{**kwargs, "device": HOME})
    if name == "equal" and (args[0].size() != args[1].size() or _same(args)):
        return args[0].size() == args[1].size()
    if (name in FINITE or name in ("eq", "ne")) and _same(args) and args[0].numel() <= LARGE:
        return torch.full(args[0].shape, name == "eq")
    if name == "_is_all_true":  # asked where torch checks what it is given
        return torch.tensor(True)
    if name == "_has_same_storage_numel":  # of a tensor and its tangent, one of which may have values
        return _stored(args[0]) == _stored(args[1])
    return NotImplemented


def _same(args: Any) -> bool:
    """Whether a tensor is compared with itself, in another view of the same elements too, or with nothing."""
    if len(args) == 1 or args[0] is args[1]:
        return True
    if type(args[1]) is not StandIn:
        return False
    first, second = map(held_or_meta, args[:2])
    plain = all(
        each.layout is torch.strided and not each.is_conj() and not each.is_neg() for each in (first, second)
    )
    return plain and _elements(first) == _elements(second)


def _elements(low: Tensor) -> tuple[Any, ...]:
    """Which elements of which memory a tensor has."""
    return low.untyped_storage()._cdata, low.storage_offset(), low.size(), low.stride(), low.dtype


def _stored(tensor: StandIn) -> int:
    """The elements in the storage of a tensor, which may be a view of more than it has."""
    low = held_or_meta(tensor)
    return low.untyped_storage().nbytes() // low.element_size()

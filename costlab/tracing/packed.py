"""Packed sequences: torch's own code reads their lengths in memory, which stand-ins do not have."""

from typing import Any

import torch
from torch import Tensor

from costlab.tracing.intercepted import intercepts
from costlab.tracing.stand_in import ReadsDataError, StandIn
from costlab.tracing.stand_ins import StandIns


def lengths_in(values: StandIns, lengths: Tensor, reader: str) -> list[int]:
    """Numbers that are known.

    Raises:
        ReadsDataError: they come from data.
    """
    if type(lengths) is not StandIn:
        return [int(each) for each in lengths.tolist()]
    if not lengths.known:
        raise ReadsDataError(reader)
    return [int(each) for each in values.value(lengths).tolist()]


@intercepts(torch._pack_padded_sequence)
def packed(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``(N, T, *)`` or ``(T, N, *)``, and the steps of each -> ``(steps, *)``, and how many at each."""
    data, lengths, batch_first = args
    steps = lengths_in(values, lengths, "_pack_padded_sequence")
    if batch_first:
        data = data.transpose(0, 1)
    if min(steps, default=0) < 1:
        raise RuntimeError("Length of all samples has to be greater than 0")
    if steps != sorted(steps, reverse=True):
        raise RuntimeError("lengths have to be in decreasing order, unless enforce_sorted=False")
    if len(steps) != data.shape[1] or steps[0] > data.shape[0]:
        raise RuntimeError(f"{len(steps)} lengths up to {steps[0]} do not fit a batch of {tuple(data.shape)}")
    sizes = [sum(each > step for each in steps) for step in range(steps[0])]
    return data.flatten(0, 1)[_places(sizes, data.shape[1])], torch.tensor(sizes)


@intercepts(torch._pad_packed_sequence)
def padded(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The way back, with the length of each sequence."""
    data, batch_sizes, batch_first, padding, total = args
    sizes = lengths_in(values, batch_sizes, "_pad_packed_sequence")
    if 0 < total < len(sizes):
        raise RuntimeError(f"total_length={total} is less than the longest sequence, {len(sizes)}")
    steps = total if total > 0 else len(sizes)
    flat = data.new_full((steps * sizes[0], *data.shape[1:]), padding)
    whole = flat.index_copy(0, _places(sizes, sizes[0]), data).unflatten(0, (steps, sizes[0]))
    lengths = [sum(each > place for each in sizes) for place in range(sizes[0])]
    return (whole.transpose(0, 1) if batch_first else whole), torch.tensor(lengths)


def _places(sizes: list[int], batch: int) -> Tensor:
    """Where the elements of a packed sequence are in one of ``(T, N)`` whose first two axes are joined."""
    return torch.tensor([step * batch + place for step, size in enumerate(sizes) for place in range(size)])

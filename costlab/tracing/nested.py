"""Nested tensors: a batch of sequences of different lengths, of which all but the lengths is data."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from costlab.errors import DefinitionError
from costlab.tracing.flex_attention import attend
from costlab.tracing.gradients import tag
from costlab.tracing.packed import lengths_in
from costlab.tracing.rules.attention import attended, attention
from costlab.tracing.stand_in import stand_in
from costlab.tracing.stand_ins import StandIns

if TYPE_CHECKING:
    from costlab.tracing.trace import Trace

UNEVEN = (
    "a nested tensor of strided layout whose parts differ in more than their first axis is not counted: "
    "give each of them by itself"
)


def nested_stand_in(stand_ins: StandIns, tensor: Any, limit: int) -> Any:
    """A nested tensor of stand-ins; its lengths are known. A strided one comes as a jagged one.

    Raises:
        DefinitionError: it has more than one axis, or another than the first, with different sizes.
    """
    from torch.nested._internal.nested_tensor import NestedTensor

    if tensor.layout is not torch.jagged:
        return _as_jagged(tensor, stand_ins, limit)
    made: Any = NestedTensor
    return made(
        stand_ins(tensor._values, limit),
        stand_ins(tensor._offsets),
        lengths=None if tensor._lengths is None else stand_ins(tensor._lengths),
        requires_grad=tensor.requires_grad,
        _ragged_idx=tensor._ragged_idx,
        _metadata_cache=dict(tensor._metadata_cache),
    )


def _as_jagged(tensor: Any, stand_ins: StandIns, limit: int) -> Any:
    parts = [each.shape for each in tensor.unbind()]
    if not parts or any(not each or each[1:] != parts[0][1:] for each in parts):
        raise DefinitionError(UNEVEN)
    jagged = torch.nested.nested_tensor(
        [torch.empty(each, dtype=tensor.dtype, device=tensor.device) for each in parts],
        layout=torch.jagged,
        requires_grad=tensor.requires_grad,
    )
    return nested_stand_in(stand_ins, jagged, limit)


def nested_call(func: Any, args: Any, kwargs: Any) -> Any:
    """What is done in place of a function of nested tensors; None where torch does it."""
    done = NESTED.get(func)
    first = None if done is None else next(iter((*args, *kwargs.values())), None)
    return done if isinstance(first, Tensor) and first.layout is torch.jagged else None


def _lengths(trace: "Trace", tensor: Any) -> list[int]:
    reader = "the lengths of a nested tensor"
    if tensor.lengths() is not None:
        return lengths_in(trace._stand_ins, tensor.lengths(), reader)
    offsets = lengths_in(trace._stand_ins, tensor.offsets(), reader)
    return [end - start for start, end in pairwise(offsets)]


def nested_attention(trace: "Trace", query: Any, key: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
    """``(N, H, L*, d), (N, H, S*, d), (N, H, S*, dv) -> (N, H, L*, dv)``: ``L * S * (d + dv)`` for each.

    Every sequence attends to its own: the products are summed up over the batch and the heads.
    """
    from torch.nested._internal.nested_tensor import nested_view_from_values_offsets_lengths

    if query._ragged_idx == 1 and query.dim() > 3:  # a batch of batches, each attending as a whole
        return F.scaled_dot_product_attention(query, key, value, *args, **kwargs)
    if query._ragged_idx == 1:
        query, key, value = (each.unsqueeze(1) for each in (query, key, value))
        return nested_attention(trace, query, key, value, *args, **kwargs).squeeze(1)
    lengths = zip(_lengths(trace, query), _lengths(trace, key), strict=True)
    pairs = query.size(1) * sum(rows * columns for rows, columns in lengths)
    q, k, v = (each.values() for each in (query, key, value))
    output, *_ = attend(trace, pairs, q, k, v, stand_in((), q.dtype, q.device))
    work = attended(pairs, q, k, v, output)
    module = trace.tracker.module
    call = trace._described.call(F.scaled_dot_product_attention, "function", module, attention, (q, k, v), {})
    trace._record(work, output, ((q, k, v), {}), "function", call)
    if trace._backward:
        tag(output, trace.tracker.path)
    view: Any = nested_view_from_values_offsets_lengths
    return view(output, query.offsets(), query.lengths(), ragged_idx=query._ragged_idx)


def nested_unbind(trace: "Trace", input: Any, dim: int = 0) -> Any:
    """The parts of a batch."""
    if dim != 0:
        raise RuntimeError("unbind(): a nested tensor is taken apart along its first axis alone")
    if input.lengths() is not None:
        return input.unbind()
    return input.values().split(_lengths(trace, input), dim=input._ragged_idx - 1)


def made_jagged(name: str, args: Any) -> Any:
    """What an operator makes as a nested tensor of strided layout, as a jagged one.

    Of a list of its parts; of ``(N, T, *)`` and a mask ``(N, T)``, of whose rows the first are true; or of a
    buffer, with the sizes of the parts, their strides and where they begin.
    """
    first, *rest = args
    if name == "_nested_tensor_from_tensor_list":
        parts = list(first)
    elif name == "_nested_tensor_from_mask":
        parts = [each[:rows] for each, rows in zip(first, rest[0].sum(1).tolist(), strict=True)]
    else:
        sizes, strides, starts = (each.tolist() for each in rest)
        parts = [first.as_strided(*each) for each in zip(sizes, strides, starts, strict=True)]
    if any(each.shape[1:] != parts[0].shape[1:] for each in parts):
        raise RuntimeError(UNEVEN)
    return torch.nested.as_nested_tensor(parts, layout=torch.jagged)


NESTED: dict[Any, Any] = {
    F.scaled_dot_product_attention: nested_attention,
    torch.unbind: nested_unbind,
    Tensor.unbind: nested_unbind,
}


def gradient_of(tensor: Any) -> Any:
    """A gradient for an output."""
    if tensor.layout is not torch.jagged:
        return stand_in(tensor.shape, tensor.dtype, tensor.device)
    from torch.nested._internal.nested_tensor import NestedTensor

    made: Any = NestedTensor
    values = tensor._values
    return made(
        stand_in(values.shape, values.dtype, values.device, values.stride()),
        tensor._offsets,
        lengths=tensor._lengths,
        _ragged_idx=tensor._ragged_idx,
        _metadata_cache=dict(tensor._metadata_cache),
    )

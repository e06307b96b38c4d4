"""`flex_attention`: attention with a score function, over the blocks that its mask does not leave out."""

from math import prod
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from costlab.tracing.frames import caller
from costlab.tracing.gradients import tag
from costlab.tracing.higher_order import in_place_of
from costlab.tracing.intercepted import intercepts
from costlab.tracing.rules.attention import attended, attended_back, attention
from costlab.tracing.stand_in import StandIn, stand_in
from costlab.tracing.stand_ins import StandIns

if TYPE_CHECKING:
    from costlab.tracing.trace import Trace

CHECKED = "_validate_device"
"""Torch's function that refuses gradients on a processor, where it has no kernel for them."""


@in_place_of("flex_attention")
def flex_attention(
    trace: "Trace",
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score_mod: Any,
    block_mask: Any,
    *_: Any,
    **__: Any,
) -> tuple[Tensor, Tensor, Tensor]:
    """``(B, H, L, E), (B, Hk, S, E), (B, Hk, S, Ev) -> (B, H, L, Ev)``: ``E + Ev`` multiply-adds a pair.

    The pairs of a query and a key are those in the blocks that are computed, each of them whole; all of them
    where it is not known which.
    """
    pairs, share = _pairs(trace._stand_ins, query, key, block_mask)
    products, read, scored = _score(trace, score_mod, query)
    output, *sums = attend(trace, pairs, query, key, value, scored)
    if not trace._ruled:
        module = trace.tracker.module
        args = (query, key, value)
        call = trace._described.call(F.scaled_dot_product_attention, "torch", module, attention, args, {})
        work = attended(pairs, query, key, value, output, products)
        trace._record(work, output, args, "torch", call, kernel=share)
        last = trace.operations[-1]
        trace.operations[-1] = last._replace(read=(*last.read, *read))
    if trace._backward:
        tag((output, *sums), trace.tracker.path)
    return output, *sums


@intercepts(Tensor.requires_grad.__get__)  # type: ignore[attr-defined]  # a descriptor has one
def requires_grad(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Whether a tensor requires a gradient; not where torch refuses on a processor what a GPU does."""
    return func(*args) and caller().f_code.co_name != CHECKED


class _Attention(torch.autograd.Function):
    """Attention on sizes; its gradients are five products for two, as those of a fused kernel."""

    @staticmethod
    def forward(
        ctx: Any, trace: "Trace", pairs: int, query: Tensor, key: Tensor, value: Tensor, scored: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        ctx.trace, ctx.pairs = trace, pairs
        ctx.save_for_backward(query, key, value, scored)
        sizes = (*query.shape[:-1], value.shape[-1])
        output = stand_in(sizes, query.dtype, query.device, _strides(sizes, query.stride()))
        sums = stand_in(query.shape[:-1], torch.float32, query.device)
        largest = stand_in(query.shape[:-1], torch.float32, query.device)
        return output, sums, largest

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        query, key, value, scored = ctx.saved_tensors
        gradient = prod(query.shape[:-1]) * value.shape[-1]
        work = attended_back(ctx.pairs, gradient, query, key, value)
        ctx.trace._record(work, query, (query, key, value), "torch", None)
        made = [stand_in(each.size(), each.dtype, each.device) for each in (query, key, value, scored)]
        return None, None, *made


attend: Any = _Attention.apply


def _strides(sizes: tuple[int, ...], like: tuple[int, ...]) -> list[int]:
    """Strides without gaps whose axes lie in the order in which those of another tensor do."""
    strides = [0] * len(sizes)
    step = 1
    for axis in sorted(range(len(sizes)), key=lambda place: like[place]):
        strides[axis] = step
        step *= sizes[axis]
    return strides


def _score(trace: "Trace", score_mod: Any, query: Tensor) -> tuple[int, tuple[Tensor, ...], Tensor]:
    """What the score function costs for a pair: multiply-adds, and the parameters that it reads.

    And a score, by which its gradients go back.
    """
    score = stand_in((), query.dtype, query.device, requires_grad=query.requires_grad)

    def score_one() -> Any:
        places = [torch.zeros((), dtype=torch.int, device=query.device) for _ in range(4)]
        return score_mod(score, *places)

    scored, ran = trace.apart(score_one)
    products = sum(int(each.work.multiply_adds) for each in ran)
    return products, tuple(one for each in ran for one in each.read), scored


def _pairs(values: StandIns, query: Tensor, key: Tensor, block_mask: Any) -> tuple[int, str]:
    """How many pairs of a query and a key are computed, for all heads, and which share that is, as text."""
    rows, columns = query.shape[-2], key.shape[-2]
    heads = prod(query.shape[:-2])
    whole = heads * rows * columns
    partial, full = block_mask[2:4], block_mask[4:6]
    if not all(_known(each) for each in (*partial, *full)):
        return whole, "(dense)"
    with torch._C._DisableTorchDispatch():
        counted = [
            _blocks(_values(values, numbers), _values(values, places), block_mask, rows, columns)
            for numbers, places in (partial, full)
            if numbers is not None
        ]
    pairs, blocks, every = (sum(each) for each in zip(*counted, strict=True))
    every //= len(counted)
    pairs *= heads // max(prod(partial[0].shape[:-1]), 1)
    return pairs, "" if pairs == whole else f"({blocks} of {every} blocks)"


def _blocks(
    numbers: Tensor, places: Tensor, block_mask: Any, rows: int, columns: int
) -> tuple[int, int, int]:
    """The pairs in the blocks that are computed of one kind, how many these are, and of how many.

    ``numbers`` (*, rows of blocks) says how many blocks of a row are computed, ``places`` (*, rows of blocks,
    columns of blocks) which, these first.
    """
    q_size, kv_size = block_mask[-3:-1]
    taken = torch.arange(places.shape[-1]) < numbers.unsqueeze(-1)
    width = (columns - places * kv_size).clamp(0, kv_size) * taken
    height = (rows - torch.arange(numbers.shape[-1]) * q_size).clamp(0, q_size)
    return int((width.sum(-1) * height).sum()), int(taken.sum()), taken.numel()


def _known(value: Any) -> bool:
    return not isinstance(value, StandIn) or value.known


def _values(values: StandIns, tensor: Tensor) -> Tensor:
    value = values.value(tensor) if isinstance(tensor, StandIn) else tensor
    return value.to("cpu", torch.int64)

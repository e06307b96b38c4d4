"""Attention, whatever kernel runs it."""

from collections.abc import Iterator
from contextvars import ContextVar
from math import prod
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from costlab.algebra.work import Work
from costlab.tracing.rules.registry import Seen, calls, operators, shapes
from costlab.tracing.stand_in import stand_in

KERNELS = (
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_fused_attention_overrideable",
)

WEIGHTS_KEPT = ContextVar("WEIGHTS_KEPT", default=False)
"""Whether weights of attention count as kept for the way back, where fused kernels make them once more."""


def attended(
    pairs: int, query: Tensor, key: Tensor, value: Tensor, output: Tensor, products: int = 0
) -> Work:
    """Attention of ``(*, d), (*, d), (*, dv)``: ``d + dv`` a pair, and what its score takes besides."""
    return Work(
        "attention",
        multiply_adds=pairs * (query.shape[-1] + value.shape[-1] + products),
        inputs=query.numel() + key.numel() + value.numel(),
        outputs=output.numel(),
    )


def attended_back(pairs: int, gradient: int, query: Tensor, key: Tensor, value: Tensor) -> Work:
    """The gradients of attention: its weights once more, then two products for each of the two forward.

    ``gradient`` are the elements of that of its output.
    """
    given = query.numel() + key.numel() + value.numel()
    again = 0 if WEIGHTS_KEPT.get() else query.shape[-1]
    return Work(
        "attention_backward",
        multiply_adds=pairs * (again + 2 * query.shape[-1] + 2 * value.shape[-1]),
        inputs=gradient + given,
        outputs=given,
    )


@calls(F.scaled_dot_product_attention)
def attention(
    seen: Seen,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    *_: Any,
    **__: Any,
) -> Work:
    """``(*, Lq, d), (*, Lk, d), (*, Lk, dv) -> (*, Lq, dv)``: ``Lq * Lk * (d + dv)`` for each of ``*``."""
    output = seen.first
    batch, steps = prod(output.shape[:-2]), query.shape[-2] * key.shape[-2]  # one of them may be spread
    return attended(batch * steps, query, key, value, output)


@shapes(F.scaled_dot_product_attention)
def attention_shape(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> Any:
    """The output of attention that torch would accept."""
    plain = (
        query.dim() == key.dim() == value.dim() >= 2
        and query.shape[:-2] == key.shape[:-2] == value.shape[:-2]
    )
    if (
        not plain
        or query.shape[-1] != key.shape[-1]
        or key.shape[-2] != value.shape[-2]
        or not query.dtype == key.dtype == value.dtype
        or _
        or __.get("attn_mask") is not None
    ):
        return NotImplemented
    return stand_in((*query.shape[:-1], value.shape[-1]), query.dtype, query.device)


@operators(*KERNELS)
def attention_operator(seen: Seen, query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> Work:
    """Attention that was called as an operator of aten."""
    return attention(seen, query, key, value)


@operators(*(f"{name}_backward" for name in KERNELS))
def attention_backward(
    seen: Seen, gradient: Tensor, query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any
) -> Work:
    """The gradients of attention that was called as an operator of aten."""
    pairs = prod(query.shape[:-1]) * key.shape[-2]
    return attended_back(pairs, gradient.numel(), query, key, value)


@calls(F.multi_head_attention_forward)
def multihead(
    seen: Seen,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim: int,
    heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    *_: Any,
    **__: Any,
) -> Iterator[Work]:
    """``(L, N, d) -> (L, N, d)``: the projections of its inputs, attention, the projection of its output."""
    rows = [each.numel() // max(each.shape[-1], 1) for each in (query, key, value)]
    inputs = list(zip(rows, (query, key, value), strict=True))
    widths = embed_dim + key.shape[-1] + value.shape[-1]
    yield Work(
        "linear",
        multiply_adds=sum(n * each.shape[-1] * embed_dim for n, each in inputs),
        bias_adds=0 if in_proj_bias is None else sum(rows) * embed_dim,
        weights=embed_dim * widths if in_proj_weight is None else in_proj_weight.numel(),
        inputs=query.numel() + key.numel() + value.numel(),
        outputs=sum(rows) * embed_dim,
        activations=sum(rows) * embed_dim,
    )
    batch = query.shape[1] if query.dim() == 3 else 1
    more_keys = (bias_k is not None) + bool(add_zero_attn)
    weights = batch * heads * query.shape[0] * (key.shape[0] + more_keys)
    yield Work(
        "attention",
        multiply_adds=2 * weights * (embed_dim // heads),
        inputs=(rows[0] + 2 * rows[1]) * embed_dim,
        outputs=rows[0] * embed_dim,
    )
    yield Work(
        "linear",
        multiply_adds=rows[0] * out_proj_weight.numel(),
        bias_adds=0 if out_proj_bias is None else rows[0] * embed_dim,
        weights=out_proj_weight.numel(),
        inputs=rows[0] * embed_dim,
        outputs=rows[0] * embed_dim,
        activations=rows[0] * embed_dim,
    )


@operators("_transformer_encoder_layer_fwd")
def encoder_layer(
    seen: Seen,
    src: Tensor,
    embed_dim: int,
    num_heads: int,
    qkv_weight: Tensor,
    qkv_bias: Tensor,
    proj_weight: Tensor,
    proj_bias: Tensor,
    use_gelu: bool,
    norm_first: bool,
    eps: float,
    *weights: Any,
    **_: Any,
) -> Iterator[Work]:
    """A layer of a transformer's encoder in one operator: ``(N, L, d) -> (N, L, d)``.

    ``weights`` are a scale and shift of each normalization, then a weight and bias of each linear layer.
    """
    return _to_itself(src, (qkv_weight, proj_weight, weights[4], weights[6]))


@operators("_native_multi_head_attention")
def native_multihead(
    seen: Seen,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim: int,
    num_head: int,
    qkv_weight: Tensor,
    qkv_bias: Tensor,
    proj_weight: Tensor,
    *_: Any,
    **__: Any,
) -> Iterator[Work]:
    """Attention of several heads to itself in one operator, with its projections."""
    return _to_itself(query, (qkv_weight, proj_weight))


def _to_itself(data: Tensor, weights: tuple[Tensor, ...]) -> Iterator[Work]:
    """Attention of rows of data to each other, and the linear layers around it."""
    rows = data.numel() // max(data.shape[-1], 1)
    for weight in weights:
        yield Work(
            "linear",
            multiply_adds=rows * weight.numel(),
            bias_adds=rows * weight.shape[0],
            weights=weight.numel(),
            inputs=rows * weight.shape[1],
            outputs=rows * weight.shape[0],
            activations=rows * weight.shape[0],
        )
    yield Work(
        "attention",
        multiply_adds=2 * data.numel() * data.shape[-2],
        inputs=3 * data.numel(),
        outputs=data.numel(),
    )

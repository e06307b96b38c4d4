"""Where torch runs attention as one operation: in inference, unless something about the call forbids it."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

QUERY, KEY, VALUE, PADDING, MASK = "query", "key", "value", "key_padding_mask", "attn_mask"
ARGUMENTS = (QUERY, KEY, VALUE, PADDING, "need_weights", MASK)


def is_fused(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether torch runs a call of this module in eval mode and without gradients as one operation.

    Source: ``forward`` of torch.nn.MultiheadAttention and of torch.nn.TransformerEncoderLayer.
    """
    if not isinstance(module, (nn.MultiheadAttention, nn.TransformerEncoderLayer)):
        return False
    if module.training or torch.is_autocast_enabled():
        return False
    if isinstance(module, nn.MultiheadAttention) and type(module).forward is nn.MultiheadAttention.forward:
        return _is_plain(module) and _attends_to_itself(
            {**dict(zip(ARGUMENTS, args, strict=False)), **kwargs}
        )
    if not isinstance(module, nn.TransformerEncoderLayer):
        return False
    if type(module).forward is not nn.TransformerEncoderLayer.forward:
        return False
    layer: Any = module
    source = args[0] if args else kwargs.get("src")
    return (
        isinstance(source, Tensor)
        and source.dim() == 3
        and _is_plain(layer.self_attn, added=True)
        and bool(layer.activation_relu_or_gelu)
        and layer.norm1.eps == layer.norm2.eps
        and not any(each._forward_hooks or each._forward_pre_hooks for each in layer.modules())
    )


def _is_plain(attention: Any, *, added: bool = False) -> bool:
    """Whether attention has weights in one piece with a bias, and nothing ``added`` to keys unless it may."""
    return bool(
        attention.batch_first
        and attention._qkv_same_embed_dim
        and attention.in_proj_weight is not None
        and attention.in_proj_bias is not None
        and attention.num_heads % 2 == 0
        and (added or (attention.bias_k is None and attention.bias_v is None and not attention.add_zero_attn))
    )


def _attends_to_itself(given: Mapping[str, Any]) -> bool:
    """Whether queries, keys and values are one batch of sequences, and masks say yes or no."""
    query = given[QUERY]
    masks = (given.get(PADDING), given.get(MASK))
    return (
        query.dim() == 3
        and given[KEY] is query
        and given[VALUE] is query
        and not any(mask is not None and mask.is_floating_point() for mask in masks)
    )

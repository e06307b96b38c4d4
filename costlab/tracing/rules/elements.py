"""Operations element by element, reductions, and those that only move elements: none has weights."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from costlab.algebra.work import Work
from costlab.tracing.rules.registry import Seen, calls, operators

REDUCTIONS = frozenset(
    [
        "all",
        "amax",
        "amin",
        "aminmax",
        "any",
        "argmax",
        "argmin",
        "cummax",
        "cummin",
        "cumprod",
        "cumsum",
        "count_nonzero",
        "logcumsumexp",
        "logsumexp",
        "linalg_vector_norm",
        "max",
        "mean",
        "median",
        "min",
        "mode",
        "nanmean",
        "nansum",
        "norm",
        "prod",
        "std",
        "std_mean",
        "sum",
        "var",
        "var_mean",
        "_log_softmax",
        "_softmax",
        "_safe_softmax",
        "_masked_softmax",
        "sort",
        "topk",
        "kthvalue",
        "trace",
        "bucketize",
        "searchsorted",
        "histc",
        "rrelu_with_noise",
        "floor_divide",
        "polar",
        "scatter_add",
        "scatter_reduce",
        "index_add",
        "index_reduce",
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
        "huber_loss",
        "mse_loss",
        "multi_margin_loss",
        "multilabel_margin_loss_forward",
        "nll_loss2d_forward",
        "nll_loss_forward",
        "smooth_l1_loss",
        "soft_margin_loss",
        "_weight_norm_interface",
    ]
)
"""Operators of aten that reduce or rank elements: no multiply-adds, but work."""
MOVES = frozenset(
    [
        "_copy_from",
        "_reshape_copy",
        "_resize_output_",
        "_to_copy",
        "_unsafe_view",
        "arange",
        "as_strided_copy",
        "bernoulli",
        "block_diag",
        "cat",
        "channel_shuffle",
        "clone",
        "col2im",
        "combinations",
        "constant_pad_nd",
        "copy",
        "detach",
        "diag_embed",
        "dropout",
        "empty",
        "empty_like",
        "empty_strided",
        "eye",
        "fill",
        "flip",
        "full",
        "full_like",
        "gather",
        "im2col",
        "index",
        "index_copy",
        "index_fill",
        "index_put",
        "index_select",
        "lift_fresh",
        "lift_fresh_copy",
        "linspace",
        "logspace",
        "masked_fill",
        "masked_scatter",
        "masked_select",
        "max_unpool2d",
        "max_unpool3d",
        "native_dropout",
        "native_dropout_backward",
        "new_empty",
        "new_empty_strided",
        "new_full",
        "new_ones",
        "new_zeros",
        "normal_",
        "one_hot",
        "ones",
        "ones_like",
        "pixel_shuffle",
        "pixel_unshuffle",
        "rand",
        "rand_like",
        "randint",
        "randint_like",
        "randn",
        "randn_like",
        "randperm",
        "reflection_pad1d",
        "reflection_pad2d",
        "reflection_pad3d",
        "repeat",
        "repeat_interleave",
        "replication_pad1d",
        "replication_pad2d",
        "replication_pad3d",
        "resize_",
        "roll",
        "rot90",
        "scalar_tensor",
        "scatter",
        "select_backward",
        "select_scatter",
        "set_",
        "slice_backward",
        "slice_scatter",
        "split_with_sizes_copy",
        "stack",
        "take",
        "tensor_split",
        "tril",
        "tril_indices",
        "triu",
        "triu_indices",
        "unfold_copy",
        "uniform_",
        "unsafe_chunk",
        "unsafe_split",
        "unsafe_split_with_sizes",
        "where",
        "zero_",
        "zeros",
        "zeros_like",
        "exponential_",
        "random_",
        "nan_to_num",
        "_fused_dropout",
        "_local_scalar_dense",
        "_pack_padded_sequence",
        "_pad_packed_sequence",
        "_assert_async",
        "_assert_scalar",
        "_assert_tensor_metadata",
        "_linalg_check_errors",
    ]
)
"""Operators of aten that make, copy or rearrange elements: they cost nothing in any convention here."""
VIEWS = frozenset(
    ["as_strided_", "detach_", "squeeze_", "swapaxes_", "swapdims_", "t_", "transpose_", "unsqueeze_"]
)
"""Operators that turn a tensor itself into a view; torch does not list them as views."""


def moves(operator: str) -> bool:
    """Whether an operator of aten only moves elements, in place too."""
    return operator in MOVES or operator.rstrip("_") in MOVES or operator in VIEWS


ALIASES = {
    "_softmax": "softmax",
    "_safe_softmax": "softmax",
    "_log_softmax": "log_softmax",
    "cat": "concat",
    "stack": "concat",
    "_prelu_kernel": "prelu",
    "true_divide": "div",
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
    "rsub": "sub",
    "square": "pow",
}


def kind_of(operator: str) -> str:
    """The kind of an operator of aten by its name."""
    name = operator.rstrip("_") if not operator.endswith("__") else operator
    return ALIASES.get(name, name)


def element_work(seen: Seen, operator: str, args: tuple[Any, ...]) -> Work:
    """Elements read and written, and no more."""
    outputs = seen.output if isinstance(seen.output, tuple | list) else (seen.output,)
    return Work(
        kind_of(operator),
        inputs=sum(each.numel() for each in args if isinstance(each, Tensor)),
        outputs=sum(each.numel() for each in outputs if isinstance(each, Tensor)),
    )


@calls(F.embedding, F.embedding_bag)
def embedding(seen: Seen, input: Tensor, weight: Tensor, *_: Any, **__: Any) -> Work:
    """``(*) -> (*, features)``: rows of a table, no multiply-adds."""
    return Work("embedding", inputs=input.numel(), outputs=seen.first.numel())


@calls(
    F.dropout, F.dropout1d, F.dropout2d, F.dropout3d, F.alpha_dropout, F.feature_alpha_dropout, torch.dropout
)
def dropout(seen: Seen, input: Tensor, *_: Any, **__: Any) -> Work:
    """Any shape to the same."""
    return Work("dropout", inputs=input.numel(), outputs=input.numel())


@operators("embedding", "_embedding_bag")
def embedding_operator(seen: Seen, weight: Tensor, indices: Tensor, *_: Any, **__: Any) -> Work:
    """An embedding that was called as an operator of aten."""
    return embedding(seen, indices, weight)


@calls(torch.flatten, Tensor.flatten)
def flatten(seen: Seen, input: Tensor, *_: Any, **__: Any) -> Work:
    """Any shape to one with fewer axes."""
    return element_work(seen, "flatten", (input,))


@calls(torch.cat, torch.concat, torch.stack)
def concat(seen: Seen, tensors: Any, *_: Any, **__: Any) -> Work:
    """Tensors concatenated or stacked."""
    return element_work(seen, "cat", tuple(tensors))


def is_plain_gradient(operator: str) -> bool:
    """Whether an operator computes gradients of something other than a product of matrices."""
    return "_backward" in operator and not any(part in operator for part in ("attention", "cdist", "linalg"))

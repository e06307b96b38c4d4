"""Normalization."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from costlab.algebra.work import Work
from costlab.tracing.rules.registry import Seen, calls, like, operators, shapes
from costlab.tracing.stand_in import stand_in


def _normalized(kind: str, input: Tensor, weight: Tensor | None) -> Work:
    elements = input.numel()
    return Work(kind, inputs=elements, outputs=elements, scalings=0 if weight is None else elements)


def _ranked(kind: str, input: Tensor) -> str:
    """The kind of a normalization by channels, named by the axes beside them."""
    return f"{kind}{max(input.dim() - 2, 1)}d"


@calls(F.batch_norm)
def batch_norm(
    seen: Seen,
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    *_: Any,
    **__: Any,
) -> Work:
    """``(N, C, *size) -> (N, C, *size)``; in training the statistics are those of the batch."""
    return _normalized(_ranked("batch_norm", input), input, weight)


@calls(torch.batch_norm)
def batch_norm_of_torch(
    seen: Seen,
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    *_: Any,
    **__: Any,
) -> Work:
    """The same, with the arguments in another order."""
    return batch_norm(seen, input, running_mean, running_var, weight, bias, training)


@shapes(F.batch_norm)
def batch_norm_shape(
    input: Tensor,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    *_: Any,
    **__: Any,
) -> Any:
    """As the input, where torch would accept it."""
    if training or running_mean is None or input.dim() < 2:
        return NotImplemented
    held = (running_mean, running_var, weight, bias)
    fits = all(each is None or tuple(each.shape) == (input.shape[1],) for each in held)
    return like(input) if fits else NotImplemented


@calls(F.layer_norm, torch.layer_norm)
def layer_norm(
    seen: Seen,
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    *_: Any,
    **__: Any,
) -> Work:
    """``(*, *shape) -> (*, *shape)``."""
    return _normalized("layer_norm", input, weight)


@calls(F.rms_norm, torch.rms_norm)
def rms_norm(
    seen: Seen, input: Tensor, normalized_shape: Any, weight: Tensor | None = None, *_: Any, **__: Any
) -> Work:
    """``(*, *shape) -> (*, *shape)``, without a mean."""
    return _normalized("rms_norm", input, weight)


@shapes(F.layer_norm)
def layer_norm_shape(
    input: Tensor, normalized_shape: Any, weight: Any = None, bias: Any = None, *_: Any, **__: Any
) -> Any:
    """As the input, where torch would accept it; always contiguous, even if the input is not."""
    if not _fits(input, normalized_shape, weight, bias):
        return NotImplemented
    return stand_in(input.size(), input.dtype, input.device)


@shapes(F.rms_norm)
def rms_norm_shape(input: Tensor, normalized_shape: Any, weight: Any = None, *_: Any, **__: Any) -> Any:
    """As the input, where torch would accept it."""
    return like(input) if _fits(input, normalized_shape, weight) else NotImplemented


def _fits(input: Tensor, normalized_shape: Any, *held: Any) -> bool:
    shape = tuple(normalized_shape)
    sizes = (input.shape[-len(shape) :], *(each.shape for each in held if isinstance(each, Tensor)))
    return all(tuple(each) == shape for each in sizes)


@calls(F.group_norm, torch.group_norm)
def group_norm(
    seen: Seen,
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    *_: Any,
    **__: Any,
) -> Work:
    """``(N, C, *size) -> (N, C, *size)``."""
    return _normalized("group_norm", input, weight)


@calls(F.instance_norm)
def instance_norm(
    seen: Seen,
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    *_: Any,
    **__: Any,
) -> Work:
    """``(N, C, *size) -> (N, C, *size)``."""
    return _normalized(_ranked("instance_norm", input), input, weight)


@calls(torch.instance_norm)
def instance_norm_of_torch(
    seen: Seen, input: Tensor, weight: Tensor | None, bias: Tensor | None, *_: Any, **__: Any
) -> Work:
    """The same, with the arguments in another order."""
    return instance_norm(seen, input, None, None, weight, bias)


@calls(F.local_response_norm)
def local_response_norm(seen: Seen, input: Tensor, size: int, *_: Any, **__: Any) -> Work:
    """``(N, C, *size) -> (N, C, *size)``, over neighbouring channels."""
    return Work("local_response_norm", inputs=input.numel(), outputs=input.numel())


@operators(
    "_batch_norm_no_update",
    "_batch_norm_with_update",
    "_batch_norm_with_update_functional",
    "_native_batch_norm_legit",
    "_native_batch_norm_legit_functional",
    "_native_batch_norm_legit_no_training",
    "native_batch_norm",
)
def batch_norm_operator(
    seen: Seen, input: Tensor, weight: Tensor | None, bias: Tensor | None, *_: Any, **__: Any
) -> Work:
    """Batch norm that was called as an operator of aten."""
    return _normalized(_ranked("batch_norm", input), input, weight)


@operators("native_layer_norm")
def layer_norm_operator(
    seen: Seen, input: Tensor, shape: Any, weight: Tensor | None, bias: Tensor | None, *_: Any, **__: Any
) -> Work:
    """Layer norm that was called as an operator of aten."""
    return _normalized("layer_norm", input, weight)


@operators("native_group_norm")
def group_norm_operator(
    seen: Seen, input: Tensor, weight: Tensor | None, bias: Tensor | None, *_: Any, **__: Any
) -> Work:
    """Group norm that was called as an operator of aten."""
    return _normalized("group_norm", input, weight)

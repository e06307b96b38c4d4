"""Convolutions of 1, 2 and 3 dimensions, and transposed ones."""

from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from costlab.algebra.window import per_axis, slide_each
from costlab.algebra.work import Work
from costlab.tracing.rules.registry import Seen, calls, operators, shapes
from costlab.tracing.stand_in import stand_in


@calls(F.conv1d, F.conv2d, F.conv3d)
def convolution(
    seen: Seen,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Work:
    """``(N, C, *size) -> (N, filters, *size')``: one multiply-add per weight per output position."""
    return convolved("conv", seen, input, weight, bias, positions=_positions(seen.output, weight))


def _positions(map: Tensor, weight: Tensor) -> int:
    """The positions of a feature map, those of every input of a batch."""
    rank = weight.dim() - 2
    return prod(map.shape[-rank:]) * (map.shape[0] if map.dim() == rank + 2 else 1)


def convolved(
    kind: str, seen: Seen, input: Tensor, weight: Tensor, bias: Tensor | None, positions: int
) -> Work:
    """The work where each weight is used at ``positions``."""
    outputs = seen.output.numel()
    return Work(
        f"{kind}{weight.dim() - 2}d",
        multiply_adds=weight.numel() * positions,
        bias_adds=0 if bias is None else outputs,
        weights=weight.numel(),
        inputs=input.numel(),
        outputs=outputs,
        activations=outputs,
    )


@calls(F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)
def transposed(
    seen: Seen,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Work:
    """``(N, C, *size) -> (N, filters, *size')``: one multiply-add per weight per input position."""
    return convolved("conv_transpose", seen, input, weight, bias, positions=_positions(input, weight))


@operators("convolution", "_convolution", "convolution_overrideable")
def convolution_operator(
    seen: Seen,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed_: bool = False,
    output_padding: Any = 0,
    groups: int = 1,
    *_: Any,
) -> Work:
    """A convolution that was called as an operator of aten."""
    if transposed_:
        return transposed(seen, input, weight, bias, stride, padding, output_padding, groups, dilation)
    return convolution(seen, input, weight, bias, stride, padding, dilation, groups)


KERNELS = (
    "_conv_depthwise2d",
    "_nnpack_spatial_convolution",
    "_slow_conv2d_forward",
    "conv_depthwise3d",
    "cudnn_convolution",
    "cudnn_convolution_add_relu",
    "cudnn_convolution_relu",
    "miopen_convolution",
    "miopen_convolution_add_relu",
    "miopen_convolution_relu",
    "miopen_depthwise_convolution",
    "mkldnn_convolution",
    "slow_conv3d_forward",
    "slow_conv_dilated2d",
    "slow_conv_dilated3d",
)
"""Convolutions by the kernel that runs them; they differ in what comes after the weight."""


@operators(*KERNELS)
def kernel_operator(seen: Seen, input: Tensor, weight: Tensor, *rest: Any, **named: Any) -> Work:
    """A convolution that was called as an operator of aten for one kind of processor."""
    return convolution(seen, input, weight, _bias(rest, named))


@operators(
    "cudnn_convolution_transpose",
    "miopen_convolution_transpose",
    "slow_conv_transpose2d",
    "slow_conv_transpose3d",
)
def transposed_kernel_operator(seen: Seen, input: Tensor, weight: Tensor, *rest: Any, **named: Any) -> Work:
    """A transposed convolution that was called so."""
    return transposed(seen, input, weight, _bias(rest, named))


def _bias(rest: Any, named: Any) -> Tensor | None:
    given = (*rest, *named.values())
    return next((each for each in given if isinstance(each, Tensor) and each.dim() == 1), None)


@calls(torch.conv_tbc)
@operators("conv_tbc")
def convolution_in_time(seen: Seen, input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Work:
    """``(T, N, C) -> (T', N, filters)`` by a weight ``(kernel, C, filters)``, at each position."""
    outputs = seen.output.numel()
    return Work(
        "conv_tbc",
        multiply_adds=weight.numel() * seen.output.shape[0] * input.shape[1],
        bias_adds=outputs,
        weights=weight.numel(),
        inputs=input.numel(),
        outputs=outputs,
        activations=outputs,
    )


@operators("conv_tbc_backward")
def convolution_in_time_backward(
    seen: Seen, gradient: Tensor, input: Tensor, weight: Tensor, bias: Tensor, pad: int
) -> Work:
    """The gradients of one: of the input, the weight and the bias, always all of them."""
    return Work(
        "conv_tbc_backward",
        multiply_adds=2 * weight.numel() * gradient.shape[0] * gradient.shape[1],
        bias_adds=gradient.numel(),
        inputs=gradient.numel() + input.numel(),
        outputs=input.numel() + weight.numel(),
    )


@operators("convolution_backward")
def convolution_backward(
    seen: Seen,
    gradient: Tensor,
    input: Tensor,
    weight: Tensor,
    bias_sizes: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed_: bool,
    output_padding: Any,
    groups: int,
    wanted: tuple[bool, bool, bool],
) -> Work:
    """The gradients of a convolution: the input's and the weight's each cost as much as the forward pass."""
    once = weight.numel() * _positions(input if transposed_ else gradient, weight)
    name = "conv_transpose" if transposed_ else "conv"
    return Work(
        f"{name}{weight.dim() - 2}d_backward",
        multiply_adds=once * (wanted[0] + wanted[1]),
        bias_adds=gradient.numel() if wanted[2] else 0,
        inputs=gradient.numel() + input.numel(),
        outputs=(input.numel() if wanted[0] else 0) + (weight.numel() if wanted[1] else 0),
    )


@shapes(F.conv1d, F.conv2d, F.conv3d)
def convolution_shape(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The output where torch accepts the call; else NotImplemented, so that torch raises its own error."""
    sizes, kernel = input.shape, weight.shape[2:]
    rank = len(kernel)
    if groups < 1 or weight.shape[0] < 1:  # which torch's meta device lets pass, or divides by
        raise RuntimeError(f"a weight {tuple(weight.shape)} in {groups} groups has no filters")
    if len(sizes) != rank + 2 or weight.shape[0] % groups:
        return NotImplemented
    if sizes[1] != weight.shape[1] * groups:  # without values torch says less
        raise RuntimeError(
            f"the input {tuple(sizes)} has {sizes[1]} channels, and the weight {tuple(weight.shape)} "
            f"in {groups} groups takes {weight.shape[1] * groups}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise RuntimeError(f"the bias {tuple(bias.shape)} is not that of {weight.shape[0]} filters")
    if input.dtype != weight.dtype:
        return NotImplemented
    if isinstance(padding, str):
        if padding != "same" or any(step != 1 for step in per_axis(stride, rank)):
            return NotImplemented
        return stand_in((sizes[0], weight.shape[0], *sizes[2:]), input.dtype, input.device)
    if min(per_axis(padding, rank)) < 0 or min(*per_axis(stride, rank), *per_axis(dilation, rank)) < 1:
        raise RuntimeError(f"negative padding={padding}, or stride={stride} or dilation={dilation} below 1")
    out = slide_each(sizes[2:], kernel, stride, padding, dilation)
    if min(out) < 1:
        return NotImplemented
    return stand_in((sizes[0], weight.shape[0], *out), input.dtype, input.device)

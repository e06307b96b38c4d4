"""Convolutions of every rank, transposed too."""

from collections.abc import Mapping
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from costlab.algebra.work import NOTHING_ELSE, Work
from costlab.tracing.rules.registry import Seen, calls, operators, shapes

Sizes = tuple[int, ...]


def spread(value: Any, rank: int) -> Sizes:
    """One number for each axis, where one may stand for all."""
    if isinstance(value, int):
        return (value,) * rank
    return tuple(value) * rank if len(value) == 1 else tuple(value)


def slid(sizes: Sizes, kernel: Sizes, stride: Any, padding: Any, dilation: Any) -> Sizes:
    """How many windows fit along each axis, with as much padding at both ends."""
    settings = (spread(each, len(sizes)) for each in (padding, dilation, stride))
    axes = zip(sizes, kernel, *settings, strict=True)
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, p, d, s in axes)


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
    sizes = seen.output.shape
    rank = weight.dim() - 2
    positions = prod(sizes[-rank:]) * (sizes[0] if len(sizes) == rank + 2 else 1)
    named = isinstance(padding, str)
    also = _named(weight, bias, sizes, padding, spread(dilation, rank)) if named else NOTHING_ELSE
    work = convolved("conv", seen, input, weight, bias, positions)
    lost = _lost(seen, work.multiply_adds, weight, bias)
    return work._replace(also={"samples": seen.samples, **lost, **also})


def _lost(seen: Seen, multiply_adds: Any, weight: Tensor, bias: Tensor | None) -> Mapping[str, int]:
    """What a tool that knows convolutions by the names of their classes loses, and what it sees instead."""
    held = weight.numel() + (0 if bias is None else bias.numel())
    whole = multiply_adds + (0 if bias is None else seen.output.numel())
    known = "Conv" in type(seen.module).__name__
    return {
        "lost_positions": 0 if known else whole - seen.samples * held,
        "own_weights": seen.own(weight, bias),
    }


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
        form=seen.form,
    )


def _named(
    weight: Tensor, bias: Tensor | None, sizes: Sizes, padding: str, dilation: Sizes
) -> Mapping[str, int]:
    """What tools make of padding by name: none at all, or one that is even."""
    kernel = weight.shape[2:]
    rank = len(kernel)
    batch = sizes[0] if len(sizes) == rank + 2 else 1
    out = sizes[-rank:]
    lost = [padding == "same" and d * (k - 1) % 2 for d, k in zip(dilation, kernel, strict=True)]
    edge = batch * (prod(out) - prod(n - int(less) for n, less in zip(out, lost, strict=True)))
    return {
        "named_padding": weight.numel() * batch * prod(out),
        "edge": weight.numel() * edge,
        "edge_bias": 0 if bias is None else weight.shape[0] * edge,
    }


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
    rank = weight.dim() - 2
    kernel, sizes = weight.shape[2:], input.shape
    batch = sizes[0] if len(sizes) == rank + 2 else 1
    positions = batch * prod(sizes[-rank:])
    # What a convolution that is not transposed would put out, which one tool adds the bias to.
    forward = slid(sizes[-rank:], kernel, stride, padding, dilation)
    by_output = seen.output.numel() * (weight.shape[0] // groups) * prod(kernel)
    kept = seen.output.shape[-rank - 1] == weight.shape[0]
    also = {
        "samples": seen.samples,
        **_lost(seen, by_output, weight, bias),
        "by_output": by_output,
        "by_output_ungrouped": by_output if kept else by_output * groups,
        "floored": positions * prod(kernel) * weight.shape[0] * (weight.shape[1] // groups),
        "input_bias": 0 if bias is None else weight.shape[1] * batch * prod(forward),
    }
    work = convolved("conv_transpose", seen, input, weight, bias, positions)
    return work._replace(also=also)


@operators("convolution", "_convolution", "cudnn_convolution", "mkldnn_convolution")
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
    """A convolution that was asked for as an operator of aten."""
    if transposed_:
        return transposed(seen, input, weight, bias, stride, padding, output_padding, groups, dilation)
    return convolution(seen, input, weight, bias, stride, padding, dilation, groups)


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
    """The gradients of a convolution: each of the input and of the weight costs what the way forward does."""
    rank = weight.dim() - 2
    one = weight.numel() * gradient.shape[0] * prod((input if transposed_ else gradient).shape[-rank:])
    kind = f"conv{'_transpose' * transposed_}{rank}d_backward"
    too_much = one * (groups - 1) if wanted[1] else 0
    return Work(
        kind,
        multiply_adds=one * (wanted[0] + wanted[1]),
        bias_adds=gradient.numel() if wanted[2] else 0,
        inputs=gradient.numel() + input.numel(),
        outputs=(input.numel() if wanted[0] else 0) + (weight.numel() if wanted[1] else 0),
        form=seen.form,
        also={"samples": seen.samples, "ungrouped": too_much},
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
    """What comes out, where torch accepts it; else NotImplemented, so that torch says why."""
    sizes, kernel = input.shape, weight.shape[2:]
    rank = len(kernel)
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
        if padding != "same" or any(step != 1 for step in spread(stride, rank)):
            return NotImplemented
        return torch.empty((sizes[0], weight.shape[0], *sizes[2:]), dtype=input.dtype, device="meta")
    if min(spread(padding, rank)) < 0 or min(*spread(stride, rank), *spread(dilation, rank)) < 1:
        raise RuntimeError(f"negative padding={padding}, or stride={stride} or dilation={dilation} below 1")
    out = slid(sizes[2:], kernel, stride, padding, dilation)
    if min(out) < 1:
        return NotImplemented
    return torch.empty((sizes[0], weight.shape[0], *out), dtype=input.dtype, device="meta")

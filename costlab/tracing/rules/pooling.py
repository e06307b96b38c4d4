"""Pooling."""

from collections.abc import Callable
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from costlab.algebra.window import adapted, per_axis, slide_each, windowed
from costlab.algebra.work import Work
from costlab.tracing.rules.registry import CALLS, OPERATORS, Seen, calls, operators, shapes
from costlab.tracing.stand_in import stand_in

RANKS = (1, 2, 3)


def _pooled(kind: str, seen: Seen, input: Tensor, window_elements: int = 0) -> Work:
    outputs = seen.first.numel()
    return Work(kind, inputs=input.numel(), outputs=outputs, window_elements=window_elements)


def _plain(kind: str) -> Callable[..., Work]:
    def pool(seen: Seen, input: Tensor, *_: Any, **__: Any) -> Work:
        return _pooled(kind, seen, input)

    return pool


def _average(rank: int) -> Callable[..., Work]:
    def pool(
        seen: Seen,
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        *_: Any,
        **__: Any,
    ) -> Work:
        kernel, zeros = per_axis(kernel_size, rank), per_axis(padding, rank)
        steps = per_axis(stride, rank) if stride else kernel
        within = seen.output.numel() * prod(kernel)
        if not count_include_pad:
            sizes = zip(input.shape[-rank:], seen.output.shape[-rank:], kernel, steps, zeros, strict=True)
            each = [windowed(*axis) for axis in sizes]
            within = prod(seen.output.shape[:-rank]) * prod(each)
        return _pooled(f"avg_pool{rank}d", seen, input, within)

    return pool


def _adaptive_average(rank: int) -> Callable[..., Work]:
    def pool(seen: Seen, input: Tensor, *_: Any, **__: Any) -> Work:
        axes = zip(input.shape[-rank:], seen.output.shape[-rank:], strict=True)
        within = prod(seen.output.shape[:-rank]) * prod(adapted(n, m) for n, m in axes)
        return _pooled(f"adaptive_avg_pool{rank}d", seen, input, within)

    return pool


for n in RANKS:
    named = {
        f"max_pool{n}d": _plain(f"max_pool{n}d"),
        f"avg_pool{n}d": _average(n),
        f"adaptive_avg_pool{n}d": _adaptive_average(n),
        f"adaptive_max_pool{n}d": _plain(f"adaptive_max_pool{n}d"),
        f"max_pool{n}d_with_indices": _plain(f"max_pool{n}d"),
        f"adaptive_max_pool{n}d_with_indices": _plain(f"adaptive_max_pool{n}d"),
        f"lp_pool{n}d": _plain(f"lp_pool{n}d"),
        f"fractional_max_pool{n}d": _plain(f"fractional_max_pool{n}d"),
    }
    for name, rule in named.items():
        for home in (F, torch, torch._C._nn):
            if function := getattr(home, name, None):
                CALLS[function] = rule


@shapes(F.max_pool2d, torch.max_pool2d)
def max_pool_shape(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The output of a pooling that torch would accept."""
    if input.dim() != 4 or return_indices or ceil_mode or not input.is_contiguous():
        return NotImplemented
    kernel, zeros = per_axis(kernel_size, 2), per_axis(padding, 2)
    if any(2 * p > k for p, k in zip(zeros, kernel, strict=True)):
        return NotImplemented
    out = slide_each(input.shape[2:], kernel, stride or kernel, zeros, dilation)
    if min(out) < 1:
        return NotImplemented
    return stand_in((*input.shape[:2], *out), input.dtype, input.device)


@calls(F.interpolate, F.upsample)
def interpolate(
    seen: Seen,
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    *_: Any,
    **__: Any,
) -> Work:
    """``(N, C, *size) -> (N, C, *size')``."""
    kind = f"interpolate_{mode.replace('-', '_')}"
    return Work(kind, inputs=input.numel(), outputs=seen.output.numel())


@calls(F.grid_sample)
def grid_sample(seen: Seen, input: Tensor, grid: Tensor, mode: str = "bilinear", *_: Any, **__: Any) -> Work:
    """``(N, C, H, W), (N, H', W', 2) -> (N, C, H', W')``."""
    inputs = input.numel() + grid.numel()
    return Work(f"grid_sample_{mode}", inputs=inputs, outputs=seen.output.numel())


RESIZED = {
    "upsample_nearest": "nearest",
    "_upsample_nearest_exact": "nearest_exact",
    "upsample_linear": "linear",
    "upsample_bilinear": "bilinear",
    "_upsample_bilinear": "bilinear",
    "upsample_trilinear": "trilinear",
    "upsample_bicubic": "bicubic",
    "_upsample_bicubic": "bicubic",
    "_upsample_lanczos": "lanczos",
}
"""How operators of aten that resize maps, by the beginning of their names, interpolate."""


def _resized(mode: str) -> Callable[..., Work]:
    def resize(seen: Seen, input: Tensor, *_: Any, **__: Any) -> Work:
        return Work(f"interpolate_{mode}", inputs=input.numel(), outputs=seen.output.numel())

    return resize


for begin, mode in RESIZED.items():
    for rank in RANKS:
        for end in ("", "_aa"):
            OPERATORS[f"{begin}{rank}d{end}"] = _resized(mode)


@operators("grid_sampler_2d", "grid_sampler_3d", "_grid_sampler_2d_cpu_fallback")
def grid_sampler(seen: Seen, input: Tensor, grid: Tensor, mode: int = 0, *_: Any, **__: Any) -> Work:
    """A grid sample that was called as an operator of aten."""
    return grid_sample(seen, input, grid, ("bilinear", "nearest", "bicubic")[mode])

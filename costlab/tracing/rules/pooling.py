"""Pooling."""

from collections.abc import Callable
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from costlab.algebra.window import adapted, windowed
from costlab.algebra.work import Work
from costlab.tracing.rules.convolution import slid, spread
from costlab.tracing.rules.registry import CALLS, Seen, calls, shapes

RANKS = (1, 2, 3)


def _pooled(kind: str, seen: Seen, input: Tensor, **also: int) -> Work:
    output = seen.output[0] if isinstance(seen.output, tuple) else seen.output
    return Work(
        kind,
        inputs=input.numel(),
        outputs=output.numel(),
        form=seen.form,
        also={"samples": seen.samples, **also},
    )


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
        kernel, zeros = spread(kernel_size, rank), spread(padding, rank)
        steps = spread(stride, rank) if stride else kernel
        within = seen.output.numel() * prod(kernel)
        if not count_include_pad:
            sizes = zip(input.shape[-rank:], seen.output.shape[-rank:], kernel, steps, zeros, strict=True)
            each = [windowed(*axis) for axis in sizes]
            within = prod(seen.output.shape[:-rank]) * prod(each)
        return _pooled(f"avg_pool{rank}d", seen, input, window=within)

    return pool


def _adaptive_average(rank: int) -> Callable[..., Work]:
    def pool(seen: Seen, input: Tensor, *_: Any, **__: Any) -> Work:
        sizes, out = input.shape[-rank:], seen.output.shape[-rank:]
        each = [adapted(n, m) for n, m in zip(sizes, out, strict=True)]
        kernel = prod(n / m for n, m in zip(sizes, out, strict=True))
        elements = seen.output.numel()
        return _pooled(
            f"adaptive_avg_pool{rank}d",
            seen,
            input,
            window=prod(seen.output.shape[:-rank]) * prod(each),
            truncated=int((kernel + 1) * elements) - input.numel() - elements,
        )

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
    if input.dim() != 4 or return_indices or ceil_mode:
        return NotImplemented
    kernel, zeros = spread(kernel_size, 2), spread(padding, 2)
    if any(2 * p > k for p, k in zip(zeros, kernel, strict=True)):
        return NotImplemented
    out = slid(input.shape[2:], kernel, stride or kernel, zeros, dilation)
    if min(out) < 1:
        return NotImplemented
    return torch.empty((*input.shape[:2], *out), dtype=input.dtype, device="meta")


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
    asked = int(prod(size)) if isinstance(size, tuple | list) else int(size) if size is not None else 0
    return Work(
        f"interpolate_{mode.replace('-', '_')}",
        inputs=input.numel(),
        outputs=seen.output.numel(),
        form=seen.form,
        also={
            "samples": seen.samples,
            "plane": seen.output.numel() if input.dim() == 4 else 0,
            "first_outputs": seen.output.numel() // max(input.shape[0], 1),
            "interpolated": asked or input.numel(),
            "resized": asked or seen.output.numel(),
        },
    )


@calls(F.grid_sample)
def grid_sample(seen: Seen, input: Tensor, grid: Tensor, mode: str = "bilinear", *_: Any, **__: Any) -> Work:
    """``(N, C, H, W), (N, H', W', 2) -> (N, C, H', W')``."""
    return Work(
        f"grid_sample_{mode}",
        inputs=input.numel() + grid.numel(),
        outputs=seen.output.numel(),
        form=seen.form,
        also={"samples": seen.samples},
    )

"""Layers in training on a CPU with fewer passes over memory, where `costlab[fast]` brings a compiler.

Layers keep their places, parameters and buffers; only what some of them run in training is another function,
which gives the same up to rounding.
"""

from functools import cache
from itertools import pairwise
from math import gcd
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

STRIP = 256
"""Values that are treated together, about."""


@cache
def has_kernels() -> bool:
    """Whether there are compiled kernels, loaded or compiled here at the first call."""
    try:
        from costlab.train import kernels  # noqa: F401  # it is used later
    except (ImportError, RuntimeError):  # there is no numba, or no place where it keeps what it compiled
        return False
    pixels = torch.ones(2, 1, 1, 1)
    network = nn.Sequential(nn.BatchNorm2d(1), nn.ReLU(), nn.AvgPool2d(3, 1, 1))
    fuse(network)
    network(pixels.requires_grad_()).sum().backward()
    return True


def fuse(network: nn.Module) -> None:
    """Let a batch norm and the ReLU after it in an ``nn.Sequential`` run in one pass, and average pools too.

    Only layers of torch's own classes that nothing is hooked to change, and only what they do in training to
    float32 in channels_last on a CPU.
    """
    for module in network.modules():
        if type(module) is nn.Sequential and any(_is_pair(*pair) for pair in pairwise(module)):
            module.forward = _Sequence(module)  # type: ignore[method-assign]  # of this one
        elif type(module) is nn.AvgPool2d and _keeps_size(module):
            module.forward = _AveragePool(module)  # type: ignore[method-assign,assignment]  # of this one


class _Sequence:
    """The forward of a sequence."""

    def __init__(self, sequence: nn.Sequential) -> None:
        self._sequence = sequence

    def __call__(self, x: Any) -> Any:
        layers: list[Any] = [*self._sequence, None]
        is_done = False
        for layer, following in pairwise(layers):
            if is_done:
                is_done = False
            elif _is_pair(layer, following) and _is_taken(layer, x):
                x, is_done = _normalized(layer, x), True
            else:
                x = layer(x)
        return x


class _AveragePool:
    """The forward of an average pool that keeps the size."""

    def __init__(self, pool: nn.AvgPool2d) -> None:
        self._pool = pool

    def __call__(self, x: Any) -> Any:
        pool = self._pool
        if not (pool.training and _is_map(x)) or _is_hooked(pool):
            return nn.AvgPool2d.forward(pool, x)
        return _MeanAround.apply(x, *_pair(pool.kernel_size))  # type: ignore[no-untyped-call]  # torch leaves it without types


def _is_pair(layer: Any, following: Any) -> bool:
    """Whether a layer and the one that follows run as one."""
    return (
        type(layer) is nn.BatchNorm2d
        and type(following) is nn.ReLU
        and not (_is_hooked(layer) or _is_hooked(following))
    )


def _is_hooked(module: nn.Module) -> bool:
    """Whether something else is called along with a module."""
    hooks = (module._forward_hooks, module._forward_pre_hooks)  # noqa: SLF001  # torch tells it nowhere else
    return any((*hooks, module._backward_hooks, module._backward_pre_hooks))  # noqa: SLF001  # as above


def _keeps_size(pool: nn.AvgPool2d) -> bool:
    kernel = _pair(pool.kernel_size)
    return (
        _pair(pool.stride) == (1, 1)
        and all(size % 2 for size in kernel)
        and _pair(pool.padding) == (kernel[0] // 2, kernel[1] // 2)
        and pool.count_include_pad
        and pool.divisor_override is None
    )


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _is_map(x: Any) -> bool:
    return (
        isinstance(x, Tensor)
        and x.dim() == 4
        and x.dtype == torch.float32
        and x.is_cpu
        and x.numel() > 0
        and x.is_contiguous(memory_format=torch.channels_last)
    )


def _is_taken(norm: nn.BatchNorm2d, x: Any) -> bool:
    """Whether a batch norm trains on a map as it does by default, and torch would not refuse it."""
    return (
        norm.training
        and isinstance(norm.momentum, float)
        and _is_map(x)
        and x.shape[1] == norm.num_features < x.numel()
        and all(
            _is_vector(tensor) for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
        )
    )


def _is_vector(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.dtype == torch.float32 and tensor.is_contiguous()


def _normalized(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Batch norm in training, then ReLU."""
    if norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
    running = norm.running_mean, norm.running_var
    made: Tensor = _Normalize.apply(x, norm.weight, norm.bias, *running, norm.momentum, norm.eps)  # type: ignore[no-untyped-call]  # torch leaves it without types
    return made


class _Normalize(torch.autograd.Function):
    """Batch norm in training, then ReLU."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        variance: Tensor,
        momentum: float,
        epsilon: float,
    ) -> Tensor:
        from costlab.train.kernels import normalize

        channels = len(weight)
        y, saved = torch.empty_like(x), torch.empty(2, channels, dtype=torch.float64)
        normalize(
            x.data_ptr(),
            y.data_ptr(),
            _strips(x),
            weight.data_ptr(),
            bias.data_ptr(),
            (mean.data_ptr(), variance.data_ptr()),
            momentum,
            epsilon,
            channels,
            saved.data_ptr(),
        )
        ctx.save_for_backward(x, weight, bias)
        ctx.saved = saved
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        from costlab.train.kernels import normalize_backward

        x, weight, bias = ctx.saved_tensors
        gradient, step = _with_step(gradients[0])
        of_x, of_weight, of_bias = torch.empty_like(x), torch.empty_like(weight), torch.empty_like(bias)
        normalize_backward(
            gradient.data_ptr(),
            step,
            x.data_ptr(),
            of_x.data_ptr(),
            _strips(x),
            weight.data_ptr(),
            bias.data_ptr(),
            of_weight.data_ptr(),
            of_bias.data_ptr(),
            len(weight),
            ctx.saved.data_ptr(),
        )
        return of_x, of_weight, of_bias, None, None, None, None


class _MeanAround(torch.autograd.Function):
    """The mean of the window around each pixel, with zeros beyond the edge."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, tall: int, wide: int) -> Tensor:
        ctx.window = tall, wide
        return _mean_around(x, tall, wide)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        gradient = gradients[0].contiguous(memory_format=torch.channels_last)
        return _mean_around(gradient, *ctx.window), None, None


def _mean_around(x: Tensor, tall: int, wide: int) -> Tensor:
    from costlab.train.kernels import mean_around

    y = torch.empty_like(x, memory_format=torch.channels_last)
    images, channels, height, width = x.shape
    mean_around(x.data_ptr(), y.data_ptr(), (images, height, width, channels), tall, wide)
    return y


def _with_step(x: Tensor) -> tuple[Tensor, int]:
    """A map, and how many values lie from pixel to pixel: in a part of a concatenation more than its own."""
    _, _, height, width = x.shape
    step = x.stride(3)
    if x.stride() != (height * width * step, 1, width * step, step):
        x = x.contiguous(memory_format=torch.channels_last)
        step = x.shape[1]
    return x, step


def _strips(x: Tensor) -> tuple[int, int]:
    """How a map is seen as strips of a few whole pixels: their number, and the values of each."""
    channels, values = x.shape[1], x.numel()
    width = channels * gcd(values // channels, max(1, STRIP // channels))
    return values // width, width

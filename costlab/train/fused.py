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
from torch.autograd import forward_ad

STRIP = 256
"""Values that are treated together, about."""


@cache
def has_kernels() -> bool:
    """Whether there are compiled kernels, loaded or compiled here at the first call."""
    pixels = torch.ones(2, 1, 1, 1)
    network = nn.Sequential(nn.BatchNorm2d(1), nn.ReLU(), nn.AvgPool2d(3, 1, 1))
    fuse(network)
    try:
        from costlab.train import kernels  # noqa: F401  # whatever runs below

        with torch.enable_grad():
            network(pixels.requires_grad_()).sum().backward()
    except Exception:  # there is no numba, it fits nothing else here, or has no place for what it compiled
        return False
    return True


def uses_kernels(device: torch.device, compiled: bool) -> bool:
    """Whether a network that is trained on a device runs in kernels where it can."""
    return device.type == "cpu" and not compiled and has_kernels()


def fuse(network: nn.Module) -> None:
    """Let a batch norm and the ReLU after it in an ``nn.Sequential`` run in one pass, and average pools too.

    Only layers of torch's own classes that nothing changes or observes, and only what they do in training to
    float32 in channels_last on a CPU.
    """
    for module in network.modules():
        if "forward" in vars(module):  # somebody else's
            continue
        if type(module) is nn.Sequential and any(_is_pair(*pair) for pair in pairwise(module)):
            module.forward = _Sequence(module)  # type: ignore[method-assign]  # of this one
        elif type(module) is nn.AvgPool2d and _keeps_size(module):
            module.forward = _AveragePool(module)  # type: ignore[method-assign]  # of this one


class _Sequence:
    """The forward of a sequence."""

    def __init__(self, sequence: nn.Sequential) -> None:
        self._sequence = sequence

    def __call__(self, input: Any) -> Any:
        x, layers = input, [*self._sequence, None]
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

    def __call__(self, input: Any) -> Any:
        pool = self._pool
        if not (pool.training and _keeps_size(pool) and _is_map(input)):
            return nn.AvgPool2d.forward(pool, input)
        return _MeanAround.apply(input, *_pair(pool.kernel_size))  # type: ignore[no-untyped-call]  # torch leaves it without types


def _is_pair(layer: Any, following: Any) -> bool:
    """Whether a layer and the one that follows run as one."""
    return (
        type(layer) is nn.BatchNorm2d
        and type(following) is nn.ReLU
        and not (_is_changed(layer) or _is_changed(following))
    )


def _is_changed(module: nn.Module) -> bool:
    """Whether something else is called along with a module, or instead."""
    hooks = (module._forward_hooks, module._forward_pre_hooks)  # noqa: SLF001  # torch tells it nowhere else
    of_gradients = (module._backward_hooks, module._backward_pre_hooks)  # noqa: SLF001  # as above
    of_all = nn.modules.module._has_any_global_hook()  # type: ignore[no-untyped-call]  # noqa: SLF001  # as above
    return any((*hooks, *of_gradients, of_all, "forward" in vars(module)))


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
    return (size[0], size[-1]) if isinstance(size, tuple | list) else (size, size)


def _is_map(x: Any) -> bool:
    """Whether a kernel may be given the memory of a map, and nothing else is to see what is done with it."""
    return (
        type(x) is Tensor
        and not torch._C._are_functorch_transforms_active()  # noqa: SLF001  # as torch asks itself
        and forward_ad._current_level < 0  # noqa: SLF001  # as above
        and not torch.compiler.is_compiling()
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
        and norm.track_running_stats
        and isinstance(norm.momentum, float)
        and _is_map(x)
        and x.shape[1] == norm.num_features < x.numel()
        and all(
            _is_vector(tensor, norm.num_features)
            for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
        )
    )


def _is_vector(tensor: Tensor | None, size: int) -> bool:
    return (
        tensor is not None
        and type(tensor) in (Tensor, nn.Parameter)
        and tensor.dtype == torch.float32
        and tensor.is_cpu
        and tensor.shape == (size,)
        and tensor.is_contiguous()
    )


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
        ctx.saved, ctx.epsilon = saved, epsilon
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        from costlab.train.kernels import normalize_backward

        x, weight, bias = ctx.saved_tensors
        if torch.is_grad_enabled():  # it is differentiated again
            return *_gradients_of_torch(ctx, gradients[0]), None, None, None, None
        x = x.contiguous(memory_format=torch.channels_last)  # who saved it may have laid it otherwise
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


def _gradients_of_torch(ctx: Any, gradient: Tensor) -> list[Tensor | None]:
    """The gradients of map, weight and bias as torch has them, which have gradients themselves."""
    x, weight, bias = ctx.saved_tensors
    y = nn.functional.batch_norm(x, None, None, weight, bias, True, eps=ctx.epsilon).relu()
    needed = ctx.needs_input_grad[:3]
    inputs = [tensor for tensor, is_needed in zip((x, weight, bias), needed, strict=True) if is_needed]
    found = iter(torch.autograd.grad(y, inputs, gradient, create_graph=True))
    return [next(found) if is_needed else None for is_needed in needed]


class _MeanAround(torch.autograd.Function):
    """The mean of the window around each pixel, with zeros beyond the edge."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, tall: int, wide: int) -> Tensor:
        ctx.window = tall, wide
        return _mean_around(x, tall, wide)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        gradient = gradients[0].contiguous(memory_format=torch.channels_last)
        return _MeanAround.apply(gradient, *ctx.window), None, None  # type: ignore[no-untyped-call]  # as above


def _mean_around(x: Tensor, tall: int, wide: int) -> Tensor:
    from costlab.train.kernels import mean_around

    y = torch.empty_like(x, memory_format=torch.channels_last)
    images, channels, height, width = x.shape
    mean_around(x.data_ptr(), y.data_ptr(), (images, height, width, channels), tall, wide)
    return y


def _with_step(x: Tensor) -> tuple[Tensor, int]:
    """A map, and how many values lie from pixel to pixel: in a part of a concatenation more than its own."""
    _, channels, height, width = x.shape
    step = x.stride(3)
    if step < channels or x.stride() != (height * width * step, 1, width * step, step):
        x = x.contiguous(memory_format=torch.channels_last)
        step = channels
    return x, step


def _strips(x: Tensor) -> tuple[int, int]:
    """How a map is seen as strips of a few whole pixels: their number, and the values of each."""
    channels, values = x.shape[1], x.numel()
    width = channels * gcd(values // channels, max(1, STRIP // channels))
    return values // width, width

"""Multiply-adds counted one by one in loops, and what torch's own counter says: oracles for traces."""

from collections.abc import Iterable, Sequence
from dataclasses import is_dataclass
from itertools import product
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from costlab.algebra.inputs import as_inputs
from costlab.counting.count import Count, count

Many = int | Sequence[int]


def many(value: Many, rank: int) -> tuple[int, ...]:
    """One number per axis."""
    return (value,) * rank if isinstance(value, int) else tuple(value)


def counted(*axes: int) -> int:
    """The turns of nested loops, counted one by one."""
    return sum(1 for _ in product(*map(range, axes)))


def starts(size: int, kernel: int, stride: int, padding: int, dilation: int) -> list[int]:
    """Where on a padded axis a window begins such that all of it lies within."""
    last = size + 2 * padding - dilation * (kernel - 1)
    return list(range(0, last, stride))


def conv(
    sizes: Sequence[int],
    filters: int,
    kernel: Many,
    *,
    stride: Many = 1,
    padding: Many | str = 0,
    dilation: Many = 1,
    groups: int = 1,
) -> int:
    """A convolution of ``(N, C, *size)``: each filter, window, channel of its group, and tap."""
    n, channels, *axes = sizes
    rank = len(axes)
    taps, steps, gaps = many(kernel, rank), many(stride, rank), many(dilation, rank)
    if padding == "same":
        places = [list(range(size)) for size in axes]
    else:
        assert not isinstance(padding, str)
        edges = many(padding, rank)
        places = [starts(*axis) for axis in zip(axes, taps, steps, edges, gaps, strict=True)]
    windows = list(product(*places))
    done = 0
    for _, filter_, _ in product(range(n), range(filters), windows):
        group = filter_ * groups // filters
        mine = [c for c in range(channels) if c * groups // channels == group]
        for _ in product(mine, *map(range, taps)):
            done += 1
    return done


def transposed(sizes: Sequence[int], filters: int, kernel: Many, *, groups: int = 1) -> int:
    """A transposed convolution: each element that goes in, filter of its group, and tap."""
    n, channels, *axes = sizes
    taps = many(kernel, len(axes))
    done = 0
    for _, channel, _ in product(range(n), range(channels), product(*map(range, axes))):
        group = channel * groups // channels
        mine = [f for f in range(filters) if f * groups // filters == group]
        for _ in product(mine, *map(range, taps)):
            done += 1
    return done


def linear(rows: int, features: int, out: int) -> int:
    """A linear layer: each row, feature in and feature out."""
    return counted(rows, features, out)


def matmul(*sizes: int) -> int:
    """``(*, n, k) @ (*, k, m)``: batch, n, k, m."""
    return counted(*sizes)


def attention(batch: int, queries: int, keys: int, width: int, values: int | None = None) -> int:
    """Scores, then the values by their weights."""
    scores = counted(batch, queries, keys, width)
    return scores + counted(batch, queries, keys, width if values is None else values)


def recurrent(
    steps: int,
    features: int,
    hidden: int,
    gates: int,
    *,
    layers: int = 1,
    directions: int = 1,
    projected: int = 0,
) -> int:
    """A recurrent layer: at each step, each gate reads its input and the state before."""
    done = 0
    state = projected or hidden
    for _, layer, _ in product(range(steps), range(layers), range(directions)):
        read = features if layer == 0 else state * directions
        for _, _ in product(range(gates), range(hidden)):
            done += sum(1 for _ in range(read)) + sum(1 for _ in range(state))
        if projected:
            done += counted(hidden, projected)
    return done


def torch_counter(
    model: nn.Module, *args: Any, backward: bool = False, training: bool | None = None, **kwargs: Any
) -> int:
    """Half of what FlopCounterMode says, on real tensors with gradients; attention by its products."""
    model.train(backward if training is None else training)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        output = model(*args, **kwargs)
        if backward:
            outputs = _differentiable(output)
            torch.autograd.backward(outputs, [torch.ones_like(each) for each in outputs])
    whole = int(counter.get_total_flops())
    assert whole % 2 == 0
    return whole // 2


def _differentiable(value: Any) -> list[Any]:
    if isinstance(value, dict) or is_dataclass(value):
        return _differentiable(list((value if isinstance(value, dict) else vars(value)).values()))
    if isinstance(value, tuple | list):
        return [each for one in value for each in _differentiable(one)]
    return [value] if getattr(value, "requires_grad", False) else []


def unique(model: nn.Module) -> int:
    """Elements of the parameters, shared ones once."""
    return sum(each.numel() for each in {id(one): one for one in model.parameters()}.values())


def assert_adds_up(count: Count, model: nn.Module) -> None:
    """Rows, modules at every depth and kinds add up to the total, and parameters are those of the model."""
    total = count.total.sizes
    cuts: list[Iterable[Any]] = [count.rows, count.kinds(), *(count.modules(depth) for depth in range(6))]
    for cut in cuts:
        sums = [
            sum(column) for column in zip((0,) * len(total), *(row.work.sizes for row in cut), strict=True)
        ]
        assert tuple(sums) == total
    assert count.parameters == unique(model)
    held = count.held
    assert held is not None
    assert held.trainable + held.frozen == unique(model)
    paths = [row.path for row in count.rows]
    assert len(set(paths)) == len(paths), "two operations have one path"


def assert_counted(
    model: nn.Module, inputs: Any, expected: int, *, by_torch: bool = True, backward: bool = False
) -> Count:
    """The multiply-adds are those expected, torch's counter agrees, and everything adds up."""
    given = as_inputs(inputs)
    counted_ = count(model, given, backward=backward)
    assert counted_.multiply_adds == expected
    if by_torch:
        kwargs = dict(given.kwargs)
        assert torch_counter(model, *given.args, backward=backward, **kwargs) == expected
    assert_adds_up(counted_, model)
    return counted_

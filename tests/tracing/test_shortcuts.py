"""What is known of an operator without running it is what torch's own rules for sizes say, or is not said."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab.counting.count import count
from costlab.errors import TargetError
from costlab.tracing.shortcuts import shortcut
from costlab.tracing.stand_in import StandIn, stand_in

MASKS = ([True, True, True], [True, False, True], [True, True, False], [True, False, False])
MAP, CHANNELS = torch.empty(2, 6, 4, 5, device="meta"), torch.empty(6, device="meta")


def calls() -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Calls of the operators, with tensors on torch's meta device."""
    for dtype, weight, statistics, training in product(
        (torch.float32, torch.float64), (CHANNELS, None), (CHANNELS, None), (True, False)
    ):
        x, c = MAP.to(dtype), CHANNELS.to(dtype)
        w, r = (each if each is None else each.to(dtype) for each in (weight, statistics))
        if training or r is not None:
            yield "native_batch_norm", (x, w, w, r, r, training, 0.1, 1e-5)
        for mask in MASKS:
            yield "native_batch_norm_backward", (x, x, w, r, r, c, c, True, 1e-5, mask)
    for axes in range(1, 5):
        sizes = list(MAP.shape[-axes:])
        w = torch.empty(sizes, device="meta")
        for some in (w, None):
            yield "native_layer_norm", (MAP, sizes, some, some, 1e-5)
        moments = torch.ops.aten.native_layer_norm(MAP, sizes, w, w, 1e-5)[1:]
        for mask in MASKS:
            yield "native_layer_norm_backward", (MAP, MAP, sizes, *moments, w, w, mask)
    yield "threshold_backward", (MAP, MAP, 0)
    yield from (("detach", (MAP,)), ("relu", (MAP,)), ("add", (MAP, MAP)), ("mul", (MAP, 2)))


def layouts(output: Any) -> list[Any]:
    """Sizes, strides and types of what came out."""
    some = [output] if isinstance(output, Tensor) else output
    return [each if each is None else (each.size(), each.stride(), each.dtype) for each in some]


def stood_in(value: Any) -> Any:
    """A stand-in for a tensor."""
    if not isinstance(value, Tensor):
        return value
    return stand_in(value.size(), value.dtype, strides=value.stride())


@pytest.mark.parametrize(("name", "args"), [pytest.param(*each, id=each[0]) for each in calls()])
def test_it_is_what_torch_says(name: str, args: tuple[Any, ...]) -> None:
    made = shortcut(name, tuple(stood_in(each) for each in args), {})
    assert layouts(made) == layouts(getattr(torch.ops.aten, name)(*args))


WRONG = stand_in((5,), torch.float32)
X, C = stood_in(MAP), stood_in(CHANNELS)
TURNED = stand_in((2, 6, 4, 5), torch.float32, strides=(120, 1, 30, 6))
HALF = stand_in((2, 6, 4, 5), torch.float16)
OTHERS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "a weight of other sizes": ("native_batch_norm", (X, WRONG, C, None, None, True, 0.1, 1e-5)),
    "statistics of other sizes": ("native_batch_norm", (X, C, C, WRONG, C, True, 0.1, 1e-5)),
    "no channels": ("native_batch_norm", (stand_in((3,), torch.float32), C, C, C, C, True, 0.1, 1e-5)),
    "another layout": ("native_batch_norm", (TURNED, C, C, C, C, True, 0.1, 1e-5)),
    "half precision": ("native_batch_norm", (HALF, None, None, None, None, True, 0.1, 1e-5)),
    "other axes": ("native_layer_norm", (X, [4, 4], None, None, 1e-5)),
    "too many axes": ("native_layer_norm", (X, [1, 2, 6, 4, 5], None, None, 1e-5)),
    "a layer's weight of other sizes": ("native_layer_norm", (X, [5], C, None, 1e-5)),
    "a gradient that is broadcast": ("threshold_backward", (C, X, 0)),
    "a plain tensor": ("threshold_backward", (MAP, X, 0)),
    "an operator that nothing is known of": ("add", (X, C)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_torch_is_asked_about(name: str) -> None:
    operator, args = OTHERS[name]
    assert shortcut(operator, args, {}) is NotImplemented


def test_what_is_detached_is_a_view_of_what_it_was() -> None:
    made = shortcut("detach", (X,), {})
    assert type(made) is StandIn
    assert made is not X
    assert made.viewed is X


class Normalized(nn.Module):
    """A layer norm over other axes than its input has, in a step of training."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(5))

    def forward(self, x: Tensor) -> Tensor:
        return torch.native_layer_norm(x * self.weight.sum(), [7], None, None, 1e-5)[0]


def test_a_mistake_is_told_in_torchs_words() -> None:
    with pytest.raises(TargetError, match=r"normalized_shape=\[7\]"):
        count(Normalized(), "3x5:float32", backward=True)

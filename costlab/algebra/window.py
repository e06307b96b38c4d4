"""Windows that slide over a feature map: the shape rule shared by convolution and pooling."""

from typing import Any, TypeAlias

from costlab.algebra.dim import Dim, at_least, ceil_div, equal, minimum, text
from costlab.algebra.misfits import is_noted
from costlab.errors import DefinitionError, ShapeError
from costlab.messages import named

Pair: TypeAlias = tuple[Dim, Dim]
Size2d: TypeAlias = Dim | Pair
"""One number for both axes, or (height, width). Fields of this type always hold the pair."""


def as_pair(name: str, value: Any) -> Pair:
    """``value`` as (height, width).

    Raises:
        DefinitionError: it is a sequence of another length.
    """
    if not isinstance(value, tuple | list):
        return (value, value)
    if len(value) != 2:
        raise DefinitionError(f"{name}={named(value)} must be one number or (height, width)")
    return (value[0], value[1])


def slide(
    size: Pair, kernel: Any, stride: Any, padding: Pair, dilation: Any = (1, 1), ceil_mode: bool = False
) -> Pair:
    """How many windows fit along each axis of ``size`` with ``padding`` in all, counting both ends.

    ``(size + padding - dilation * (kernel - 1) - 1) // stride + 1``. With ``ceil_mode`` the division
    rounds up, but no window may start in the padding at the end.
    Source: the shape formulas of torch.nn.Conv2d and torch.nn.MaxPool2d.
    """
    height, width = (size[axis] + padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1 for axis in (0, 1))
    if not ceil_mode:
        return (height // stride[0] + 1, width // stride[1] + 1)
    counts = []
    for axis, extent in enumerate((height, width)):
        count, ahead = ceil_div(extent, stride[axis]) + 1, padding[axis] // 2
        # A window that reaches far enough beyond its stride never starts in the padding.
        if at_least(dilation[axis] * (kernel[axis] - 1), stride[axis] + ahead - 1) is not True:
            count = minimum(count, ceil_div(size[axis] + ahead, stride[axis]))
        counts.append(count)
    return (counts[0], counts[1])


def per_axis(value: Any, rank: int) -> tuple[int, ...]:
    """One number for each axis, where one may stand for all, as torch's functions take them."""
    if isinstance(value, int):
        return (value,) * rank
    return tuple(value) * rank if len(value) == 1 else tuple(value)


def slide_each(
    sizes: tuple[int, ...], kernel: tuple[int, ...], stride: Any, padding: Any, dilation: Any
) -> tuple[int, ...]:
    """How many windows fit along each of any number of axes, with as much padding at both ends."""
    settings = (per_axis(each, len(sizes)) for each in (padding, dilation, stride))
    axes = zip(sizes, kernel, *settings, strict=True)
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, p, d, s in axes)


def check_fit(count: Any, kernel: Any, size: Pair, padding: Any, dilation: Any = (1, 1)) -> None:
    """Refuse a window that fits nowhere.

    Raises:
        ShapeError: ``count``, the number of positions along an axis, is provably below 1.
    """
    height, width = count
    if type(height) is type(width) is int and height > 0 < width:
        return
    for positions, extent, axis in zip(count, size, ("height", "width"), strict=True):
        if at_least(positions, 1) is False and not is_noted(positions >= 1):
            spread = "" if all(equal(step, 1) for step in dilation) else f" dilation={times(dilation)}"
            raise ShapeError(
                f"kernel={times(kernel)}{spread} does not fit {axis}={text(extent)} "
                f"with padding={once(padding)}"
            )


def windowed(size: int, count: int, kernel: int, stride: int, padding: int) -> int:
    """Elements along an axis within ``count`` windows, without the padding."""
    starts = (i * stride - padding for i in range(count))
    return sum(min(start + kernel, size) - max(start, 0) for start in starts)


def adapted(size: int, count: int) -> int:
    """Elements along an axis within the ``count`` windows of adaptive pooling, which may overlap."""
    return sum(-(-(i + 1) * size // count) - i * size // count for i in range(count))


def grouping(groups: int, channels: int) -> str:
    """What is said of a kernel that goes over some of the channels only: depthwise, grouped, or nothing."""
    return "" if groups == 1 else " depthwise" if groups == channels else " grouped"


def times(size: Any) -> str:
    """A size as people write it: ``3x3``, and ``1`` where both axes are one number."""
    if not isinstance(size, tuple):
        return text(size)
    return "x".join(map(text, size))


def once(size: Any) -> str:
    """A size as people write it, in one number where both axes are the same."""
    height, width = as_pair("size", size)
    return text(height) if text(height) == text(width) else times(size)


def brief(kernel: Size2d, stride: Size2d) -> str:
    """A window in a few characters: ``3x3``, ``3x3/2``, ``1x7/1x2``."""
    step = once(stride)
    return times(kernel) if step == "1" else f"{times(kernel)}/{step}"

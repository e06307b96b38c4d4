"""Schemes: what can stand in the place of one dense convolution."""

from abc import ABC, abstractmethod
from collections.abc import Sequence as Several
from typing import Any, ClassVar, TypeAlias

from costlab.algebra.dim import Dim, equal, product, total
from costlab.algebra.ops.convolution import Conv2d, Padding
from costlab.algebra.ratio import in_between
from costlab.algebra.shape import AnyShape, feature_map
from costlab.algebra.window import Pair, as_pair
from costlab.algebra.work import Work, add_up

Rank: TypeAlias = tuple[int, ...]
"""The channels between the parts: one number for two parts, two for three, none where a scheme has none."""
Parts: TypeAlias = tuple[Conv2d, ...]


class Scheme(ABC):
    """Some convolutions in a row in the place of one, ``(C, H, W) -> (filters, H', W')`` as that one.

    What it does is on ints, symbols and arrays; a rank is of plain numbers.
    """

    name: ClassVar[str]
    section: ClassVar[str] = ""
    """Where the paper does it, empty where it does not."""
    has_rank: ClassVar[bool] = True
    """Whether it approximates given weights, exactly at its full rank; else its weights are learned anew."""

    def misfit(self, conv: Conv2d) -> str:
        """Why it cannot stand in the place of a convolution; empty where it can."""
        if equal(conv.groups, 1) is not True:
            return "grouped"
        height, width = as_pair("kernel", conv.kernel)
        if equal(height, 1) is True and equal(width, 1) is True:
            return "1x1"
        return ""

    def full(self, conv: Conv2d, channels: int) -> Rank:
        """The rank from which on it is exact, of a convolution of so many channels."""
        return ()

    def at(self, conv: Conv2d, channels: int, rank: int) -> Rank:
        """Its rank where a single number is asked for: one above the full one is the full one.

        Where there are two, both are the number at most.
        """
        return tuple(min(rank, most) for most in self.full(conv, channels))

    def proportional(self, conv: Conv2d, channels: int, step: int) -> Rank:
        """The rank at one of the `steps` from 1 to its full one, all parts of it by the same share."""
        full, steps = self.full(conv, channels), self.steps(conv, channels)
        return tuple(max(1, most * step // steps) for most in full)

    def steps(self, conv: Conv2d, channels: int) -> int:
        """How many ranks there are to choose from."""
        return max(self.full(conv, channels), default=0)

    @abstractmethod
    def parts(self, conv: Conv2d, channels: Dim, rank: Several[Dim]) -> Parts:
        """The convolutions in the place of one, in their order."""


def work_of(parts: Parts, x: AnyShape, made_larger: bool = False) -> Work:
    """What some convolutions in a row do to an input.

    ``made_larger`` says that each has its padding put around its input first, and reads what comes of it.
    """
    works = []
    for part in parts:
        y = part.output(x)
        work = part.work(x, y)
        works.append(work._replace(inputs=_with_padding(part, x)) if made_larger else work)
        x = y
    return add_up("conv2d", works)


def _with_padding(conv: Conv2d, x: AnyShape) -> Dim:
    """The elements of an input with the padding of a convolution around it."""
    channels, *sides = feature_map(x, conv.kind)
    kernel, dilation = as_pair("kernel", conv.kernel), as_pair("dilation", conv.dilation)
    both = [2 * each for each in _padding(conv)]
    if conv.padding == "same":
        both = [step * (size - 1) for step, size in zip(dilation, kernel, strict=True)]
    return product(channels, *(total(each) for each in zip(sides, both, strict=True)))


class AsymmetricPair(Scheme):
    """``1 x kw`` and then ``kh x 1`` in the place of ``kh x kw``, with ``r`` channels between.

    The first moves along the rows and has the stride, padding and dilation of the width, the second those of
    the height. Any kernel is such a pair exactly at ``r = min(C * kw, filters * kh)``, the rank of the matrix
    of the weights with a row for each channel and column of the kernel.
    """

    name = "1xn+nx1"
    section = "3.2"

    def misfit(self, conv: Conv2d) -> str:
        flat = any(equal(size, 1) is True for size in as_pair("kernel", conv.kernel))
        return super().misfit(conv) or ("1xn already" if flat else "")

    def full(self, conv: Conv2d, channels: int) -> Rank:
        height, width = as_pair("kernel", conv.kernel)
        return (min(_int(channels, width), _int(conv.filters, height)),)

    def parts(self, conv: Conv2d, channels: Dim, rank: Several[Dim]) -> Parts:
        (height, width), (down, right) = as_pair("kernel", conv.kernel), as_pair("stride", conv.stride)
        (tall, wide), (above, beside) = as_pair("dilation", conv.dilation), _padding(conv)
        first = Conv2d(rank[0], (1, width), (1, right), _padded(conv, 0, beside), (1, wide), bias=False)
        second = Conv2d(
            conv.filters, (height, 1), (down, 1), _padded(conv, above, 0), (tall, 1), bias=conv.bias
        )
        return first, second


class Projected(Scheme):
    """The same kernel to ``r`` channels, then 1x1 to all filters; exact at ``min(filters, C * kh * kw)``."""

    name = "kxk+1x1"

    def full(self, conv: Conv2d, channels: int) -> Rank:
        return (min(_int(conv.filters), _int(channels, *as_pair("kernel", conv.kernel))),)

    def parts(self, conv: Conv2d, channels: Dim, rank: Several[Dim]) -> Parts:
        return _like(conv, rank[0]), Conv2d(conv.filters, 1, bias=conv.bias)


class Tucker(Scheme):
    """1x1 to ``r`` channels, the same kernel to ``s``, and 1x1 to all filters; exact at ``(C, filters)``."""

    name = "tucker"

    def full(self, conv: Conv2d, channels: int) -> Rank:
        return channels, _int(conv.filters)

    def parts(self, conv: Conv2d, channels: Dim, rank: Several[Dim]) -> Parts:
        return (
            Conv2d(rank[0], 1, bias=False),
            _like(conv, rank[1]),
            Conv2d(conv.filters, 1, bias=conv.bias),
        )


class SmallKernels(Scheme):
    """``(k - 1) / 2`` convolutions of 3x3 in the place of one of ``k x k``, which see as far.

    The channels between go from ``C`` to ``filters`` in equal steps of the ratio. All but the last move by 1;
    the padding is dealt out from the first on.
    """

    name = "3x3-pairs"
    section = "3.1"
    has_rank = False

    def misfit(self, conv: Conv2d) -> str:
        height, width = as_pair("kernel", conv.kernel)
        small = equal(height, width) is not True or not (_int(height) > 3 and _int(height) % 2)
        return super().misfit(conv) or ("no odd k x k above 3x3" if small else "")

    def parts(self, conv: Conv2d, channels: Dim, rank: Several[Dim]) -> Parts:
        kernel, _ = as_pair("kernel", conv.kernel)
        count = (_int(kernel) - 1) // 2
        made = []
        left = [_int(each) for each in _padding(conv)]
        steps = [_int(each) for each in as_pair("dilation", conv.dilation)]
        for part in range(1, count + 1):
            last = part == count
            own = [here if last else min(here, step) for here, step in zip(left, steps, strict=True)]
            left = [here - taken for here, taken in zip(left, own, strict=True)]
            between = conv.filters if last else in_between(channels, conv.filters, part, count)
            padding: Pair = (own[0], own[1])
            made.append(
                Conv2d(
                    between,
                    3,
                    conv.stride if last else 1,
                    _padded(conv, *padding),
                    conv.dilation,
                    bias=conv.bias and last,
                )
            )
        return tuple(made)


class Separable(Scheme):
    """The same kernel on each channel by itself, and then 1x1 over all of them.

    Source: F. Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR 2017.
    """

    name = "separable"
    has_rank = False

    def parts(self, conv: Conv2d, channels: Dim, rank: Several[Dim]) -> Parts:
        depthwise = Conv2d(
            channels, conv.kernel, conv.stride, conv.padding, conv.dilation, groups=channels, bias=False
        )
        return depthwise, Conv2d(conv.filters, 1, bias=conv.bias)


def _like(conv: Conv2d, filters: Dim) -> Conv2d:
    """The same kernel to another number of filters, without a bias."""
    return Conv2d(filters, conv.kernel, conv.stride, conv.padding, conv.dilation, bias=False)


def _padding(conv: Conv2d) -> Pair:
    """Zeros at each end of an axis; of "same" none are told."""
    return (0, 0) if conv.padding == "same" else as_pair("padding", conv.padding)


def _padded(conv: Conv2d, above: Dim, beside: Dim) -> Padding:
    """The padding of a part: "same" where the whole has that."""
    return "same" if conv.padding == "same" else (above, beside)


def _int(*sizes: Dim) -> int:
    whole: Any = product(*sizes)
    return int(whole)


SCHEMES: dict[str, Scheme] = {
    each.name: each for each in (AsymmetricPair(), Projected(), Tucker(), SmallKernels(), Separable())
}
"""The schemes by name, the default first."""

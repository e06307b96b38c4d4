"""Large kernels and what the paper puts in their place (sections 3.1 and 3.2).

Every definition keeps the grid. ``channels`` come in and ``filters`` go out; the parts of a factorization
hold in between what is ``between`` them, by default in equal steps of the ratio, as in section 3.1.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016.
"""

from typing import Literal, TypeAlias

from blocks.layers import Activation, conv
from costlab.algebra import (
    Block,
    DefinitionError,
    Dim,
    Ratio,
    Sequence,
    as_count,
    block,
    in_between,
    scale,
    seq,
)

Large: TypeAlias = Literal["5x5", "3x3+3x3", "3x3"]
Asymmetric: TypeAlias = Literal["7x7", "1x7+7x1"]
Pair: TypeAlias = Literal["3x3+3x3", "5x5"]


@block(figure="Section 3", input=("channels", 35, 35))
def conv_nxn(
    n: Dim = 3,
    channels: Dim = 64,
    filters: Dim | None = None,
    alpha: Ratio = 1.0,
    bn: bool = True,
    bias: bool = False,
) -> Block:
    """An n x n convolution with ReLU, the one that others replace: ``(C, H, W) -> (filters, H, W)``.

    Args:
        n: height and width of the kernel.
        channels: channels in.
        filters: channels out, by default ``alpha`` times those in.
        alpha: channels out by channels in.
        bn: with a batch norm.
        bias: with a bias.
    """
    return conv(_filters(channels, filters, alpha), n, bn=bn, bias=bias)


@block(figure="Figures 1 and 2", input=("channels", 35, 35))
def conv_stack(
    n: Dim = 3,
    parts: int = 2,
    channels: Dim = 64,
    filters: Dim | None = None,
    alpha: Ratio = 1.0,
    between: Dim | None = None,
    activation: Activation = "relu",
    bn: bool = True,
    bias: bool = False,
) -> Block:
    """Small n x n convolutions in a row, which see as far as one large: ``(C, H, W) -> (filters, H, W)``.

    Two of 3x3 see 5x5, three see 7x7; two of 2x2 see 3x3.

    Args:
        n: height and width of each kernel.
        parts: how many in a row.
        channels: channels in.
        filters: channels out, by default ``alpha`` times those in.
        alpha: channels out by channels in, reached in equal steps of the ratio.
        between: channels between the parts, in place of those steps.
        activation: what follows each part but the last, which has a ReLU.
        bn: with batch norms.
        bias: with biases.
    """
    as_count("conv_stack: parts", parts)
    if parts == 1 and between is not None:
        raise DefinitionError(f"conv_stack: between={between} needs parts=2 or more")
    last = _filters(channels, filters, alpha)
    layers = []
    for part in range(1, parts):
        inner = in_between(channels, last, part, parts) if between is None else between
        layers.append(conv(inner, n, bn=bn, bias=bias, activation=activation))
    return seq(*layers, conv(last, n, bn=bn, bias=bias))


@block(figure="Figure 3", input=("channels", 35, 35))
def conv_1xn_nx1(
    n: Dim = 7,
    channels: Dim = 64,
    filters: Dim | None = None,
    alpha: Ratio = 1.0,
    between: Dim | None = None,
    activation: Activation = "relu",
    bn: bool = True,
    bias: bool = False,
) -> Block:
    """1 x n and n x 1 convolutions in place of n x n: ``(C, H, W) -> (filters, H, W)``.

    Args:
        n: length of each kernel.
        channels: channels in.
        filters: channels out, by default ``alpha`` times those in.
        alpha: channels out by channels in.
        between: channels between the parts, by default the geometric mean of those in and out.
        activation: what follows the first part; the second has a ReLU.
        bn: with batch norms.
        bias: with biases.
    """
    last = _filters(channels, filters, alpha)
    inner = in_between(channels, last) if between is None else between
    return seq(
        conv(inner, (1, n), bn=bn, bias=bias, activation=activation), conv(last, (n, 1), bn=bn, bias=bias)
    )


@block(figure="later work", input=("channels", 35, 35))
def conv_separable(
    n: Dim = 3,
    channels: Dim = 64,
    filters: Dim | None = None,
    alpha: Ratio = 1.0,
    activation: Activation = "relu",
    bn: bool = True,
    bias: bool = False,
) -> Block:
    """Depthwise-separable convolution, n x n per channel, then 1x1: ``(C, H, W) -> (filters, H, W)``.

    Source: F. Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR 2017.

    Args:
        n: height and width of the depthwise kernel.
        channels: channels in.
        filters: channels out, by default ``alpha`` times those in.
        alpha: channels out by channels in.
        activation: what follows the depthwise part; the pointwise one has a ReLU.
        bn: with batch norms.
        bias: with biases.
    """
    return seq(
        depthwise=conv(channels, n, groups=channels, bn=bn, bias=bias, activation=activation),
        pointwise=conv(_filters(channels, filters, alpha), 1, bn=bn, bias=bias),
    )


def _filters(channels: Dim, filters: Dim | None, alpha: Ratio) -> Dim:
    if filters is None:
        return scale(channels, alpha)
    if not isinstance(alpha, float | int) or alpha != 1:
        raise DefinitionError(f"filters={filters} and alpha={alpha} both say what goes out: give one")
    return filters


def large(filters: Dim, form: Large) -> Sequence:
    """A 5x5 convolution, two 3x3 that see as far, or one: ``(C, H, W) -> (filters, H, W)``."""
    if form == "3x3+3x3":
        return seq(conv(filters, 3), conv(filters, 3))
    return conv(filters, 5 if form == "5x5" else 3)


def asymmetric(
    filters: Dim, between: Dim, form: Asymmetric, n: Dim = 7, tall_first: bool = False
) -> Sequence:
    """An n x n convolution, or 1 x n and n x 1: ``(C, H, W) -> (filters, H, W)``.

    ``between`` channels lie between the two parts; ``tall_first`` puts n x 1 before 1 x n.
    """
    if form == "7x7":
        return conv(filters, n)
    wide, tall = (1, n), (n, 1)
    first, second = (tall, wide) if tall_first else (wide, tall)
    return seq(conv(between, first), conv(filters, second))


def pair(filters: Dim, form: Pair, stride: int = 1) -> tuple[Sequence, ...]:
    """Two 3x3 convolutions, or the 5x5 that they replace: ``(C, H, W) -> (filters, H', W')``.

    With a stride, the grid is that of an unpadded 3x3 with this stride at the end.
    """
    if stride == 1:
        return (conv(filters, 5),) if form == "5x5" else (conv(filters, 3), conv(filters, 3))
    if form == "5x5":
        return (conv(filters, 5, stride, padding=1),)
    return (conv(filters, 3), conv(filters, 3, stride, padding="valid"))

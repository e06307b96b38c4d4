"""The grid reductions: blunt ones, and a strided convolution with a pooling side by side.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, section 5;
channel counts of the released network, which the paper does not print. Those of its reductions, letters B
and D, are given at width 1.
"""

from typing import Literal, TypeAlias

from blocks.factorization import Asymmetric, Pair, asymmetric, pair
from blocks.layers import conv
from costlab.algebra import Block, Dim, MaxPool2d, Ratio, as_dim, block, concat, scale, seq

Reduction: TypeAlias = Literal["parallel", "pool+conv", "conv+pool"]


@block(figure="Figures 9 and 10", input=("channels", 35, 35))
def grid_reduction(
    form: Reduction = "parallel",
    kernel: Dim = 3,
    window: Dim | None = None,
    channels: Dim = 320,
    filters: Dim | None = None,
    bn: bool = True,
    bias: bool = False,
) -> Block:
    """Half the grid and more channels, by convolution and pooling: ``(C, H, W) -> (filters, H', W')``.

    Args:
        form: parallel has a strided convolution and a pooling side by side, pool+conv first pools, which
            makes a bottleneck, conv+pool has the convolution on the whole grid, which is expensive.
        kernel: height and width of the convolution's kernel.
        window: height and width of the pooling's window, which moves by 2; by default the kernel's.
        channels: channels in.
        filters: channels out, by default twice as many as come in.
        bn: with a batch norm.
        bias: with a bias.
    """
    out = 2 * channels if filters is None else filters
    pool = MaxPool2d(kernel if window is None else window, stride=2)
    if form != "parallel":
        return _blunt(form, conv(out, kernel, bn=bn, bias=bias), pool)
    added = out - channels
    as_dim("grid_reduction: filters - channels", added)
    return concat(conv=conv(added, kernel, stride=2, padding="valid", bn=bn, bias=bias), pool=pool)


@block(figure="Figure 10", input="288x35x35")
def reduction_b(form: Reduction = "parallel", pair_3x3: Pair = "3x3+3x3", width: Ratio = 1.0) -> Block:
    """Reduction from 35x35 to 17x17: ``(C, H, W) -> (C + 480, H', W')``.

    The blunt forms have one 3x3 convolution to 768 channels.

    Args:
        form: pooling and strided convolutions side by side, or bluntly one before the other.
        pair_3x3: the second branch's two 3x3, or the 5x5 that they replace.
        width: multiplies every channel count, rounded to the nearest (halves up), at least 1.
    """
    if form != "parallel":
        return _blunt(form, conv(scale(768, width), 3), MaxPool2d(3, stride=2))
    return concat(
        b3x3=conv(scale(384, width), 3, stride=2, padding="valid"),
        b3x3dbl=seq(conv(scale(64, width), 1), *pair(scale(96, width), pair_3x3, stride=2)),
        pool=MaxPool2d(3, stride=2),
    )


@block(figure="Figure 10", input="768x17x17")
def reduction_d(
    form: Reduction = "parallel", kernel_7x7: Asymmetric = "1x7+7x1", n: Dim = 7, width: Ratio = 1.0
) -> Block:
    """Reduction from 17x17 to 8x8: ``(C, H, W) -> (C + 512, H', W')``.

    The blunt forms have one 3x3 convolution to 1280 channels.

    Args:
        form: pooling and strided convolutions side by side, or bluntly one before the other.
        kernel_7x7: the n x n kernel, whole or as 1 x n and n x 1.
        n: its size.
        width: multiplies every channel count, rounded to the nearest (halves up), at least 1.
    """
    if form != "parallel":
        return _blunt(form, conv(scale(1280, width), 3), MaxPool2d(3, stride=2))
    inner = scale(192, width)
    return concat(
        b3x3=seq(conv(inner, 1), conv(scale(320, width), 3, stride=2, padding="valid")),
        b7x7x3=seq(
            conv(inner, 1),
            asymmetric(inner, inner, kernel_7x7, n),
            conv(inner, 3, stride=2, padding="valid"),
        ),
        pool=MaxPool2d(3, stride=2),
    )


def _blunt(form: Reduction, convolution: Block, pool: Block) -> Block:
    if form == "pool+conv":
        return seq(pool=pool, conv=convolution)
    return seq(conv=convolution, pool=pool)

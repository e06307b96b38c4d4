"""The Inception modules, which keep the grid. Letters as in the released network: A, C and E.

Shapes in the docstrings are those at width 1.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, figures 5
to 7; channel counts of the released network, which the paper does not print.
"""

from blocks.factorization import Asymmetric, Large, Pair, asymmetric, large, pair
from blocks.layers import conv
from costlab.algebra import AvgPool2d, Block, Dim, Ratio, block, concat, scale, seq


@block(figure="Figure 5", input="192x35x35")
def inception_a(
    pool: Dim = 64, branch_5x5: Large = "5x5", pair_3x3: Pair = "3x3+3x3", width: Ratio = 1.0
) -> Block:
    """Module for the 35x35 grid: ``(C, H, W) -> (224 + pool, H, W)``.

    Figure 5 as printed has one branch with two 3x3 convolutions, here ``b3x3``, and one with a
    single 3x3. The released network keeps a 5x5 in the latter.

    Args:
        pool: channels of the projection after the pooling.
        branch_5x5: the second branch's kernel: 5x5 as released, two 3x3 in its place, or the one 3x3 of
            figure 5 as printed.
        pair_3x3: the third branch's two 3x3, or the 5x5 that they replace.
        width: multiplies every channel count, rounded to the nearest (halves up), at least 1.
    """
    return concat(
        b1x1=conv(scale(64, width), 1),
        b5x5=seq(conv(scale(48, width), 1), large(scale(64, width), branch_5x5)),
        b3x3=seq(conv(scale(64, width), 1), *pair(scale(96, width), pair_3x3)),
        pool=seq(AvgPool2d(3, stride=1, padding=1), conv(scale(pool, width), 1)),
    )


@block(figure="Figure 6", input="768x17x17")
def inception_c(
    channels: Dim = 128, kernel_7x7: Asymmetric = "1x7+7x1", n: Dim = 7, width: Ratio = 1.0
) -> Block:
    """Module for the 17x17 grid: ``(C, H, W) -> (768, H, W)``.

    Args:
        channels: channels inside the branches with large kernels.
        kernel_7x7: their n x n kernels, whole or as 1 x n and n x 1.
        n: the size of those kernels.
        width: multiplies every channel count, rounded to the nearest (halves up), at least 1.
    """
    inner, outer = scale(channels, width), scale(192, width)
    return concat(
        b1x1=conv(outer, 1),
        b7x7=seq(conv(inner, 1), asymmetric(outer, inner, kernel_7x7, n)),
        b7x7dbl=seq(
            conv(inner, 1),
            asymmetric(inner, inner, kernel_7x7, n, tall_first=True),
            asymmetric(outer, inner, kernel_7x7, n, tall_first=True),
        ),
        pool=seq(AvgPool2d(3, stride=1, padding=1), conv(outer, 1)),
    )


@block(figure="Figure 7", input="1280x8x8")
def inception_e(split_3x3: bool = True, width: Ratio = 1.0) -> Block:
    """Module for the 8x8 grid, with expanded filter banks: ``(C, H, W) -> (2048, H, W)``.

    Args:
        split_3x3: 1x3 and 3x1 side by side, or one 3x3 with as many channels out.
        width: multiplies every channel count, rounded to the nearest (halves up), at least 1.
    """
    half = scale(384, width)
    split: Block = conv(2 * half, 3)
    if split_3x3:
        split = concat(b1x3=conv(half, (1, 3)), b3x1=conv(half, (3, 1)))
    return concat(
        b1x1=conv(scale(320, width), 1),
        b3x3=seq(conv(scale(384, width), 1), split),
        b3x3dbl=seq(conv(scale(448, width), 1), conv(scale(384, width), 3), split),
        pool=seq(AvgPool2d(3, stride=1, padding=1), conv(scale(192, width), 1)),
    )

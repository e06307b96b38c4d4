"""The grid reductions: strided convolutions and a pooling side by side. Letters B and D.

Shapes in the docstrings are those at width 1.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, figure 10;
channel counts of the released network, which the paper does not print.
"""

from blocks.factorization import Asymmetric, asymmetric
from blocks.layers import conv
from costlab.algebra import Block, Dim, MaxPool2d, Ratio, block, concat, scale, seq


@block(figure="Figure 10", input="288x35x35")
def reduction_b(width: Ratio = 1.0) -> Block:
    """Reduction from 35x35 to 17x17: ``(C, H, W) -> (C + 480, H', W')``.

    Args:
        width: multiplies every channel count, rounded to the nearest (halves up), at least 1.
    """
    return concat(
        b3x3=conv(scale(384, width), 3, stride=2, padding="valid"),
        b3x3dbl=seq(
            conv(scale(64, width), 1),
            conv(scale(96, width), 3),
            conv(scale(96, width), 3, stride=2, padding="valid"),
        ),
        pool=MaxPool2d(3, stride=2),
    )


@block(figure="Figure 10", input="768x17x17")
def reduction_d(kernel_7x7: Asymmetric = "1x7+7x1", n: Dim = 7, width: Ratio = 1.0) -> Block:
    """Reduction from 17x17 to 8x8: ``(C, H, W) -> (C + 512, H', W')``.

    Args:
        kernel_7x7: the n x n kernel, whole or as 1 x n and n x 1.
        n: its size.
        width: multiplies every channel count, rounded to the nearest (halves up), at least 1.
    """
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

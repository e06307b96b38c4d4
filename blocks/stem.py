"""The layers before the first Inception module, and the 7x7 that older networks begin with.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, table 1;
the released network, where it differs.
"""

from typing import Any, Literal, TypeAlias

from blocks.layers import conv
from costlab.algebra import Block, MaxPool2d, Ratio, block, scale, seq

First: TypeAlias = Literal["dense", "separable"]


@block(figure="Table 1", input="3x299x299")
def stem(
    width: Ratio = 1.0, kernel: Literal["3x3", "7x7"] = "3x3", stride: Literal[1, 2] = 2, pool: bool = True
) -> Block:
    """Stem of the released Inception v3: ``(3, H, W) -> (192, H', W')``, 299 to 35.

    The released network differs from the paper's Table 1 after the first pooling: it has a 1x1 and
    a 3x3 convolution and a second pooling where the table has three 3x3 convolutions.

    Args:
        width: multiplies every channel count, rounded to the nearest (halves up), at least 1.
        kernel: the first layers: three 3x3, or the one 7x7 of GoogLeNet that section 6 factorizes.
        stride: of the very first convolution.
        pool: with the first of the two poolings.
    """
    first: dict[str, Block] = {}
    if kernel == "7x7":
        first["conv_1a"] = conv(scale(64, width), 7, stride, padding="valid")
    else:
        first["conv_1a"] = conv(scale(32, width), 3, stride, padding="valid")
        first["conv_2a"] = conv(scale(32, width), 3, padding="valid")
        first["conv_2b"] = conv(scale(64, width), 3)
    if pool:
        first["pool_3a"] = MaxPool2d(3, stride=2)
    return seq(
        **first,
        conv_3b=conv(scale(80, width), 1),
        conv_4a=conv(scale(192, width), 3, padding="valid"),
        pool_5a=MaxPool2d(3, stride=2),
    )


def first_7x7(form: First, width: Ratio = 1.0, **style: Any) -> Block:
    """GoogLeNet's first layer, 7x7 with stride 2: ``(3, H, W) -> (64, H', W')``.

    Dense, or eight channels from each of the three by a 7x7 and all together by a 1x1. ``style`` goes to
    `conv`, for what comes last.
    """
    if form == "dense":
        return conv(scale(64, width), 7, 2, padding=3, **style)
    return seq(
        depthwise=conv(24, 7, 2, padding=3, groups=3, bn=False, activation="linear"),
        pointwise=conv(scale(64, width), 1, **style),
    )

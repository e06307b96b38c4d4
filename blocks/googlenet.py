"""GoogLeNet, the first Inception network.

Source: C. Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, table 1.
"""

from typing import Literal

from blocks.layers import PLAIN, conv
from blocks.stem import First, first_7x7
from costlab.algebra import (
    AdaptiveAvgPool2d,
    Block,
    Dim,
    Dropout,
    Flatten,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    Ratio,
    block,
    concat,
    scale,
    seq,
)

# 1x1 | 3x3 reduce, 3x3 | 5x5 reduce, 5x5 | projection after the pooling
_MODULES = {
    "inception_3a": (64, 96, 128, 16, 32, 32),
    "inception_3b": (128, 128, 192, 32, 96, 64),
    "inception_4a": (192, 96, 208, 16, 48, 64),
    "inception_4b": (160, 112, 224, 24, 64, 64),
    "inception_4c": (128, 128, 256, 24, 64, 64),
    "inception_4d": (112, 144, 288, 32, 64, 64),
    "inception_4e": (256, 160, 320, 32, 128, 128),
    "inception_5a": (256, 160, 320, 32, 128, 128),
    "inception_5b": (384, 192, 384, 48, 128, 128),
}
_NORM = LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)
_POOL = MaxPool2d(3, stride=2, ceil_mode=True)


@block(figure="Szegedy et al. 2015, table 1", input="3x224x224")
def googlenet(
    num_classes: Dim = 1000,
    first: First = "dense",
    branch_5x5: Literal["5x5", "3x3"] = "5x5",
    bn: bool = False,
    width: Ratio = 1.0,
) -> Block:
    """GoogLeNet without its auxiliary classifiers: ``(3, H, W) -> (num_classes,)``.

    Args:
        num_classes: features of the last linear layer.
        first: the first layer's 7x7: dense, or separable, eight channels from each of the input's (at any
            width) and 1x1 behind, which gives the first row of the publication's table.
        branch_5x5: the kernel of the third branch: 5x5 as published, or torchvision's 3x3.
        bn: batch norms in place of the biases and the local response normalizations, as in torchvision
            and in BN-GoogLeNet.
        width: multiplies every channel count but the classes, rounded to the nearest (halves up), at
            least 1.
    """
    style = {} if bn else PLAIN
    parts: dict[str, Block] = {"conv_1": first_7x7(first, width, **style), "pool_1": _POOL}
    if not bn:
        parts["norm_1"] = _NORM
    parts["conv_2_reduce"] = conv(scale(64, width), 1, **style)
    parts["conv_2"] = conv(scale(192, width), 3, **style)
    if not bn:
        parts["norm_2"] = _NORM
    parts["pool_2"] = _POOL
    for name, channels in _MODULES.items():
        parts[name] = inception_googlenet(*channels, branch_5x5=branch_5x5, bn=bn, width=width)
        if name in ("inception_3b", "inception_4e"):
            parts[f"pool_{name[-2]}"] = _POOL
    parts["head"] = seq(
        pool=AdaptiveAvgPool2d(1), dropout=Dropout(0.4), flatten=Flatten(), fc=Linear(num_classes)
    )
    return seq(**parts)


@block(figure="Szegedy et al. 2015, figure 2b", input="192x28x28")
def inception_googlenet(
    b1x1: Dim = 64,
    reduce_3x3: Dim = 96,
    b3x3: Dim = 128,
    reduce_5x5: Dim = 16,
    b5x5: Dim = 32,
    pool: Dim = 32,
    branch_5x5: Literal["5x5", "3x3"] = "5x5",
    bn: bool = False,
    width: Ratio = 1.0,
) -> Block:
    """Module of GoogLeNet: ``(C, H, W) -> (b1x1 + b3x3 + b5x5 + pool, H, W)``; by default the first, 3a.

    Args:
        b1x1: channels of the 1x1 branch.
        reduce_3x3: channels of the 1x1 before the 3x3.
        b3x3: channels of the 3x3.
        reduce_5x5: channels of the 1x1 before the 5x5.
        b5x5: channels of the 5x5.
        pool: channels of the 1x1 after the pooling.
        branch_5x5: the third branch's kernel, or torchvision's 3x3.
        bn: batch norms in place of biases.
        width: multiplies every channel count, rounded to the nearest (halves up), at least 1.
    """
    style = {} if bn else PLAIN
    large = 5 if branch_5x5 == "5x5" else 3
    return concat(
        b1x1=conv(scale(b1x1, width), 1, **style),
        b3x3=seq(conv(scale(reduce_3x3, width), 1, **style), conv(scale(b3x3, width), 3, **style)),
        b5x5=seq(conv(scale(reduce_5x5, width), 1, **style), conv(scale(b5x5, width), large, **style)),
        pool=seq(MaxPool2d(3, stride=1, padding=1), conv(scale(pool, width), 1, **style)),
    )

"""The deep residual networks with bottlenecks.

Source: K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, table 1.
"""

from typing import Literal, TypeAlias

from blocks.layers import conv
from costlab.algebra import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Block,
    Dim,
    Flatten,
    Linear,
    MaxPool2d,
    Ratio,
    ReLU,
    add,
    block,
    scale,
    seq,
)

Strided: TypeAlias = Literal["3x3", "1x1"]
_NORM = BatchNorm2d()


@block(figure="He et al. 2016, table 1", input="3x224x224")
def resnet50(num_classes: Dim = 1000, strided: Strided = "3x3", width: Ratio = 1.0) -> Block:
    """ResNet-50: ``(3, H, W) -> (num_classes,)``.

    Args:
        num_classes: features of the last linear layer.
        strided: the convolution of a bottleneck that halves the grid: 3x3 as in most ports ("v1.5"), or the
            first 1x1 as published.
        width: multiplies every channel count but the classes, rounded to the nearest (halves up), at
            least 1.
    """
    return _resnet((3, 4, 6, 3), num_classes, strided, width)


@block(figure="He et al. 2016, table 1", input="3x224x224")
def resnet101(num_classes: Dim = 1000, strided: Strided = "3x3", width: Ratio = 1.0) -> Block:
    """ResNet-101: ``(3, H, W) -> (num_classes,)``.

    Args:
        num_classes: features of the last linear layer.
        strided: as of resnet50.
        width: multiplies every channel count but the classes, rounded to the nearest (halves up), at
            least 1.
    """
    return _resnet((3, 4, 23, 3), num_classes, strided, width)


@block(figure="He et al. 2016, table 1", input="3x224x224")
def resnet152(num_classes: Dim = 1000, strided: Strided = "3x3", width: Ratio = 1.0) -> Block:
    """ResNet-152: ``(3, H, W) -> (num_classes,)``.

    Args:
        num_classes: features of the last linear layer.
        strided: as of resnet50.
        width: multiplies every channel count but the classes, rounded to the nearest (halves up), at
            least 1.
    """
    return _resnet((3, 8, 36, 3), num_classes, strided, width)


@block(figure="He et al. 2016, figure 5", input="64x56x56")
def bottleneck(
    channels: Dim = 64,
    stride: Literal[1, 2] = 1,
    strided: Strided = "3x3",
    projection: bool = True,
    width: Ratio = 1.0,
) -> Block:
    """Bottleneck with a shortcut: ``(C, H, W) -> (4 channels, H', W')``.

    Args:
        channels: channels inside; four times as many go out.
        stride: of one of its convolutions and of the projection.
        strided: the convolution with this stride.
        projection: a 1x1 convolution on the shortcut; without it the input has as many channels as go out.
        width: multiplies every channel count, rounded to the nearest (halves up), at least 1.
    """
    inner, outer = scale(channels, width), scale(4 * channels, width)
    first, second = (stride, 1) if strided == "1x1" else (1, stride)
    shortcut = conv(outer, 1, stride, padding=0, bn=_NORM, activation="linear") if projection else seq()
    residual = seq(
        conv(inner, 1, first, padding=0, bn=_NORM),
        conv(inner, 3, second, padding=1, bn=_NORM),
        conv(outer, 1, bn=_NORM, activation="linear"),
    )
    return seq(sum=add(shortcut=shortcut, residual=residual), relu=ReLU())


def _resnet(stages: tuple[int, ...], num_classes: Dim, strided: Strided, width: Ratio) -> Block:
    parts: dict[str, Block] = {
        "conv_1": conv(scale(64, width), 7, 2, padding=3, bn=_NORM),
        "pool_1": MaxPool2d(3, stride=2, padding=1),
    }
    for stage, count in enumerate(stages):
        parts[f"conv_{stage + 2}"] = seq(
            *(
                bottleneck(64 << stage, 2 if stage and i == 0 else 1, strided, projection=i == 0, width=width)
                for i in range(count)
            )
        )
    parts["head"] = seq(pool=AdaptiveAvgPool2d(1), flatten=Flatten(), fc=Linear(num_classes))
    return seq(**parts)

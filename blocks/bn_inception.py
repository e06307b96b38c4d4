"""BN-Inception, and the network that TF-slim calls Inception-v2.

Source: S. Ioffe and C. Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
Covariate Shift", ICML 2015, figure 5; the widths of the Caffe model and of TF-slim.
"""

from typing import Any, Literal

from blocks.layers import conv
from blocks.stem import first_7x7
from costlab.algebra import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Block,
    Conv2d,
    Dim,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    Ratio,
    block,
    concat,
    scale,
    seq,
)

_CAFFE = ("3a", "3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
_SLIM = ("3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b", "5c")
_NO_SCALE = BatchNorm2d(scale=False, eps=1e-3)


@block(figure="Ioffe 2015, figure 5", input="3x224x224")
def bn_inception(num_classes: Dim = 1000, width: Ratio = 1.0) -> Block:
    """BN-Inception with the widths of the Caffe model: ``(3, H, W) -> (num_classes,)``.

    Its convolutions have a bias before the batch norm.

    Args:
        num_classes: features of the last linear layer.
        width: multiplies every channel count but the classes, rounded to the nearest (halves up), at
            least 1.
    """
    return seq(
        conv_1=first_7x7("dense", width, bias=True),
        **_body(_CAFFE, width, projection=128, bias=True),
        pool=AdaptiveAvgPool2d(1),
        head=seq(dropout=Dropout(0.2), flatten=Flatten(), fc=Linear(num_classes)),
    )


@block(figure="TF-slim", input="3x224x224")
def inception_v2(num_classes: Dim = 1000, width: Ratio = 1.0) -> Block:
    """Inception-v2 of TF-slim, which is BN-Inception: ``(3, H, W) -> (num_classes,)``.

    Its first layer is separable, and its batch norms have no learned scale. The Inception-v3 paper gives
    the same name to another network.

    Args:
        num_classes: channels of the last layer, a 1x1 convolution.
        width: multiplies every channel count but the classes and the 24 of the first layer, rounded to the
            nearest (halves up), at least 1.
    """
    return seq(
        conv_1=first_7x7("separable", width, bn=_NO_SCALE),
        **_body(_SLIM, width, projection=96, bn_scale=False),
        pool=AdaptiveAvgPool2d(1),
        head=seq(dropout=Dropout(0.2), logits=Conv2d(num_classes, 1), flatten=Flatten()),
    )


@block(figure="Ioffe 2015, figure 5", input="192x28x28")
def inception_bn(
    b1x1: Dim = 64,
    reduce_3x3: Dim = 64,
    b3x3: Dim = 64,
    reduce_double: Dim = 64,
    double: Dim = 96,
    pool: Dim = 32,
    pooling: Literal["average", "max"] = "average",
    bn: bool = True,
    bn_scale: bool = True,
    bias: bool = False,
    width: Ratio = 1.0,
) -> Block:
    """Module of BN-Inception: ``(C, H, W) -> (b1x1 + b3x3 + double + pool, H, W)``; by default the first.

    Args:
        b1x1: channels of the 1x1 branch.
        reduce_3x3: channels of the 1x1 before the 3x3.
        b3x3: channels of the 3x3.
        reduce_double: channels of the 1x1 before the two 3x3 in a row.
        double: channels of each of the two.
        pool: channels of the 1x1 after the pooling.
        pooling: of which kind that is.
        bn: with batch norms.
        bn_scale: with a learned scale in them.
        bias: with biases.
        width: multiplies every channel count, rounded to the nearest (halves up), at least 1.
    """

    def layer(filters: Dim, kernel: int) -> Block:
        return conv(scale(filters, width), kernel, bn=_norm(bn, bn_scale), bias=bias)

    pooled = AvgPool2d(3, stride=1, padding=1) if pooling == "average" else MaxPool2d(3, stride=1, padding=1)
    return concat(
        b1x1=layer(b1x1, 1),
        b3x3=seq(layer(reduce_3x3, 1), layer(b3x3, 3)),
        b3x3dbl=seq(layer(reduce_double, 1), layer(double, 3), layer(double, 3)),
        pool=seq(pooled, layer(pool, 1)),
    )


@block(figure="Ioffe 2015, figure 5", input="320x28x28")
def reduction_bn(
    reduce_3x3: Dim = 128,
    b3x3: Dim = 160,
    reduce_double: Dim = 64,
    double: Dim = 96,
    bn: bool = True,
    bn_scale: bool = True,
    bias: bool = False,
    width: Ratio = 1.0,
) -> Block:
    """Module that halves BN-Inception's grid: ``(C, H, W) -> (C + b3x3 + double, H', W')``.

    Args:
        reduce_3x3: channels of the 1x1 before the strided 3x3.
        b3x3: channels of the 3x3.
        reduce_double: channels of the 1x1 before the two 3x3 in a row, the second of them strided.
        double: channels of each of the two.
        bn: with batch norms.
        bn_scale: with a learned scale in them.
        bias: with biases.
        width: multiplies every channel count, rounded to the nearest (halves up), at least 1.
    """

    def layer(filters: Dim, kernel: int, stride: int = 1) -> Block:
        return conv(
            scale(filters, width), kernel, stride, padding=kernel // 2, bn=_norm(bn, bn_scale), bias=bias
        )

    return concat(
        b3x3=seq(layer(reduce_3x3, 1), layer(b3x3, 3, stride=2)),
        b3x3dbl=seq(layer(reduce_double, 1), layer(double, 3), layer(double, 3, stride=2)),
        pool=MaxPool2d(3, stride=2, padding=1),
    )


def _norm(bn: bool, bn_scale: bool) -> bool | BatchNorm2d:
    return bn if bn_scale or not bn else _NO_SCALE


def _body(
    names: tuple[str, ...],
    width: Ratio,
    projection: int,
    bn_scale: bool = True,
    bias: bool = False,
) -> dict[str, Block]:
    """From the first pooling to the last module.

    ``projection`` is what the fourth and fifth module of the 14x14 grid have after their pooling.
    """
    pool = MaxPool2d(3, stride=2, padding=1)
    rest: dict[str, Any] = {"bn_scale": bn_scale, "bias": bias, "width": width}
    modules = (
        inception_bn(64, 64, 64, 64, 96, 32, **rest),
        inception_bn(64, 64, 96, 64, 96, 64, **rest),
        reduction_bn(128, 160, 64, 96, **rest),
        inception_bn(224, 64, 96, 96, 128, 128, **rest),
        inception_bn(192, 96, 128, 96, 128, 128, **rest),
        inception_bn(160, 128, 160, 128, 160, projection, **rest),
        inception_bn(96, 128, 192, 160, 192, projection, **rest),
        reduction_bn(128, 192, 192, 256, **rest),
        inception_bn(352, 192, 320, 160, 224, 128, **rest),
        inception_bn(352, 192, 320, 192, 224, 128, "max", **rest),
    )
    return {
        "pool_1": pool,
        "conv_2_reduce": conv(scale(64, width), 1, bn=_norm(True, bn_scale), bias=bias),
        "conv_2": conv(scale(192, width), 3, bn=_norm(True, bn_scale), bias=bias),
        "pool_2": pool,
        **{f"inception_{name}": module for name, module in zip(names, modules, strict=True)},
    }

"""The PReLU-nets A, B and C.

Their layers were not held against the publication: all that is counted of them is unverified.

Source: K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers: Surpassing Human-Level Performance on
ImageNet Classification", ICCV 2015, table 3.
"""

from blocks.layers import fully_connected
from costlab.algebra import (
    AdaptiveMaxPool2d,
    Block,
    Conv2d,
    Dim,
    Flatten,
    Linear,
    MaxPool2d,
    PReLU,
    Ratio,
    block,
    concat,
    scale,
    seq,
)


@block(figure="He et al. 2015, table 3", input="3x224x224", unverified=True)
def prelu_net_a(num_classes: Dim = 1000, width: Ratio = 1.0) -> Block:
    """PReLU-net A, with 19 layers: ``(3, H, W) -> (num_classes,)``.

    Args:
        num_classes: features of the last linear layer.
        width: multiplies every channel count but the classes, rounded to the nearest (halves up), at
            least 1.
    """
    return _prelu_net(((256, 5), (512, 5), (512, 5)), num_classes, width)


@block(figure="He et al. 2015, table 3", input="3x224x224", unverified=True)
def prelu_net_b(num_classes: Dim = 1000, width: Ratio = 1.0) -> Block:
    """PReLU-net B, with 22 layers: ``(3, H, W) -> (num_classes,)``.

    Args:
        num_classes: features of the last linear layer.
        width: multiplies every channel count but the classes, rounded to the nearest (halves up), at
            least 1.
    """
    return _prelu_net(((256, 6), (512, 6), (512, 6)), num_classes, width)


@block(figure="He et al. 2015, table 3", input="3x224x224", unverified=True)
def prelu_net_c(num_classes: Dim = 1000, width: Ratio = 1.0) -> Block:
    """PReLU-net C, as deep as B and wider: ``(3, H, W) -> (num_classes,)``.

    Args:
        num_classes: features of the last linear layer.
        width: multiplies every channel count but the classes, rounded to the nearest (halves up), at
            least 1.
    """
    return _prelu_net(((384, 6), (768, 6), (896, 6)), num_classes, width)


def spatial_pyramid(*bins: int) -> Block:
    """Max poolings to several grids, flattened side by side: ``(C, H, W) -> (C * sum of bins**2,)``.

    Source: K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014.
    """
    return concat(**{f"bins_{n}": seq(pool=AdaptiveMaxPool2d(n), flatten=Flatten()) for n in bins})


def _prelu_net(stages: tuple[tuple[int, int], ...], num_classes: Dim, width: Ratio) -> Block:
    parts: dict[str, Block] = {"conv_1": _conv(scale(96, width), 7, 2), "pool_1": MaxPool2d(2)}
    for stage, (filters, count) in enumerate(stages, 2):
        for i in range(1, count + 1):
            parts[f"conv_{stage}_{i}"] = _conv(scale(filters, width), 3)
        if stage < 4:
            parts[f"pool_{stage}"] = MaxPool2d(2)
    parts["pyramid"] = spatial_pyramid(7, 3, 2, 1)
    parts["head"] = seq(
        fc_1=fully_connected(scale(4096, width)),
        fc_2=fully_connected(scale(4096, width)),
        fc_3=Linear(num_classes),
    )
    return seq(**parts)


def _conv(filters: Dim, kernel: int, stride: int = 1) -> Block:
    return seq(conv=Conv2d(filters, kernel, stride, padding=kernel // 2), prelu=PReLU(per_channel=True))

"""AlexNet, in two groups as published and as the single tower that torchvision has.

Source: A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet Classification with Deep Convolutional Neural
Networks", NIPS 2012; A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014.
"""

from blocks.layers import PLAIN, classifier, conv
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
    ReLU,
    block,
    scale,
    seq,
)

_POOL = MaxPool2d(3, stride=2)
_NORM = LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)


@block(figure="Krizhevsky et al. 2012", input="3x227x227")
def alexnet(num_classes: Dim = 1000, groups: Dim = 2, width: Ratio = 1.0) -> Block:
    """AlexNet as published: ``(3, H, W) -> (num_classes,)``, from 67x67 up.

    The publication says 224x224; its layers give whole numbers at 227x227.

    Args:
        num_classes: features of the last linear layer.
        groups: of the second, fourth and fifth convolution, which lay on two GPUs.
        width: multiplies every channel count but the classes, rounded to the nearest (halves up), at
            least 1.
    """
    return seq(
        conv_1=conv(scale(96, width), 11, 4, padding="valid", **PLAIN),
        norm_1=_NORM,
        pool_1=_POOL,
        conv_2=conv(scale(256, width), 5, groups=groups, **PLAIN),
        norm_2=_NORM,
        pool_2=_POOL,
        conv_3=conv(scale(384, width), 3, **PLAIN),
        conv_4=conv(scale(384, width), 3, groups=groups, **PLAIN),
        conv_5=conv(scale(256, width), 3, groups=groups, **PLAIN),
        pool_5=_POOL,
        head=classifier(num_classes, width),
    )


@block(figure="torchvision; Krizhevsky 2014", input="3x224x224")
def alexnet_one_tower(num_classes: Dim = 1000, width: Ratio = 1.0) -> Block:
    """AlexNet as a single tower, as in torchvision: ``(3, H, W) -> (num_classes,)``, from 63x63 up.

    Args:
        num_classes: features of the last linear layer.
        width: multiplies every channel count but the classes, rounded to the nearest (halves up), at
            least 1.
    """
    return seq(
        conv_1=conv(scale(64, width), 11, 4, padding=2, **PLAIN),
        pool_1=_POOL,
        conv_2=conv(scale(192, width), 5, **PLAIN),
        pool_2=_POOL,
        conv_3=conv(scale(384, width), 3, **PLAIN),
        conv_4=conv(scale(256, width), 3, **PLAIN),
        conv_5=conv(scale(256, width), 3, **PLAIN),
        pool_5=_POOL,
        pool=AdaptiveAvgPool2d(6),
        head=seq(
            flatten=Flatten(),
            dropout_6=Dropout(),  # before the layers, where the publication has them behind
            fc_6=Linear(scale(4096, width)),
            relu_6=ReLU(),
            dropout_7=Dropout(),
            fc_7=Linear(scale(4096, width)),
            relu_7=ReLU(),
            fc_8=Linear(num_classes),
        ),
    )

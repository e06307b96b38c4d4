"""The VGG networks.

Source: K. Simonyan and A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
ICLR 2015, table 1, configurations D and E.
"""

from blocks.layers import classifier, conv
from costlab.algebra import Block, Dim, MaxPool2d, Ratio, block, scale, seq


@block(figure="Simonyan 2015, table 1 D", input="3x224x224")
def vgg16(num_classes: Dim = 1000, bn: bool = False, width: Ratio = 1.0) -> Block:
    """VGG with 16 layers: ``(3, H, W) -> (num_classes,)``, from 32x32 up.

    Args:
        num_classes: features of the last linear layer.
        bn: with batch norms, which later ports add.
        width: multiplies every channel count but the classes, rounded to the nearest (halves up), at
            least 1.
    """
    return _vgg((2, 2, 3, 3, 3), num_classes, bn, width)


@block(figure="Simonyan 2015, table 1 E", input="3x224x224")
def vgg19(num_classes: Dim = 1000, bn: bool = False, width: Ratio = 1.0) -> Block:
    """VGG with 19 layers: ``(3, H, W) -> (num_classes,)``, from 32x32 up.

    Args:
        num_classes: features of the last linear layer.
        bn: with batch norms, which later ports add.
        width: multiplies every channel count but the classes, rounded to the nearest (halves up), at
            least 1.
    """
    return _vgg((2, 2, 4, 4, 4), num_classes, bn, width)


def _vgg(convolutions: tuple[int, ...], num_classes: Dim, bn: bool, width: Ratio) -> Block:
    parts: dict[str, Block] = {}
    for stage, (filters, count) in enumerate(zip((64, 128, 256, 512, 512), convolutions, strict=True), 1):
        for i in range(1, count + 1):
            parts[f"conv_{stage}_{i}"] = conv(scale(filters, width), 3, bn=bn, bias=True)
        parts[f"pool_{stage}"] = MaxPool2d(2)
    parts["head"] = classifier(num_classes, width)
    return seq(**parts)

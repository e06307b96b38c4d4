"""The auxiliary classifier, which is used in training only.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, figure 8;
channel counts of the released network.
"""

from blocks.layers import conv
from costlab.algebra import AvgPool2d, Block, Dim, Flatten, Linear, Ratio, auxiliary, block, scale


@block(figure="Figure 8", input="768x17x17")
def auxiliary_classifier(num_classes: Dim = 1000, width: Ratio = 1.0) -> Block:
    """Auxiliary classifier on the last 17x17 grid; gives its input on: ``(C, H, W) -> (C, H, W)``.

    Its 5x5 convolution is valid, so the grid must be at least 17x17.

    Args:
        num_classes: features of its linear layer.
        width: multiplies its channel counts, rounded to the nearest (halves up), at least 1.
    """
    return auxiliary(
        pool=AvgPool2d(5, stride=3),
        conv_1x1=conv(scale(128, width), 1),
        conv_5x5=conv(scale(768, width), 5, padding="valid"),
        flatten=Flatten(),
        fc=Linear(num_classes),
    )

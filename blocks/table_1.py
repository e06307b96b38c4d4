"""The network of the Inception-v3 paper's Table 1, as printed.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, table 1.
"""

from blocks.inception import inception_a, inception_c, inception_e
from blocks.inception_v3 import inner_channels, module_names
from blocks.layers import conv
from blocks.reduction import reduction_b, reduction_d
from costlab.algebra import (
    AdaptiveAvgPool2d,
    Block,
    Dim,
    Flatten,
    Linear,
    MaxPool2d,
    Ratio,
    as_count,
    block,
    scale,
    seq,
)


@block(figure="Table 1", input="3x299x299")
def inception_v3_table_1(
    num_classes: Dim = 1000,
    modules_17: int = 5,
    channels_17: Dim | None = None,
    conv_35: bool = True,
    width: Ratio = 1.0,
) -> Block:
    """Table 1 as printed, which is not the released network: ``(3, H, W) -> (num_classes,)``.

    The table gives the sizes between its rows and no widths inside the modules. Assumed are those of the
    released network: figure 5 with 64 | 48, 64 | 64, 96, 96 | 64 channels and a single 3x3 in the second
    branch, figure 6 with 128, 160, ..., 192 inner channels, figure 7 and both reductions as released.

    Args:
        num_classes: features of the last linear layer.
        modules_17: Inception modules at the 17x17 grid; the table has five, the released network four.
        channels_17: inner channels of all of them alike, in place of the released network's.
        conv_35: with the table's last convolution, 3x3 to 288 channels on the 35x35 grid.
        width: multiplies every channel count but the classes, rounded to the nearest (halves up), at
            least 1.
    """
    as_count("inception_v3_table_1: modules_17", modules_17, least=0)
    parts: dict[str, Block] = {
        "conv_1a": conv(scale(32, width), 3, 2, "valid"),
        "conv_2a": conv(scale(32, width), 3, padding="valid"),
        "conv_2b": conv(scale(64, width), 3),
        "pool_3a": MaxPool2d(3, stride=2),
        "conv_3b": conv(scale(80, width), 3, padding="valid"),
        "conv_4a": conv(scale(192, width), 3, 2, "valid"),
    }
    if conv_35:
        parts["conv_5a"] = conv(scale(288, width), 3)
    for i, name in enumerate(module_names("5", "b", 3)):
        # On 192 channels the first projects its pooling to 32, as in the released network.
        parts[name] = inception_a(64 if conv_35 or i else 32, branch_5x5="3x3", width=width)
    parts["mixed_6a"] = reduction_b(width=width)
    for i, name in enumerate(module_names("6", "b", modules_17)):
        inner = inner_channels(i, modules_17) if channels_17 is None else channels_17
        parts[name] = inception_c(inner, width=width)
    parts["mixed_7a"] = reduction_d(width=width)
    for name in module_names("7", "b", 2):
        parts[name] = inception_e(width=width)
    parts["head"] = seq(pool=AdaptiveAvgPool2d(1), flatten=Flatten(), fc=Linear(num_classes))
    return seq(**parts)

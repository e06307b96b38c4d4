"""Inception v3's structure at a size that trains in minutes, with every choice of the paper as a parameter.

The grids are 24x24, 12x12 and 6x6 instead of 35x35, 17x17 and 8x8. The channel counts are this project's own;
parts that replace each other have equal widths, as section 3 assumes, so that the savings are those of the
paper: 28%, 33% and 1 - 2/n.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, figures 2
and 5 to 10, table 2.
"""

from typing import Literal, TypeAlias

from blocks.factorization import Asymmetric, Pair
from blocks.layers import Activation, conv
from blocks.reduction import Reduction
from costlab.algebra import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    Block,
    Dim,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    Ratio,
    Sequence,
    Size2d,
    as_count,
    auxiliary,
    block,
    concat,
    part,
    scale,
    seq,
)

Auxiliary: TypeAlias = Literal["none", "plain", "bn"]
Small: TypeAlias = Literal["3x3", "1x3+3x1"]


@block(figure="Figures 5 to 10", input="3x48x48")
def mini(
    width: Ratio = 1.0,
    num_classes: Dim = 10,
    large: Pair = "3x3+3x3",
    small: Small = "3x3",
    kernel_7x7: Asymmetric = "1x7+7x1",
    n: Dim = 7,
    between: Activation = "relu",
    reductions: Reduction = "parallel",
    aux: Auxiliary = "none",
    split_3x3: bool = True,
    stem_stride: Literal[1, 2] = 1,
    stem_pool: bool = True,
    dropout: float = 0.2,
    modules_24: int = 1,
    modules_12: int = 1,
    modules_6: int = 1,
) -> Block:
    """Inception v3 reduced, to be trained: ``(3, H, W) -> (num_classes,)``.

    The stem halves the grid once for each of a stride of 2 and a pooling: 24x24 comes from 96x96 with both,
    from 48x48 with one of them, from 24x24 with neither, which are the constructions of table 2.

    Args:
        width: multiplies every channel count but the classes, rounded to the nearest (halves up), at least 1.
        num_classes: features of the last linear layer.
        large: the kernels of figure 5's second branch: two 3x3, or the 5x5 that they replace.
        small: the 3x3 kernels of the 24x24 and 6x6 modules, whole or as 1x3 and 3x1; not those of ``large``.
        kernel_7x7: the n x n kernels of the 12x12 modules, whole or as 1 x n and n x 1.
        n: the size of those kernels.
        between: what follows the first of two parts that stand for one kernel (figure 2).
        reductions: pooling and strided convolutions side by side, or bluntly one before the other.
        aux: with an auxiliary classifier after the 12x12 modules, without or with batch norm (figure 8).
        split_3x3: 1x3 and 3x1 side by side in the 6x6 modules, or one 3x3 with as many channels out.
        stem_stride: stride of the very first convolution.
        stem_pool: with the stem's pooling.
        dropout: the part of the features that is dropped before the last layer.
        modules_24: Inception modules at the 24x24 grid.
        modules_12: Inception modules at the 12x12 grid.
        modules_6: Inception modules at the 6x6 grid.
    """
    for grid, modules in ((24, modules_24), (12, modules_12), (6, modules_6)):
        as_count(f"mini: modules_{grid}", modules, least=0)
    parts: dict[str, Block] = {"conv_1": conv(scale(16, width), 3, stem_stride, padding=1)}
    if stem_pool:
        parts["pool_1"] = _pool()
    parts["conv_2"] = conv(scale(32, width), 3)
    for i in range(modules_24):
        parts[f"mixed_24_{i + 1}"] = _figure_5(width, large, small, between)
    channels = 4 * scale(16, width) if modules_24 else scale(32, width)
    parts["reduction_12"] = _reduction(channels, scale(128, width), reductions)
    for i in range(modules_12):
        parts[f"mixed_12_{i + 1}"] = _figure_6(width, kernel_7x7, n, between)
    if aux != "none":
        parts["aux"] = _figure_8(width, num_classes, aux)
    channels = 4 * scale(32, width) if modules_12 else scale(128, width)
    parts["reduction_6"] = _reduction(channels, scale(256, width), reductions)
    for i in range(modules_6):
        parts[f"mixed_6_{i + 1}"] = _figure_7(width, small, between, split_3x3)
    parts["head"] = seq(
        pool=AdaptiveAvgPool2d(1), dropout=Dropout(dropout), flatten=Flatten(), fc=Linear(num_classes)
    )
    return seq(**parts)


@part
def _figure_5(width: Ratio, large: Pair, small: Small, between: Activation) -> Block:
    """Module of the 24x24 grid: ``(C, H, W) -> (64, H, W)`` at width 1."""
    part = scale(16, width)
    return concat(
        b1x1=conv(part, 1),
        b5x5=seq(conv(part, 1), _stands_for(large == "5x5", part, 5, (3, 3), between)),
        b3x3=seq(conv(part, 1), _stands_for(small == "3x3", part, 3, ((1, 3), (3, 1)), between)),
        pool=seq(AvgPool2d(3, stride=1, padding=1), conv(part, 1)),
    )


@part
def _figure_6(width: Ratio, kernel: Asymmetric, n: Dim, between: Activation) -> Block:
    """Module of the 12x12 grid: ``(C, H, W) -> (128, H, W)`` at width 1."""
    part, whole = scale(32, width), kernel == "7x7"
    wide: tuple[Size2d, Size2d] = ((1, n), (n, 1))
    tall: tuple[Size2d, Size2d] = ((n, 1), (1, n))
    return concat(
        b1x1=conv(part, 1),
        b7x7=seq(conv(part, 1), _stands_for(whole, part, n, wide, between)),
        b7x7dbl=seq(
            conv(part, 1),
            _stands_for(whole, part, n, tall, between),
            _stands_for(whole, part, n, tall, between),
        ),
        pool=seq(AvgPool2d(3, stride=1, padding=1), conv(part, 1)),
    )


@part
def _figure_7(width: Ratio, small: Small, between: Activation, split_3x3: bool) -> Block:
    """Module of the 6x6 grid: ``(C, H, W) -> (288, H, W)`` at width 1."""
    part = scale(48, width)
    split: Block = conv(2 * part, 3)
    if split_3x3:
        split = concat(b1x3=conv(part, (1, 3)), b3x1=conv(part, (3, 1)))
    return concat(
        b1x1=conv(part, 1),
        b3x3=seq(conv(part, 1), split),
        b3x3dbl=seq(conv(part, 1), _stands_for(small == "3x3", part, 3, ((1, 3), (3, 1)), between), split),
        pool=seq(AvgPool2d(3, stride=1, padding=1), conv(part, 1)),
    )


@part
def _figure_8(width: Ratio, num_classes: Dim, aux: Auxiliary) -> Block:
    """Classifier at the side of the 12x12 grid: 3x3 means in the place of 5x5, so that any grid will do."""
    bn = aux == "bn"
    return auxiliary(
        pool=AdaptiveAvgPool2d(3),
        conv_1x1=conv(scale(32, width), 1, bn=bn, bias=not bn),
        conv_3x3=conv(scale(128, width), 3, padding="valid", bn=bn, bias=not bn),
        flatten=Flatten(),
        fc=Linear(num_classes),
    )


@part
def _reduction(channels: Dim, filters: Dim, form: Reduction) -> Block:
    """Half the grid and more channels: ``(channels, H, W) -> (filters, H', W')``."""
    if form == "pool+conv":
        return seq(pool=_pool(), conv=conv(filters, 3))
    if form == "conv+pool":
        return seq(conv=conv(filters, 3), pool=_pool())
    return concat(conv=conv(filters - channels, 3, stride=2, padding=1), pool=_pool())


def _pool() -> MaxPool2d:
    return MaxPool2d(3, stride=2, padding=1)


def _stands_for(
    whole: bool, filters: Dim, n: Dim, parts: tuple[Size2d, Size2d], between: Activation
) -> Sequence:
    """An n x n convolution, or the two that stand for it, as wide: ``(filters, H, W) -> (filters, H, W)``."""
    if whole:
        return conv(filters, n)
    first, second = parts
    return seq(conv(filters, first, activation=between), conv(filters, second))

"""Inception v3 as released, and the design space around it.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016; channel
counts of the released network. Its batch norms have a learned scale here, as in the ports to other
frameworks; TF-slim trains them without, which leaves 17,216 parameters out.
"""

from collections.abc import Iterator
from typing import Literal

from blocks.auxiliary import auxiliary_classifier
from blocks.factorization import Asymmetric, Large, Pair
from blocks.inception import inception_a, inception_c, inception_e
from blocks.reduction import Reduction, reduction_b, reduction_d
from blocks.stem import stem
from costlab.algebra import (
    AdaptiveAvgPool2d,
    Block,
    Dim,
    Dropout,
    Flatten,
    Linear,
    Ratio,
    as_count,
    block,
    seq,
)


@block(figure="Table 1", input="3x299x299")
def inception_v3(
    width: Ratio = 1.0,
    num_classes: Dim = 1000,
    aux: bool = False,
    branch_5x5: Large = "5x5",
    pair_3x3: Pair = "3x3+3x3",
    kernel_7x7: Asymmetric = "1x7+7x1",
    n: Dim = 7,
    split_3x3: bool = True,
    reductions: Reduction = "parallel",
    stem_kernel: Literal["3x3", "7x7"] = "3x3",
    stem_stride: Literal[1, 2] = 2,
    stem_pool: bool = True,
    modules_35: int = 3,
    modules_17: int = 4,
    modules_8: int = 2,
) -> Block:
    """Inception v3 as released: ``(3, H, W) -> (num_classes,)``, from 75x75 up.

    Every default is the released network's. Modules of the 17x17 grid have 128 inner channels in the
    first, 192 in the last, and 160 between; a single one has 192.

    Args:
        width: multiplies every channel count but the classes, rounded to the nearest (halves up),
            at least 1.
        num_classes: features of the last linear layer.
        aux: with the auxiliary classifier, which needs inputs from 299x299 up.
        branch_5x5: the kernel of the 35x35 modules' second branch: 5x5 as released, two 3x3 in its
            place, or the one 3x3 of figure 5 as printed.
        pair_3x3: the two 3x3 in a row of the 35x35 modules and their reduction, or the 5x5 that they
            replace.
        kernel_7x7: the n x n kernels of the 17x17 modules and their reduction, whole or as 1 x n and
            n x 1.
        n: the size of those kernels.
        split_3x3: 1x3 and 3x1 side by side in the 8x8 modules, or one 3x3 with as many channels out.
        reductions: pooling and strided convolutions side by side, or bluntly one before the other.
        stem_kernel: the first layers: three 3x3, or the one 7x7 that section 6 factorizes.
        stem_stride: stride of the very first convolution.
        stem_pool: with the first of the stem's two poolings.
        modules_35: Inception modules at the 35x35 grid.
        modules_17: Inception modules at the 17x17 grid.
        modules_8: Inception modules at the 8x8 grid.
    """
    for grid, modules in ((35, modules_35), (17, modules_17), (8, modules_8)):
        as_count(f"inception_v3: modules_{grid}", modules, least=0)
    parts: dict[str, Block] = {"stem": stem(width, stem_kernel, stem_stride, stem_pool)}
    for i, name in enumerate(module_names("5", "b", modules_35)):
        parts[name] = inception_a(32 if i == 0 else 64, branch_5x5, pair_3x3, width)
    parts["mixed_6a"] = reduction_b(reductions, pair_3x3, width)
    for i, name in enumerate(module_names("6", "b", modules_17)):
        parts[name] = inception_c(inner_channels(i, modules_17), kernel_7x7, n, width)
    if aux:
        parts["aux"] = auxiliary_classifier(num_classes, width)
    parts["mixed_7a"] = reduction_d(reductions, kernel_7x7, n, width)
    for name in module_names("7", "b", modules_8):
        parts[name] = inception_e(split_3x3, width)
    parts["head"] = seq(
        pool=AdaptiveAvgPool2d(1), dropout=Dropout(), flatten=Flatten(), fc=Linear(num_classes)
    )
    return seq(**parts)


def inner_channels(place: int, modules: int) -> int:
    """Channels inside a module of the 17x17 grid: 128 in the first, 192 in the last, 160 between."""
    return 192 if place == modules - 1 else 128 if place == 0 else 160


def module_names(stage: str, first: str, count: int) -> Iterator[str]:
    """``mixed_5b, mixed_5c, ...``; after z come ``mixed_5_27, mixed_5_28, ...``."""
    for i in range(count):
        letter = ord(first) + i
        yield (
            f"mixed_{stage}{chr(letter)}" if letter <= ord("z") else f"mixed_{stage}_{letter - ord('a') + 1}"
        )

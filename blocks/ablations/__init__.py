"""The ablations that come with costlab: what the paper replaces, and by what.

The convolutions of sections 3 and 5 have neither batch norm nor bias here: their parameters are weights, as
the paper counts them.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016.
"""

from typing import Any

from blocks.ablations.inference_budget import inference_budget
from blocks.ablations.lineage import lineage
from blocks.factorization import conv_1xn_nx1, conv_nxn, conv_separable, conv_stack
from blocks.inception_v3 import inception_v3
from blocks.reduction import grid_reduction
from costlab.targets.ablation import Ablation
from costlab.targets.resolve import variant
from costlab.targets.target import Variant

__all__ = [
    "inference_budget",
    "large_5x5",
    "large_7x7",
    "lineage",
    "nxn",
    "receptive_field",
    "reduction",
    "reduction_17",
    "reduction_35",
    "small_3x3",
    "whole",
]

large_5x5 = Ablation(
    "large_5x5",
    "A 5x5 convolution, two 3x3 that see as far, and what is smaller",
    {
        "5x5": variant(conv_nxn, n=5, bn=False),
        "3x3+3x3": variant(conv_stack, n=3, parts=2, bn=False),
        "3x3+3x3, linear between": variant(conv_stack, n=3, parts=2, activation="linear", bn=False),
        "3x3": variant(conv_nxn, n=3, bn=False),
        "separable 5x5": variant(conv_separable, n=5, bn=False),
    },
    symbols=("C", "H", "W", "alpha"),
    figure="Section 3.1",
)

small_3x3 = Ablation(
    "small_3x3",
    "A 3x3 convolution, and what is smaller; or larger",
    {
        "3x3": variant(conv_nxn, n=3, bn=False),
        "1x3+3x1": variant(conv_1xn_nx1, n=3, bn=False),
        "2x2+2x2": variant(conv_stack, n=2, parts=2, bn=False),
        "separable 3x3": variant(conv_separable, n=3, bn=False),
        "5x5": variant(conv_nxn, n=5, bn=False),
    },
    symbols=("C", "H", "W"),
    figure="Section 3.2",
)

large_7x7 = Ablation(
    "large_7x7",
    "A 7x7 convolution, three 3x3 that see as far, and other factorizations",
    {
        "7x7": variant(conv_nxn, n=7, bn=False),
        "3x3+3x3+3x3": variant(conv_stack, n=3, parts=3, bn=False),
        "1x7+7x1": variant(conv_1xn_nx1, n=7, bn=False),
        "separable 7x7": variant(conv_separable, n=7, bn=False),
    },
    symbols=("C", "H", "W", "alpha"),
    figure="Section 6",
)

nxn = Ablation(
    "nxn",
    "An n x n convolution, and 1 x n with n x 1",
    {
        "nxn": variant(conv_nxn, "192x17x17", n=7, bn=False),
        "1xn+nx1": variant(conv_1xn_nx1, "192x17x17", n=7, bn=False),
    },
    symbols=("C", "H", "W", "n"),
    figure="Section 3.2",
)


def _reductions(input: str, **settings: Any) -> dict[str, Variant]:
    forms = {
        "convolution, pooling": "conv+pool",
        "pooling, convolution": "pool+conv",
        "side by side": "parallel",
    }
    return {
        label: variant(grid_reduction, input, form=form, bn=False, **settings)
        for label, form in forms.items()
    }


reduction = Ablation(
    "grid_reduction",
    "Grid reductions from d x d to d/2 x d/2, reckoned with 1x1 kernels as the paper does",
    _reductions("320x34x34", kernel=1, window=2),
    symbols=("C", "H", "W"),
    figure="Figures 9 and 10",
)

reduction_35 = Ablation(
    "grid_reduction_35",
    "Grid reductions from 35x35 to 17x17, 3x3 with stride 2",
    _reductions("320x35x35"),
    symbols=("C", "H", "W"),
    figure="Figures 9 and 10",
)

reduction_17 = Ablation(
    "grid_reduction_17",
    "Grid reductions from 17x17 to 8x8, 3x3 with stride 2",
    _reductions("640x17x17"),
    symbols=("C", "H", "W"),
    figure="Figures 9 and 10",
)

receptive_field = Ablation(
    "receptive_field",
    "Inception v3 with table 2's three inputs and stems",
    {
        "299x299, stride 2, pooling": variant(inception_v3, "3x299x299"),
        "151x151, stride 1, pooling": variant(inception_v3, "3x151x151", stem_stride=1),
        "79x79, stride 1, no pooling": variant(inception_v3, "3x79x79", stem_stride=1, stem_pool=False),
    },
    symbols=("width",),
    figure="Table 2",
)

whole = Ablation(
    "inception_v3",
    "Inception v3 as released, and each of its choices taken back",
    {
        "released": variant(inception_v3),
        "figure 5: 3x3 for 5x5": variant(inception_v3, branch_5x5="3x3"),
        "3x3 pairs for 5x5": variant(inception_v3, branch_5x5="3x3+3x3"),
        "plain 7x7": variant(inception_v3, kernel_7x7="7x7"),
        "7x7 stem": variant(inception_v3, stem_kernel="7x7"),
        "pooling, convolution": variant(inception_v3, reductions="pool+conv"),
        "convolution, pooling": variant(inception_v3, reductions="conv+pool"),
        "all unfactorized": variant(
            inception_v3, pair_3x3="5x5", kernel_7x7="7x7", split_3x3=False, stem_kernel="7x7"
        ),
    },
    symbols=("width",),
    figure="Figures 5 to 10",
)

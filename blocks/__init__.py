"""The definitions that come with costlab: composable blocks and the networks made of them."""

from blocks.auxiliary import auxiliary_classifier
from blocks.factorization import conv_1xn_nx1, conv_nxn, conv_separable, conv_stack
from blocks.inception import inception_a, inception_c, inception_e
from blocks.inception_v3 import inception_v3
from blocks.reduction import grid_reduction, reduction_b, reduction_d
from blocks.stem import stem

__all__ = [
    "auxiliary_classifier",
    "conv_1xn_nx1",
    "conv_nxn",
    "conv_separable",
    "conv_stack",
    "grid_reduction",
    "inception_a",
    "inception_c",
    "inception_e",
    "inception_v3",
    "reduction_b",
    "reduction_d",
    "stem",
]

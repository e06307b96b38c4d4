"""The definitions that come with costlab: composable blocks and the networks made of them."""

from blocks.alexnet import alexnet, alexnet_one_tower
from blocks.auxiliary import auxiliary_classifier
from blocks.bn_inception import bn_inception, inception_bn, inception_v2, reduction_bn
from blocks.ensemble import ensemble
from blocks.factorization import conv_1xn_nx1, conv_nxn, conv_separable, conv_stack
from blocks.googlenet import googlenet, inception_googlenet
from blocks.inception import inception_a, inception_c, inception_e
from blocks.inception_v3 import inception_v3
from blocks.mini import mini
from blocks.prelu_net import prelu_net_a, prelu_net_b, prelu_net_c
from blocks.reduction import grid_reduction, reduction_b, reduction_d
from blocks.regnet import anynet_x, regnet_x, x_block, x_stage
from blocks.resnet import bottleneck, resnet50, resnet101, resnet152
from blocks.stem import stem
from blocks.table_1 import inception_v3_table_1
from blocks.vgg import vgg16, vgg19

__all__ = [
    "alexnet",
    "alexnet_one_tower",
    "anynet_x",
    "auxiliary_classifier",
    "bn_inception",
    "bottleneck",
    "conv_1xn_nx1",
    "conv_nxn",
    "conv_separable",
    "conv_stack",
    "ensemble",
    "googlenet",
    "grid_reduction",
    "inception_a",
    "inception_bn",
    "inception_c",
    "inception_e",
    "inception_googlenet",
    "inception_v2",
    "inception_v3",
    "inception_v3_table_1",
    "mini",
    "prelu_net_a",
    "prelu_net_b",
    "prelu_net_c",
    "reduction_b",
    "reduction_bn",
    "reduction_d",
    "regnet_x",
    "resnet50",
    "resnet101",
    "resnet152",
    "stem",
    "vgg16",
    "vgg19",
    "x_block",
    "x_stage",
]

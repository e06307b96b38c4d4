"""The operations: one class each, with a shape rule, the work it reports, and its torch module."""

from costlab.algebra.ops.activation import PReLU, ReLU, Softmax
from costlab.algebra.ops.convolution import Conv2d
from costlab.algebra.ops.linear import Linear
from costlab.algebra.ops.normalization import BatchNorm2d, LocalResponseNorm
from costlab.algebra.ops.pooling import AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, MaxPool2d
from costlab.algebra.ops.regularization import Dropout
from costlab.algebra.ops.reshape import Flatten

__all__ = [
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "AvgPool2d",
    "BatchNorm2d",
    "Conv2d",
    "Dropout",
    "Flatten",
    "Linear",
    "LocalResponseNorm",
    "MaxPool2d",
    "PReLU",
    "ReLU",
    "Softmax",
]

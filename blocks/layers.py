"""The layers that the networks are made of."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from costlab.algebra import (
    BatchNorm2d,
    Block,
    Conv2d,
    Dim,
    Dropout,
    Flatten,
    Linear,
    Ratio,
    ReLU,
    Sequence,
    Size2d,
    scale,
    seq,
)

Activation: TypeAlias = Literal["relu", "linear"]
_BATCH_NORM = BatchNorm2d(eps=1e-3)
_RELU = ReLU()
PLAIN: Mapping[str, Any] = {"bn": False, "bias": True}
"""Settings of `conv` before batch norm: a convolution with bias, and ReLU."""


def conv(
    filters: Dim,
    kernel: Size2d,
    stride: Size2d = 1,
    padding: Size2d | Literal["same", "valid"] = "same",
    *,
    groups: Dim = 1,
    bn: bool | BatchNorm2d = True,
    bias: bool = False,
    activation: Activation = "relu",
) -> Sequence:
    """Convolution, batch norm and ReLU: ``(C, H, W) -> (filters, H', W')``.

    ``bn`` says whether there is a batch norm, by default Inception's, or which one.
    """
    parts: dict[str, Block] = {"conv": Conv2d(filters, kernel, stride, padding, groups=groups, bias=bias)}
    if bn:
        parts["bn"] = _BATCH_NORM if bn is True else bn
    if activation == "relu":
        parts["relu"] = _RELU
    return seq(**parts)


def classifier(num_classes: Dim, width: Ratio) -> Sequence:
    """The three fully connected layers of AlexNet and VGG: ``(C, H, W) -> (num_classes,)``."""
    return seq(
        flatten=Flatten(),
        fc_6=fully_connected(scale(4096, width)),
        fc_7=fully_connected(scale(4096, width)),
        fc_8=Linear(num_classes),
    )


def fully_connected(features: Dim) -> Sequence:
    """Linear layer, ReLU and dropout: ``(F,) -> (features,)``."""
    return seq(fc=Linear(features), relu=_RELU, dropout=Dropout())

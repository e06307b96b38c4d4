"""The layer that every Inception network is made of."""

from typing import Literal, TypeAlias

from costlab.algebra import BatchNorm2d, Block, Conv2d, Dim, ReLU, Sequence, Size2d, seq

Activation: TypeAlias = Literal["relu", "linear"]
_BATCH_NORM = BatchNorm2d(eps=1e-3)
_RELU = ReLU()


def conv(
    filters: Dim,
    kernel: Size2d,
    stride: Size2d = 1,
    padding: Size2d | Literal["same", "valid"] = "same",
    *,
    groups: Dim = 1,
    bn: bool = True,
    bias: bool = False,
    activation: Activation = "relu",
) -> Sequence:
    """Convolution, batch norm and ReLU: ``(C, H, W) -> (filters, H', W')``."""
    parts: dict[str, Block] = {"conv": Conv2d(filters, kernel, stride, padding, groups=groups, bias=bias)}
    if bn:
        parts["bn"] = _BATCH_NORM
    if activation == "relu":
        parts["relu"] = _RELU
    return seq(**parts)

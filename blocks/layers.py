"""The layer that every Inception network is made of."""

from typing import Literal

from costlab.algebra import BatchNorm2d, Conv2d, Dim, ReLU, Sequence, Size2d, seq

_BATCH_NORM = BatchNorm2d(eps=1e-3)
_RELU = ReLU()


def conv(
    filters: Dim, kernel: Size2d, stride: Size2d = 1, padding: Literal["same", "valid"] = "same"
) -> Sequence:
    """Convolution without bias, batch norm and ReLU: ``(C, H, W) -> (filters, H', W')``."""
    return seq(conv=Conv2d(filters, kernel, stride, padding, bias=False), bn=_BATCH_NORM, relu=_RELU)

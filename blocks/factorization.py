"""Large kernels and what the paper puts in their place (sections 3.1 and 3.2)."""

from typing import Literal, TypeAlias

from blocks.layers import conv
from costlab.algebra import Dim, Sequence, seq

Large: TypeAlias = Literal["5x5", "3x3+3x3", "3x3"]
Asymmetric: TypeAlias = Literal["7x7", "1x7+7x1"]


def large(filters: Dim, form: Large) -> Sequence:
    """A 5x5 convolution, two 3x3 that see as far, or one: ``(C, H, W) -> (filters, H, W)``."""
    if form == "3x3+3x3":
        return seq(conv(filters, 3), conv(filters, 3))
    return conv(filters, 5 if form == "5x5" else 3)


def asymmetric(
    filters: Dim, between: Dim, form: Asymmetric, n: Dim = 7, tall_first: bool = False
) -> Sequence:
    """An n x n convolution, or 1 x n and n x 1: ``(C, H, W) -> (filters, H, W)``.

    ``between`` channels lie between the two parts; ``tall_first`` puts n x 1 before 1 x n.
    """
    if form == "7x7":
        return conv(filters, n)
    wide, tall = (1, n), (n, 1)
    first, second = (tall, wide) if tall_first else (wide, tall)
    return seq(conv(between, first), conv(filters, second))

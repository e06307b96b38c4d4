"""Ratios: multipliers of channel counts, and how a product with one is rounded."""

import math
from typing import Any, TypeAlias

from costlab.algebra.dim import DIM_MAX, MIXED, Dim, as_dim, is_array, is_symbolic, text
from costlab.errors import DefinitionError

Ratio: TypeAlias = float | Dim
"""A positive multiplier of channel counts: a number, a symbol or an array."""


def as_ratio(name: str, value: object) -> Ratio:
    """``value`` as a multiplier: a number, an array of numbers, or an expression with symbols.

    Raises:
        DefinitionError: it is none, or not above 0 and below 2**31.
    """
    ratio: Any = value
    if is_array(ratio) and ratio.ndim == 0:
        ratio = ratio.item()
    elif is_symbolic(ratio) and not ratio.free_symbols and ratio.is_real:
        ratio = float(ratio)
    if is_array(ratio):
        numbers = ratio.dtype.kind in "iuf" and ratio.size > 0
        ratio = ratio.astype("float64") if numbers else ratio
        inside = numbers and bool(((ratio > 0) & (ratio <= DIM_MAX)).all())
    elif is_symbolic(ratio):
        numbers = inside = bool(ratio.free_symbols)
    else:
        numbers = isinstance(ratio, int | float) and not isinstance(ratio, bool)
        inside = numbers and 0 < ratio <= DIM_MAX
    if not numbers:
        raise DefinitionError(f"{name}={value!r} must be a number")
    if not inside:
        raise DefinitionError(f"{name}={text(value)} must be a positive number below 2**31")
    checked: Ratio = ratio
    return checked


def scale(channels: Dim, width: Ratio) -> Dim:
    """``channels * width``, rounded to the nearest whole number (halves up), never below 1.

    A symbol is not rounded: its closed form holds wherever ``channels * width`` is whole.

    Raises:
        DefinitionError: ``channels`` is no dimension, ``width`` no positive number, or one of them is
            symbolic while the other is an array or not whole.
    """
    base: Any = as_dim("channels", channels)
    factor: Any = as_ratio("width", width)
    if is_symbolic(base) or is_symbolic(factor):
        if is_array(base) or is_array(factor):
            raise DefinitionError(MIXED)
        if not is_symbolic(factor) and factor % 1:
            raise DefinitionError(f"width={width} must be whole where channels are symbolic ({channels})")
        scaled: Dim = base * (factor if is_symbolic(factor) else int(factor))
    elif is_array(base) or is_array(factor):
        import numpy as np

        scaled = np.maximum(1, np.floor(base * factor + 0.5).astype("int64"))
    else:
        scaled = max(1, math.floor(base * factor + 0.5))
    return scaled

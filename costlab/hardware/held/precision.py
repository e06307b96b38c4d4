"""The types in which a network is held."""

from typing import Literal, get_args

Precision = Literal["float32", "bfloat16", "amp"]
"""The type of weights and data; ``amp`` is weights in float32, run under autocast to bfloat16."""
PRECISIONS: tuple[str, ...] = get_args(Precision)
WORD = {"float32": 4, "bfloat16": 2}
"""Bytes of an element, where one type is that of all."""

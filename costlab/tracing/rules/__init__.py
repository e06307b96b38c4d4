"""Rules: what each operation that a module runs reports. Importing this makes them known."""

from costlab.tracing.rules import (
    attention,
    convolution,
    elements,
    normalization,
    pooling,
    products,
    recurrent,
)
from costlab.tracing.rules.registry import rule

__all__ = [
    "attention",
    "convolution",
    "elements",
    "normalization",
    "pooling",
    "products",
    "recurrent",
    "rule",
]

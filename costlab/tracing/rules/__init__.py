"""Rules: what each operation that a module runs reports. Importing this makes them known."""

from costlab.tracing.rules import (
    activations,
    attention,
    convolution,
    elements,
    normalization,
    pooling,
    product_operators,
    products,
    recurrent,
)
from costlab.tracing.rules.registry import rule

__all__ = [
    "activations",
    "attention",
    "convolution",
    "elements",
    "normalization",
    "pooling",
    "product_operators",
    "products",
    "recurrent",
    "rule",
]

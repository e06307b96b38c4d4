"""What the operators of onnx cost, in the kinds and quantities of modules of PyTorch."""

from costlab.onnx.rules import (  # each registers its rules
    attention,
    convolution,
    einsum,
    elements,
    normalization,
    pooling,
    products,
    recurrent,
)
from costlab.onnx.rules.names import NOT_COUNTED, NOTHING
from costlab.onnx.rules.registry import LEARNED, RULES

__all__ = [
    "LEARNED",
    "NOTHING",
    "NOT_COUNTED",
    "RULES",
    "attention",
    "convolution",
    "einsum",
    "elements",
    "normalization",
    "pooling",
    "products",
    "recurrent",
]

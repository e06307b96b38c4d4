"""What the operators of onnx cost, in the kinds and quantities of modules of PyTorch."""

from costlab.onnx.rules import convolution, elements, products  # each registers its rules
from costlab.onnx.rules.registry import RULES as RULES

__all__ = ["RULES", "convolution", "elements", "products"]

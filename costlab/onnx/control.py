"""Operators that hold graphs of their own."""

from costlab.onnx.branches import branch
from costlab.onnx.loops import loop, scan
from costlab.onnx.walk import Control

CONTROL: dict[str, Control] = {"If": branch, "Loop": loop, "Scan": scan}
"""What is done in their place."""

"""Operators that hold graphs of their own."""

from costlab.onnx.branches import branch
from costlab.onnx.loops import loop, mapped, scan
from costlab.onnx.walk import Control

CONTROL: dict[str, Control] = {"If": branch, "Loop": loop, "Scan": scan, "SequenceMap": mapped}
"""What is done in their place: the nodes of these graphs are counted, and not themselves."""

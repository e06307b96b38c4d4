"""Graphs of ONNX as blocks: sized by onnx's own inference, counted by rules, in modules that they name."""

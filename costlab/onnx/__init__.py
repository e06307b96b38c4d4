"""Graphs of ONNX as blocks: sized by onnx's own inference, counted by rules, in the modules that they name."""

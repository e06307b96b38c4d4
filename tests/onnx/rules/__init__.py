"""Rules of operators of onnx, held against torch, brute force and arithmetic."""

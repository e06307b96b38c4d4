"""Architectures of transformers from small configurations, held against PyTorch's flop counter."""

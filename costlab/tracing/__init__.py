"""Any PyTorch module as a block: run once on tensors without values, and counted as it runs."""

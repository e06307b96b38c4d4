"""A count held against what runs: fvcore, PyTorch's flop counter, real tensors, and the peer tools."""

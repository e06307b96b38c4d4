"""What is zero in the weights of a network, and how few bits they take: what pruning and quantizing gain."""

"""Convolutions replaced by several that cost less: what that saves in a network, and the network itself."""

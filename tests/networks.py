"""Networks of the catalog for tests that run them."""

from costlab.counting.count import Count, count

LARGE = 7_000_000_000
"""Multiply-adds from which on a network of the catalog is run on an input of half the side."""


def at_half_if_large(name: str) -> Count:
    """The count of a network, of the largest on a quarter of the positions."""
    counted = count(name)
    if int(counted.multiply_adds) < LARGE:
        return counted
    channels, height, width = map(int, counted.root.input)
    return count(name, (channels, height // 2, width // 2))

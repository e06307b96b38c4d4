"""Networks of the catalog for tests that run them."""

from collections.abc import Mapping
from typing import Any

from costlab.counting.count import Count, count
from costlab.targets.resolve import variant

LARGE = 1_000_000_000
"""Multiply-adds from which on a network of the catalog is run at a quarter of its width."""
SMALLER: Mapping[str, Any] = {"width": 0.25, "models": 2}
WHOLE = "inception_v3"
"""The network that is run as it is, however large."""


def at_a_quarter_if_large(name: str) -> Count:
    """The count of a network, of a large one at a quarter of its width, of an ensemble of two."""
    counted = count(name)
    if name == WHOLE or int(counted.multiply_adds) < LARGE:
        return counted
    known = variant(name).parameters
    return count(name, **{each: size for each, size in SMALLER.items() if each in known})

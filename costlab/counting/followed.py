"""A count for a tool that follows sizes: the model runs once more, such that products of them are noted."""

from typing import TYPE_CHECKING, cast

from costlab.algebra.block import Node
from costlab.algebra.inputs import Inputs
from costlab.counting.convention import convention

if TYPE_CHECKING:
    from costlab.algebra.traced import Traced
    from costlab.counting.count import Count

SIZES = "size_products"
"""The quantity that only such a run knows."""


def follows_sizes(name: str) -> bool:
    """Whether a tool counts products of sizes."""
    by = convention(name)
    rates = (*by.charges.values(), *(each.charge for each in by.defects))
    return any(SIZES in each for each in rates)


def root_for(count: "Count", name: str) -> Node:
    """The operations of a count as a tool sees them.

    Sizes that are followed are integers of a class of their own, which a model may tell from others: the
    count itself is of a run with plain ones.
    """
    if not count.root.block.takes_tensors or not follows_sizes(name) or not isinstance(count.input, Inputs):
        return count.root
    from costlab.tracing.module import Module

    traced = cast("Traced", count.root.block)
    if traced.follows_sizes or traced.subject is None:
        return count.root
    partial = traced.stop is not None
    return Module(traced.subject, backward=traced.step, partial=partial, follows_sizes=True).walk(count.input)

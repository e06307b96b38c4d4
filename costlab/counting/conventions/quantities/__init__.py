"""The quantities that only some counting tools use, each computed from what is known of an operation.

A charge in a tool's table names one of these, or a quantity of `Work`. Importing this makes them known.
"""

from costlab.counting.conventions.quantities import (
    attention,
    convolution,
    elements,
    graph,
    graph_failures,
    graph_recurrent,
    leaf,
    normalization,
    products,
    recurrent,
)
from costlab.counting.conventions.quantities.registry import ONCE, QUANTITIES, quantity_of

__all__ = [
    "ONCE",
    "QUANTITIES",
    "attention",
    "convolution",
    "elements",
    "graph",
    "graph_failures",
    "graph_recurrent",
    "leaf",
    "normalization",
    "products",
    "quantity_of",
    "recurrent",
]

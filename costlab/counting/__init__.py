"""What a network costs: counts, the conventions that price them, comparisons and reconciliations."""

from costlab.counting.compare import Comparison, compare
from costlab.counting.convention import Convention, convention, conventions
from costlab.counting.count import Count, count
from costlab.counting.difference import Difference, differences
from costlab.counting.row import Row

__all__ = [
    "Comparison",
    "Convention",
    "Count",
    "Difference",
    "Row",
    "compare",
    "convention",
    "conventions",
    "count",
    "differences",
]

"""What a network costs: counts, conventions that put a price on them, comparisons and closed forms."""

from costlab.counting.closed_form import ClosedForm, ratio_in_symbols
from costlab.counting.compare import Comparison, compare
from costlab.counting.convention import Convention, convention, conventions
from costlab.counting.count import Count, count
from costlab.counting.difference import Difference, differences
from costlab.counting.row import Row
from costlab.counting.symbolic import closed_form, closed_forms

__all__ = [
    "ClosedForm",
    "Comparison",
    "Convention",
    "Count",
    "Difference",
    "Row",
    "closed_form",
    "closed_forms",
    "compare",
    "convention",
    "conventions",
    "count",
    "differences",
    "ratio_in_symbols",
]

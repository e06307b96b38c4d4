"""What a network costs: counts, and the conventions that put a price on their quantities."""

from costlab.counting.convention import Convention, convention, conventions
from costlab.counting.count import Count, Row, count

__all__ = ["Convention", "Count", "Row", "convention", "conventions", "count"]

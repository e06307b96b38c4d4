"""What is asked of the members of a space: the quantities of a count, and the memory that they need."""

from collections.abc import Container

from costlab.algebra.work import QUANTITIES
from costlab.counting.row import MEASURES

PEAK_MEMORY = "peak_memory"
"""The most bytes that are held at once while a member runs, or is trained."""
ASKED = (*QUANTITIES, PEAK_MEMORY)


def shown_of(sizes: Container[str]) -> tuple[str, ...]:
    """The quantities that people are shown of those that are known."""
    return (*MEASURES, PEAK_MEMORY) if PEAK_MEMORY in sizes else MEASURES

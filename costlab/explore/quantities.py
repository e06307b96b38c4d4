"""What is asked of the members of a space: the quantities of a count, and the memory that they need."""

from collections.abc import Container, Mapping
from typing import Any

from costlab.algebra.work import QUANTITIES
from costlab.counting.row import MEASURES

PEAK_MEMORY = "peak_memory"
"""The most bytes that are held at once while a member runs, or is trained."""
ASKED = (*QUANTITIES, PEAK_MEMORY)
RUNNING: Mapping[str, Any] = {"train": False, "optimizer": "sgd", "momentum": False, "dtype": "float32"}
"""The options of `costlab.memory` that say how a network runs, beside its batch, as they are by default."""


def changed_of(**running: Any) -> dict[str, Any]:
    """Those of `RUNNING` that are not as by default."""
    return {name: value for name, value in running.items() if value != RUNNING[name]}


def shown_of(sizes: Container[str]) -> tuple[str, ...]:
    """The quantities that people are shown of those that are known."""
    return (*MEASURES, PEAK_MEMORY) if PEAK_MEMORY in sizes else MEASURES

"""The quantities by name, and how one is found of an operation."""

from collections.abc import Callable
from typing import TypeAlias

from costlab.algebra.dim import Dim
from costlab.algebra.work import Work
from costlab.counting.conventions.operation import ChargedOperation

Quantity: TypeAlias = Callable[[ChargedOperation], int]
QUANTITIES: dict[str, Quantity] = {}
"""By the name that a charge has for it. Each is 0 for an operation that has nothing of it."""
ONCE: set[str] = {"weights"}
"""The names of those that are the same for every batch."""
PLAIN = frozenset(Work._fields[1:])


def quantity(measure: Quantity) -> Quantity:
    """Let charges name a quantity: by the name of the function that finds it."""
    QUANTITIES[measure.__name__] = measure
    return measure


def quantity_once(measure: Quantity) -> Quantity:
    """The same, for one that does not grow with the batch."""
    ONCE.add(measure.__name__)
    return quantity(measure)


def quantity_of(operation: ChargedOperation, name: str) -> Dim:
    """A quantity of an operation by its name: one that it reports itself, or one of `QUANTITIES`.

    For an operation that a user's rule counted, only what the rule reports is known.
    """
    if name in PLAIN:
        size: Dim = getattr(operation.work, name)
        return size
    if operation.is_opaque and name != "held":
        return 0
    return QUANTITIES[name](operation)

"""Rows of a count: a module, an operation, or a kind of operations, with the work that it does."""

from typing import Any, NamedTuple

from costlab.algebra.dim import Dim
from costlab.algebra.shape import AnyShape
from costlab.algebra.work import QUANTITIES, Work

MEASURES = ("multiply_adds", "parameters", "activations")
"""The quantities that people compare networks by; under another convention the first is the cost."""
COST = "cost"
DEFAULT = "multiply_adds"
"""The convention by which the cost is the multiply-adds, and nothing else."""
FORMAT, VERSION = "costlab count", 1
"""What the JSON form of a count calls itself, and the version of what stands in it."""


class Row(NamedTuple):
    """One line of a count: a module with everything below it, or one kind of operation.

    ``operation`` says what it is, ``operations`` of how many its ``work`` is the sum; ``cost`` is what they
    cost under the convention of the count.
    """

    path: str
    operation: str
    output: AnyShape | None
    work: Work
    cost: Dim
    operations: int = 1
    training_only: bool = False

    def size(self, quantity: str) -> Dim:
        """A quantity of its work, or the ``cost``."""
        size: Dim = self.cost if quantity == COST else getattr(self.work, quantity)
        return size

    def sizes(self, measures: tuple[str, ...] = MEASURES) -> tuple[Dim, ...]:
        """Its `MEASURES`, or others of a count's."""
        return tuple(map(self.size, measures))


def record(row: Row) -> dict[str, Any]:
    """A row as plain values by column name; sizes stay exact integers."""
    return {
        "module": row.path,
        "operation": row.operation,
        "kind": row.work.kind,
        "output": "" if row.output is None else str(row.output),
        "operations": row.operations,
        **{name: row.size(name) for name in (*QUANTITIES, COST)},
        "training_only": row.training_only,
    }


def human(size: int, unit: str = "") -> str:
    """A size in a few digits: 5,713,216,096 is 5.71 G, with a unit 5.71 GFLOP."""
    if size < 0:
        return f"-{human(-size, unit)}"
    if size < 1000:
        return f"{size} {unit}".rstrip()
    one, prefix = 1, ""
    for larger in "kMGTPEZY":
        if 1000 * size < 999_995 * one:  # what would be shown as 1000.00 takes the next prefix
            break
        one, prefix = 1000 * one, larger
    return f"{size / one:,.2f} {prefix}{unit}"

"""Rows of a count: a module, an operation, or a kind of operations, with the work that it does."""

from typing import Any, NamedTuple

from costlab.algebra.dim import Dim
from costlab.algebra.shape import AnyShape
from costlab.algebra.work import QUANTITIES, Work

MEASURES = ("multiply_adds", "parameters", "activations")
"""The quantities that people compare networks by; under another convention the first is the cost."""


class Row(NamedTuple):
    """One line of a count: a module with everything below it, or one kind of operation.

    ``operation`` says what it is, ``operations`` of how many its ``work`` is the sum.
    """

    path: str
    operation: str
    output: AnyShape | None
    work: Work
    operations: int = 1
    training_only: bool = False

    def sizes(self, measures: tuple[str, ...] = MEASURES) -> tuple[Dim, ...]:
        """Its `MEASURES`, or others of a count's."""
        return tuple(getattr(self.work, name) for name in measures)


def record(row: Row) -> dict[str, Any]:
    """A row as plain values by column name; sizes stay exact integers."""
    return {
        "module": row.path,
        "operation": row.operation,
        "kind": row.work.kind,
        "output": "" if row.output is None else str(row.output),
        "operations": row.operations,
        **{name: getattr(row.work, name) for name in (*QUANTITIES, "cost")},
        "training_only": row.training_only,
    }

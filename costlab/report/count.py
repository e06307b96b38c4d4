"""The table of a count."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from costlab.algebra.combine import UNVERIFIED
from costlab.algebra.dim import text
from costlab.counting.breakdown import Key
from costlab.counting.count import Count, Row, record
from costlab.errors import DefinitionError
from costlab.report.cell import Column, human
from costlab.report.table import Table

if TYPE_CHECKING:
    from costlab.counting.closed_form import ClosedForm

Order = Literal["execution", "multiply-adds", "parameters", "activations", "name"]
By = Literal["module", "kind"]

UNVERIFIED_COLUMN = Column("unverified", "unverified", machine_only=True)
SIZES = (
    Column("operations", "operations", "size", machine_only=True),
    Column("parameters", "parameters", "size", sacrifice=1),
    Column("multiply_adds", "multiply-adds", "size"),
    Column("activations", "activations", "size", sacrifice=3),
    Column("share", "share", "share", sacrifice=2),
    Column("weights", "weights", "size", machine_only=True),
    Column("bias_adds", "bias adds", "size", machine_only=True),
)
MODULE_COLUMNS = (
    Column("module", "module", empty="(root)"),
    Column("operation", "operation", sacrifice=5),
    Column("output", "output", sacrifice=4),
    *SIZES,
    Column("training_only", "training only", machine_only=True),
    UNVERIFIED_COLUMN,
)
NOT_VERIFIED = f"{UNVERIFIED}: its layers were not verified against their source"
KIND_COLUMNS = (
    Column("kind", "kind"),
    Column("operations", "operations", "size", sacrifice=4),
    *SIZES[1:],
    UNVERIFIED_COLUMN,
)


def count_table(count: Count, depth: int = 1, by: By = "module", sort: Order = "execution") -> Table:
    """The count as a table: a row per module at ``depth``, or per kind of operation.

    Raises:
        DefinitionError: the count is for symbols or arrays: there is no single number to show.
    """
    for name, size in count.total._asdict().items():
        if name != "kind" and not isinstance(size, int):
            raise DefinitionError(
                f"{count.label}: {name}={text(size)} is no single number; a table needs numbers"
            )
    rows = list(count.kinds() if by == "kind" else count.modules(depth))
    if sort == "name":
        rows.sort(key=lambda row: (row.path, row.operation))
    elif sort != "execution":
        rows.sort(key=lambda row: int(getattr(row.work, sort.replace("-", "_"))), reverse=True)
    whole = Row("total", "", None, count.total, sum(row.operations for row in rows))
    columns = KIND_COLUMNS if by == "kind" else MODULE_COLUMNS
    return Table(
        title=count.title,
        columns=columns,
        rows=tuple(_values(row, count, columns) for row in rows),
        total=_values(whole, count, columns),
        notes=_notes(count),
        facts={
            "target": count.label,
            "input": list(count.input),
            "batch": count.batch,
            "auxiliary_heads": count.heads,
            "unverified": count.unverified,
            "output": list(count.root.output),
        },
    )


def breakdown_table(count: Count, key: Key, title: str, *, largest_first: bool = False) -> Table:
    """The cost by what operations have in common; what costs nothing is left out."""
    rows = [row for row in count.grouped(key) if any(row.sizes)]
    free = len(count.rows) - sum(row.operations for row in rows)
    if largest_first:
        rows.sort(key=lambda row: int(row.work.multiply_adds), reverse=True)
    whole = Row("total", "", None, count.total, sum(row.operations for row in rows))
    columns = (KIND_COLUMNS[0]._replace(title=title), *KIND_COLUMNS[1:])
    return Table(
        title=f"{count.title}, by {title}",
        columns=columns,
        rows=tuple(_values(row, count, columns) for row in rows),
        total=_values(whole, count, columns),
        notes=(
            *([f"without {free} operations that cost none of these"] if free else []),
            *marks_of(count),
        ),
    )


def _values(row: Row, count: Count, columns: tuple[Column, ...]) -> tuple[Any, ...]:
    whole = int(count.multiply_adds)
    head = " (training only)" if row.training_only else ""
    share = int(row.work.multiply_adds) / whole if whole else 0.0
    values = record(row) | {
        "operation": row.operation + head,
        "share": share,
        "unverified": count.unverified,
    }
    return tuple(values[column.key] for column in columns)


def _notes(count: Count) -> tuple[str, ...]:
    total = count.total
    macs, parameters, activations = int(total.multiply_adds), int(total.parameters), int(total.activations)
    notes = [
        f"{human(macs)} multiply-adds ({human(2 * macs, 'FLOP')} at two each), "
        f"{human(parameters)} parameters, {human(activations)} activations"
    ]
    return (*notes, *marks_of(count))


def _training_only(count: Count) -> tuple[str, ...]:
    """Which parts run in training only, and what is left without them."""
    if not count.auxiliary:
        return ()
    without = count.inference.total
    heads = ", ".join(path or "the whole" for path in count.auxiliary)
    sizes = f"{without.multiply_adds:,} multiply-adds, {without.parameters:,} parameters"
    return (f"training only: {heads}; in inference {sizes}",)


def marks_of(count: Count) -> tuple[str, ...]:
    """What is to be said of a count wherever it is shown: heads that are in it, and what is unverified."""
    return (*_training_only(count), *unverified_note([count]))


def unverified_note(counts: "Iterable[Count | ClosedForm]") -> tuple[str, ...]:
    """What the mark of definitions that were not held against their source means, where one is shown."""
    return (NOT_VERIFIED,) if any(count.unverified for count in counts) else ()

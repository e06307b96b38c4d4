"""The table of a count."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from costlab.algebra.combine import UNVERIFIED
from costlab.algebra.dim import text
from costlab.algebra.inputs import Inputs
from costlab.algebra.work import QUANTITIES
from costlab.counting.count import Count
from costlab.counting.row import DEFAULT, FORMAT, VERSION, Row, record
from costlab.errors import DefinitionError
from costlab.report.cell import Column, human
from costlab.report.table import Table

if TYPE_CHECKING:
    from costlab.counting.breakdown import Key
    from costlab.symbolic.closed_form import ClosedForm

Order = Literal["execution", "multiply-adds", "parameters", "activations", "name"]
By = Literal["module", "kind"]

UNVERIFIED_COLUMN = Column("unverified", "unverified", machine_only=True)
PARTIAL_COLUMN = Column("partial", "partial", machine_only=True)
TITLES = {"multiply_adds": "multiply-adds", "parameters": "parameters", "activations": "activations"}
MULTIPLY_ADDS = Column("multiply_adds", "multiply-adds", "size", fold=13)
SIZES = (
    Column("operations", "operations", "size", machine_only=True),
    Column("parameters", "parameters", "size", sacrifice=1),
    MULTIPLY_ADDS,
    Column("flops", "FLOPs (2 each)", "size", sacrifice=6),
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
    PARTIAL_COLUMN,
)
UNSIZED = "NOT COUNTED, for their sizes are in the data, or come from the first of these"
NOT_VERIFIED = f"{UNVERIFIED}: its layers were not verified against their source"
KIND_COLUMNS = (
    Column("kind", "kind"),
    Column("operations", "operations", "size", sacrifice=4),
    *SIZES[1:],
    UNVERIFIED_COLUMN,
    PARTIAL_COLUMN,
)


def count_table(count: Count, depth: int = 1, by: By = "module", sort: Order = "execution") -> Table:
    """The count as a table: a row per module at ``depth``, or per kind of operation.

    Raises:
        DefinitionError: the count is for symbols or arrays: there is no single number to show.
    """
    for name in QUANTITIES:
        if not isinstance(size := count.size(name), int):
            raise DefinitionError(
                f"{count.label}: {name}={text(size)} is no single number; a table needs numbers"
            )
    rows = list(count.kinds() if by == "kind" else count.modules(depth))
    if sort == "name":
        rows.sort(key=lambda row: (row.path, row.operation))
    elif sort != "execution":
        measure = count.measures[0] if sort == "multiply-adds" else sort
        rows.sort(key=lambda row: int(row.size(measure)), reverse=True)
    whole = count.whole._replace(path=count.total_name, operations=sum(row.operations for row in rows))
    columns = _priced(KIND_COLUMNS if by == "kind" else MODULE_COLUMNS, count)
    return Table(
        title=count.title,
        columns=columns,
        rows=tuple(_values(row, count, columns) for row in rows),
        total=_values(whole, count, columns),
        notes=_notes(count),
        facts=lambda: {
            "format": FORMAT,
            "version": VERSION,
            "target": count.label,
            "input": str(count.input) if isinstance(count.input, Inputs) else list(count.input),
            "batch": count.batch,
            "auxiliary_heads": count.heads,
            "training_step": count.is_step,
            "unverified": count.unverified,
            "partial": partial_facts(count),
            "output": None if count.partial else list(count.root.output),
            **convention_facts(count),
            **({"held": count.held._asdict()} if count.held else {}),
            "not_counted": {kind: list(paths) for kind, paths in count.unsupported.items()},
        },
    )


def breakdown_table(count: Count, key: "Key", title: str, *, largest_first: bool = False) -> Table:
    """The cost by a common property of operations; those that cost nothing are left out."""
    rows = [row for row in count.grouped(key) if any(row.sizes(count.measures))]
    free = len(count.rows) - sum(row.operations for row in rows)
    if largest_first:
        rows.sort(key=lambda row: int(row.size(count.measures[0])), reverse=True)
    whole = count.whole._replace(path=count.total_name, operations=sum(row.operations for row in rows))
    columns = _priced((KIND_COLUMNS[0]._replace(title=title), *KIND_COLUMNS[1:]), count)
    return Table(
        title=f"{count.title}, by {title}",
        columns=columns,
        rows=tuple(_values(row, count, columns) for row in rows),
        total=_values(whole, count, columns),
        notes=(
            *([f"without {free} operations that cost none of these"] if free else []),
            *partial_notes([count]),
            *unknown_notes(count),
            *marks_of(count),
        ),
    )


def _values(row: Row, count: Count, columns: tuple[Column, ...]) -> tuple[Any, ...]:
    measure = count.measures[0]
    whole = int(count.size(measure))
    head = " (training only)" if row.training_only else ""
    share = int(row.size(measure)) / whole if whole else 0.0
    values = record(row) | {
        key_of(count, "cost"): row.cost,
        "flops": 2 * int(row.work.multiply_adds),
        "operation": row.operation + head,
        "share": share,
        "unverified": count.unverified,
        "partial": count.partial is not None,
    }
    return tuple(values[column.key] for column in columns)


def _notes(count: Count) -> tuple[str, ...]:
    total = count.total
    macs, parameters, activations = int(total.multiply_adds), int(total.parameters), int(total.activations)
    notes = [
        f"{human(macs)} multiply-adds ({human(2 * macs, 'FLOP')} at two each), "
        f"{human(parameters)} parameters, {human(activations)} activations"
    ]
    return (
        *partial_notes([count]),
        *unknown_notes(count),
        *_complex(count),
        *notes,
        *convention_notes([count]),
        *marks_of(count),
    )


def _priced(columns: tuple[Column, ...], count: Count) -> tuple[Column, ...]:
    """The columns, with the cost under the convention of the count, unless that is multiply-adds."""
    if count.priced == DEFAULT:
        return columns
    at = columns.index(MULTIPLY_ADDS)
    cost = Column(key_of(count, "cost"), count.convention.column, "size")
    return (*columns[:at], cost, MULTIPLY_ADDS._replace(sacrifice=4), *columns[at + 2 :])


def key_of(count: Count, measure: str) -> str:
    """The key of a measure in machine formats; that of a cost names its convention."""
    return f"{count.priced}_cost" if measure == "cost" else measure


def titles_of(count: Count) -> tuple[str, ...]:
    """The titles of the measures of a count."""
    return tuple(TITLES.get(name, count.convention.column) for name in count.measures)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def convention_facts(count: Count) -> dict[str, Any]:
    """The convention of a count for the machine formats."""
    by = count.convention
    return {"convention": by.name, "unit": by.unit, "measured_on": by.measured_on or None}


def convention_notes(counts: Iterable[Count]) -> tuple[str, ...]:
    """Notes on the convention of counts, and on kinds that its tool does not know; none for the default."""
    counts = tuple(counts)
    if counts[0].priced == DEFAULT:
        return ()
    from costlab.counting.holds import unknown_among

    by = counts[0].convention
    unknown = unknown_among(by, (node for count in counts for node in count.operations))
    unknown_kinds = ", ".join(f"{kind} ({number})" for kind, number in unknown.items())
    measurement = f", as {by.measured_on} counts" if by.measured_on else ""
    return (f"{by.unit}{measurement}", *([f"it has no rule for: {unknown_kinds}"] if unknown_kinds else []))


def _training_only(count: Count) -> tuple[str, ...]:
    """A note on the parts that are used in training only, and the cost without them."""
    if not count.auxiliary:
        return ()
    without = count.inference.total
    heads = ", ".join(path or "the whole" for path in count.auxiliary)
    sizes = f"{without.multiply_adds:,} multiply-adds, {without.parameters:,} parameters"
    return (f"training only: {heads}; in inference {sizes}",)


def marks_of(count: Count) -> tuple[str, ...]:
    """Notes on a count wherever it is shown: auxiliary heads, uses of parameters, unverified definitions."""
    return (*_training_only(count), *_parameter_uses(count), *unverified_note([count]))


def _parameter_uses(count: Count) -> tuple[str, ...]:
    """A note on the parameters of a module, if some are frozen, shared or unused."""
    uses_of = count.held
    if uses_of is None or not (uses_of.frozen or uses_of.shared or uses_of.unused):
        return ()
    words = {"unused": "not reached"} if count.partial else {}
    uses = ", ".join(
        f"{size:,} {words.get(name, name)}"
        for name, size in uses_of._asdict().items()
        if size or name == "trainable"
    )
    return (f"parameters: {uses}",)


def unknown_notes(count: Count) -> tuple[str, ...]:
    """Notes on the operations that are not counted, and on branches of which one runs."""
    told = (
        ("NOT COUNTED, for there is no rule, or it is in the data", count.without_rule),
        (UNSIZED, count.unsized),
        ("both branches are in the total, and data decides which one runs", count.undecided),
    )
    return tuple(
        f"{words}: {'; '.join(f'{kind}, {_places(paths)}' for kind, paths in found.items())}"
        for words, found in told
        if found
    )


def _places(paths: Sequence[str]) -> str:
    times = "once" if len(paths) == 1 else f"{len(paths)} times"
    return f"{times}, at {paths[0] or 'the root'}"


def _complex(count: Count) -> tuple[str, ...]:
    """A note on products of complex numbers."""
    paths = count.complex_products
    if not paths:
        return ()
    places = ", ".join(path or "the root" for path in paths[:3]) + (" and others" if len(paths) > 3 else "")
    return (
        f"complex numbers are multiplied at {places}: a product counts as one multiply-add, and takes four "
        "of real numbers",
    )


def partial_notes(counts: "Iterable[Count]") -> tuple[str, ...]:
    """A note on each count of a module whose run stopped."""
    return tuple(
        f"{count.shown}: only what ran until it {count.partial}" for count in counts if count.partial
    )


def partial_facts(count: Count) -> dict[str, str] | None:
    """Where a run stopped and why, for the machine formats; None where it came to its end."""
    return {"stopped_at": count.partial.path, "reason": count.partial.reason} if count.partial else None


def unverified_note(counts: "Iterable[Count | ClosedForm]") -> tuple[str, ...]:
    """A note on the mark of unverified definitions, if one of the counts has it."""
    return (NOT_VERIFIED,) if any(count.unverified for count in counts) else ()

"""The table of a roofline: modules or kinds with what they compute, what they move, and the bound."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from costlab.algebra.inputs import Inputs
from costlab.hardware.roofline import Roofline, TimeBound
from costlab.hardware.timing.calibration import Calibration
from costlab.report.cell import Column, Remark, duration, human
from costlab.report.table import Table
from costlab.report.tables.count import UNVERIFIED_COLUMN, marks_of, partial_notes, unknown_notes
from costlab.report.tables.measure import prediction_notes
from costlab.report.tables.predicted import FORMAT, VERSION, calibration_facts

By: TypeAlias = Literal["module", "kind", "operation"]
PREDICTED = Column("predicted", "predicted", "seconds")
MARKS = (
    Column("memory_seconds", "bound by memory", "seconds", machine_only=True),
    UNVERIFIED_COLUMN,
)
SIZES = (
    Column("operations", "operations", "size", machine_only=True),
    Column("multiply_adds", "multiply-adds", "size", sacrifice=4, fold=13),
    Column("flop", "FLOP (2 each)", "size", machine_only=True),
    Column("bytes", "bytes", "size", sacrifice=3),
    Column("intensity", "FLOP/byte", "decimal", sacrifice=1, empty="-"),
    Column("limit", "bound by", empty="-"),
    Column("seconds", "at least", "seconds"),
    Column("share", "share", "share", sacrifice=2),
)
BY_MODULE = (Column("module", "module", empty="(root)"), Column("kind", "kind", machine_only=True))
BY_OPERATION = (Column("module", "operation", empty="(root)"), Column("kind", "kind", sacrifice=2))
BY_KIND = (Column("kind", "kind"),)
ASSUMED = (
    "a lower bound, no prediction: each operation alone, every tensor read and written once, no cache, "
    "no time to launch, peak rates"
)
ABSORBED = (
    "batch norm and activation functions behind a layer are done with it, and move nothing of their own"
)
APART = "batch norm and activation functions are operations of their own; with --fused a layer does them too"


def roofline_table(
    roofline: Roofline, depth: int = 1, by: By = "module", calibration: Calibration | None = None
) -> Table:
    """A row per module at ``depth``, per kind or per operation; the total is the network's.

    With a calibration, what it predicts stands beside the bounds, with its error and its spread.
    """
    predictions: Sequence[str] = ()
    if calibration is not None:
        guess = calibration.predict(roofline.count)
        roofline = roofline.beside(guess.seconds)
        predictions = prediction_notes(calibration, guess.remarks)
    head: tuple[Column, ...]
    if by == "kind":
        rows, head = roofline.kinds(), BY_KIND
    elif by == "operation":
        rows, head = roofline.operations, BY_OPERATION
    else:
        rows, head = roofline.modules(depth), BY_MODULE
    predicted = () if roofline.predicted is None else (PREDICTED,)
    columns = (*head, *SIZES[:7], *predicted, *SIZES[7:], *MARKS)
    name = roofline.count.total_name
    total = roofline.total._replace(path=name, kind=name if by == "kind" else "")
    return Table(
        title=roofline.title,
        columns=columns,
        rows=tuple(_values(row, roofline, columns) for row in rows),
        total=_values(total, roofline, columns),
        notes=(*_notes(roofline), *predictions),
        facts=lambda: _facts(roofline) | (calibration_facts(calibration) if calibration else {}),
    )


def _values(row: TimeBound, roofline: Roofline, columns: tuple[Column, ...]) -> tuple[Any, ...]:
    values = row._asdict() | {
        "module": row.path,
        "intensity": row.intensity,
        "unverified": roofline.count.unverified or roofline.device.unverified,
    }
    return tuple(values[column.key] for column in columns)


def _notes(roofline: Roofline) -> tuple[str | Remark, ...]:
    total, count, device = roofline.total, roofline.count, roofline.device
    compute, memory = total.flop / roofline.peak, total.bytes / roofline.bandwidth
    bound = [each for each in roofline.operations if each.limit == "memory"]
    of_it = f", {total.memory_seconds / total.seconds:.1%} of the time" if total.seconds else ""
    return (
        *partial_notes([count]),
        *unknown_notes(count),
        f"at least {duration(total.seconds)}: {human(total.flop, 'FLOP')} (two per multiply-add) at "
        f"{human(roofline.peak, 'FLOP/s')} alone take {duration(compute)}, {human(total.bytes, 'B')} at "
        f"{human(roofline.bandwidth, 'B/s')} alone {duration(memory)}",
        f"below {roofline.ridge:,.1f} FLOP per byte memory bounds: {len(bound):,} of {total.operations:,} "
        f"operations{of_it}",
        ASSUMED,
        ABSORBED if roofline.fused else APART,
        *(
            [f"(?) {device.name}: {device.remark or 'not held against a source'}"]
            if device.unverified
            else []
        ),
        *marks_of(count),
    )


def _facts(roofline: Roofline) -> dict[str, Any]:
    count = roofline.count
    return {
        "format": FORMAT,
        "version": VERSION,
        "target": count.label,
        "input": str(count.input) if isinstance(count.input, Inputs) else list(count.input),
        "batch": count.batch,
        "device": roofline.device.name,
        "dtype": roofline.dtype,
        "fused": roofline.fused,
        "peak": roofline.peak,
        "bandwidth": roofline.bandwidth,
        "ridge": roofline.ridge,
        "is_lower_bound": True,
        "not_counted": {kind: list(paths) for kind, paths in count.unsupported.items()},
    }

"""Tables of what was measured: a network on this machine, and the fit of a calibration."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import fsum
from typing import Any

from costlab.algebra.inputs import Inputs
from costlab.counting.count import Count
from costlab.hardware.device import Device
from costlab.hardware.roofline import of_count
from costlab.hardware.timing.calibration import NANOSECONDS, Calibration, Machine
from costlab.hardware.timing.measured import SYNCHRONIZED, Measurement, TimedRow, spread
from costlab.report.cell import Column, duration, plural
from costlab.report.table import Table
from costlab.report.tables.count import UNVERIFIED_COLUMN, marks_of

FORMAT, VERSION = "costlab measure", 1
DTYPE = "float32"
NAMES = (
    Column("module", "module", empty="(root)"),
    Column("kind", "operation", sacrifice=3),
    Column("operations", "operations", "size", machine_only=True),
)
MEASURED = (
    Column("seconds", "time", "seconds"),
    Column("share", "share", "share", sacrifice=2),
    Column("low", "quartiles: low", "seconds", sacrifice=6, fold=10),
    Column("high", "high", "seconds", sacrifice=6),
    Column("multiply_adds", "multiply-adds", "size", machine_only=True),
    Column("bytes", "bytes", "size", machine_only=True),
    Column("multiply_adds_per_second", "multiply-adds/s", "rounded", sacrifice=4, fold=14),
    Column("bytes_per_second", "bytes/s", "rounded", sacrifice=5),
)
BOUND = (
    Column("bound", "at least", "seconds", sacrifice=1),
    Column("times_bound", "times that", "decimal", sacrifice=1),
)
FITTED = (
    Column("network", "network"),
    Column("multiply_adds", "multiply-adds", "size", sacrifice=3),
    Column("seconds", "measured", "seconds"),
    Column("predicted", "predicted without it", "seconds", sacrifice=1, fold=10),
    Column("error", "error", "deviation"),
    Column("spread", "between runs", "saving", sacrifice=2),
)


def measured_table(
    measured: Measurement, depth: int | None, by: str = "module", device: Device | None = None
) -> Table:
    """A row per operation, per module at ``depth``, or per kind; the total is the whole network, as it ran.

    With a device the least time that its peak and its bandwidth allow stands beside it.
    """
    by_module = measured.rows if depth is None else measured.modules(depth)
    rows = measured.kinds() if by == "kind" else by_module
    bounds = _bounds(measured, device)
    columns = (*NAMES[by == "kind" :], *MEASURED, *(BOUND if device else ()), UNVERIFIED_COLUMN)
    total = measured.total._replace(path=measured.count.total_name)
    return Table(
        title=f"{measured.count.title}, as it ran here",
        columns=columns,
        rows=tuple(_values(row, measured.share(row), columns, measured, bounds) for row in rows),
        total=_values(total, None, columns, measured, bounds, measured.count.total_name),
        notes=(*_notes(measured), *_bound_notes(device), *marks_of(measured.count)),
        facts=lambda: _facts(measured, device),
    )


def calibration_table(calibration: Calibration) -> Table:
    """A row per network: what was measured, and what a fit without it predicts."""
    return Table(
        title=f"Calibration to {plural(len(calibration.networks), 'network')}, batch {calibration.batch}",
        columns=FITTED,
        rows=tuple(
            (
                each.label,
                each.multiply_adds,
                each.measured / NANOSECONDS,
                each.predicted / NANOSECONDS,
                each.error,
                each.spread,
            )
            for each in calibration.networks
        ),
        notes=(str(calibration.machine), *error_notes(calibration)),
        facts=lambda: {
            "format": "costlab calibrate",
            "version": 1,
            "machine": machine_facts(calibration.machine),
            "batch": calibration.batch,
            "rounds": calibration.rounds,
            "mean_error": calibration.error,
            "mean_spread": calibration.spread,
        },
    )


def error_notes(calibration: Calibration) -> Sequence[str]:
    """How far predictions of a calibration are to be trusted: what stands beside each of them."""
    worst = calibration.worst
    return (
        f"predicted without the network itself, {len(calibration.networks)} networks are off by "
        f"{calibration.error:.1%} on average, at most {worst.error:+.1%} ({worst.label}); two runs of them "
        f"differ by {calibration.spread:.1%} on average",
    )


def prediction_notes(calibration: Calibration, remarks: Sequence[str]) -> Sequence[str]:
    """What a prediction is made by, its error, and where it is for what was not fitted."""
    return (
        f"predicted for {calibration.machine}, in float32: a model, and no measurement",
        *error_notes(calibration),
        *remarks,
    )


def _values(
    row: TimedRow,
    share: float | None,
    columns: Sequence[Column],
    measured: Measurement,
    bounds: Callable[[TimedRow], float | None],
    name: str = "",
) -> tuple[Any, ...]:
    median, low, high = (each / NANOSECONDS for each in row.spread)
    bound = bounds(row)
    values = {
        "module": row.path,
        "kind": row.kind or ("" if columns[0].key == "module" else name),
        "operations": row.operations,
        "seconds": median,
        "share": share,
        "low": low,
        "high": high,
        "multiply_adds": row.features.multiply_adds,
        "bytes": row.moved,
        "multiply_adds_per_second": row.multiply_adds_per_second,
        "bytes_per_second": row.bytes_per_second,
        "bound": bound,
        "times_bound": median / bound if bound and median else None,
        "unverified": measured.count.unverified,
    }
    return tuple(values[column.key] for column in columns)


def _bounds(measured: Measurement, device: Device | None) -> Callable[[TimedRow], float | None]:
    """The least time of a row on a device."""
    if device is None:
        return lambda _: None
    least = {each.path: each.seconds for each in of_count(measured.count, device, DTYPE).operations}
    return lambda row: fsum(least[path] for path in row.paths) or None


def _notes(measured: Measurement) -> Iterator[str]:
    within = spread(measured.within).median / NANOSECONDS
    yield str(measured.machine)
    yield (
        f"medians of {plural(measured.rounds, 'round')}; with a clock around each operator, as the "
        f"operations were timed, they take {duration(within)} together"
    )
    if elsewhere := spread(measured.elsewhere).median:
        yield f"{duration(elsewhere / NANOSECONDS)} of that are in operators that are part of no operation"
    if measured.machine.clock == SYNCHRONIZED:
        yield "the GPU is waited for before and after each operator: of short ones that is the most"


def _bound_notes(device: Device | None) -> Iterator[str]:
    if device is not None:
        yield (
            f"at least: the bound that the peak in {DTYPE} and the bandwidth of {device.name} set, "
            "operation by operation"
        )
        if device.unverified:
            yield f"(?) {device.name}: {device.remark or 'not held against a source'}"


def _facts(measured: Measurement, device: Device | None) -> Mapping[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        **target_facts(measured.count),
        "machine": machine_facts(measured.machine),
        "rounds": measured.rounds,
        "device": device and device.name,
        "whole": [each / NANOSECONDS for each in measured.whole],
    }


def target_facts(count: Count) -> Mapping[str, Any]:
    """What was counted, as plain values."""
    return {
        "target": count.label,
        "input": str(count.input) if isinstance(count.input, Inputs) else list(count.input),
        "batch": count.batch,
    }


def machine_facts(machine: Machine) -> Mapping[str, Any]:
    """The machine as plain values."""
    return {
        "processor": machine.processor,
        "threads": machine.threads,
        "torch": machine.torch,
        "clock": machine.clock,
    }

"""The tables of devices: a list, and the figures of one."""

from pathlib import Path
from typing import Any

from costlab.hardware.device import TYPES, Device, device, devices
from costlab.report.cell import Column, Remark, human
from costlab.report.table import Table
from costlab.report.tables.count import UNVERIFIED_COLUMN

SACRIFICES = {"float32": 0, "bfloat16": 1, "float16": 3, "tf32": 4, "float8": 6, "int8": 6, "float64": 5}
"""How soon a narrow terminal does without the peak of a type."""
IN_FLOPS = (
    "peaks in FLOP per second, two per multiply-add, without sparsity; float32 is that of the vector units, "
    "tf32 of tensor cores"
)
IN_BYTES = (
    "memory in bytes, bandwidth in bytes per second, a G of them 10**9; power in watts, of the board alone"
)
MARKED = "(?) not all of its figures were held against a source: costlab list --devices NAME says which"
TEXTS = ("power_kind", "clock", "derivation", "source", "verified", "remark")
ALL = (
    Column("name", "device", marked_by="unverified"),
    UNVERIFIED_COLUMN,
    Column("full_name", "full name", machine_only=True),
    Column("kind", "kind", sacrifice=8),
    Column("year", "year", "printed", sacrifice=7),
    *(Column(each, each, "rounded", sacrifice=SACRIFICES[each], empty="-") for each in TYPES),
    Column("memory", "memory", "rounded", sacrifice=2, empty="-"),
    Column("bandwidth", "bandwidth", "rounded", empty="-"),
    Column("power", "power", "printed", sacrifice=4, empty="-"),
    *(Column(each, each, machine_only=True) for each in TEXTS),
)
ONE = (
    Column("figure", "figure"),
    Column("value", "value", "size", empty="not known"),
    Column("unit", "unit"),
    Column("in_short", "in short", sacrifice=1),
)


def devices_table(name: str | None = None, file: Path | None = None) -> Table:
    """A row for each device; with a name, a row for each figure of that one, with where they come from.

    Raises:
        DeviceError: there is no device of that name, or the file is malformed.
        OutputError: the file cannot be read.
    """
    if name is not None:
        return _described(device(name, file))
    known = list(devices(file).values())
    rows = tuple(tuple(getattr(each, column.key) for column in ALL) for each in known)
    notes: list[str | Remark] = [
        Remark(IN_FLOPS, tuple(TYPES)),
        Remark(IN_BYTES, ("memory", "bandwidth", "power")),
        *([Remark(MARKED, ("name",))] if any(each.unverified for each in known) else []),
    ]
    return Table("Devices", ALL, rows, notes=tuple(notes))


def _described(one: Device) -> Table:
    figures: list[tuple[str, Any, str]] = [
        *((f"{each} peak", rate, "FLOP/s") for each, rate in one.peaks.items()),
        ("memory", one.memory, "B"),
        ("bandwidth", one.bandwidth, "B/s"),
        (f"power, {one.power_kind}" if one.power_kind else "power", one.power, "W"),
    ]
    said = {
        "clock": one.clock,
        "derivation": one.derivation,
        "source": one.source,
        "held against the source": one.verified,
        "remark": one.remark,
    }
    year = f", {one.year}" if one.year else ""
    return Table(
        f"{one.name}: {one.full_name or 'a device'}{f', {one.kind}' if one.kind else ''}{year}",
        ONE,
        tuple((figure, value, unit, _in_short(value, unit)) for figure, value, unit in figures),
        notes=tuple(f"{what}: {text}" for what, text in said.items() if text),
        facts=lambda: {column.key: getattr(one, column.key) for column in ALL},
    )


def _in_short(value: float | None, unit: str) -> str:
    return human(round(value), unit) if value and value >= 1000 else ""

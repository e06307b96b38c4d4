"""Reading a CSV file of devices, which may be anybody's: one row each, under the names of columns."""

import csv
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from costlab.decode import is_line
from costlab.errors import DeviceError
from costlab.files import read_given
from costlab.hardware.device import Device, plain
from costlab.messages import named

MOST_BYTES = 2**20
"""The largest file that is read."""
NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?(e[+-]?[0-9]{1,2})?", re.IGNORECASE)
MOST = 10**24
"""The largest figure, in the unit of the device."""


class Unit(NamedTuple):
    """What a column of numbers is called in a `Device`, and how much one of it is there."""

    field: str
    one: int


NUMBERS: Mapping[str, Unit] = {
    "year": Unit("year", 1),
    "fp64_tflops": Unit("float64", 10**12),
    "fp32_tflops": Unit("float32", 10**12),
    "tf32_tflops": Unit("tf32", 10**12),
    "bf16_tflops": Unit("bfloat16", 10**12),
    "fp16_tflops": Unit("float16", 10**12),
    "fp8_tflops": Unit("float8", 10**12),
    "int8_tops": Unit("int8", 10**12),
    "memory_gb": Unit("memory", 10**9),
    "memory_gbps": Unit("bandwidth", 10**9),
    "power_w": Unit("power", 1),
}
"""The columns that hold numbers; a gigabyte is 10**9 bytes."""
TEXTS = ("name", "full_name", "kind", "power_kind", "clock", "derivation", "source", "verified", "remark")
"""The columns that hold text; name must be there."""
COLUMNS = (*TEXTS[:3], *NUMBERS, *TEXTS[3:])


def read_devices(file: Path) -> list[Device]:
    """The devices of a file, in its order.

    Raises:
        DeviceError: there is no such file, or it is malformed; the message names the line.
        OutputError: it cannot be read, or is too large.
    """
    rows = _rows(file)
    _, head = next(rows, (1, []))
    _refuse_columns(file, head)
    made: dict[str, tuple[int, Device]] = {}
    for line, cells in rows:
        if len(cells) != len(head):
            raise DeviceError(f"{file}:{line}: {len(cells)} cells under {len(head)} columns")
        device = _device(file, line, dict(zip(head, cells, strict=True)))
        if plain(device.name) in made:
            above, other = made[plain(device.name)]
            raise DeviceError(f"{file}:{line}: name={device.name} is {other.name} of line {above} again")
        made[plain(device.name)] = (line, device)
    if not made:
        raise DeviceError(f"{file} holds no device: write one in each line below the names of the columns")
    return [device for _, device in made.values()]


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not empty, with their numbers, as cells."""
    reader = csv.reader(StringIO(_content(file), newline=""), strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DeviceError(f"{file}:{reader.line_num}: this is no CSV: {error}") from None
        for cell in cells:
            if not is_line(cell):
                raise DeviceError(f"{file}:{reader.line_num}: {named(cell)} is no text on one line")
        if any(map(str.strip, cells)):
            yield reader.line_num, [cell.strip() for cell in cells]


def _content(file: Path) -> str:
    content = read_given(file, MOST_BYTES, "name a CSV file of devices", DeviceError)
    try:
        return content.decode("utf-8-sig")  # some programs begin what they write with a mark
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DeviceError(f"{file}:{line}: this is no text in UTF-8") from None


def _refuse_columns(file: Path, head: list[str]) -> None:
    from costlab.algebra.parameter import closest

    for name in head:
        if name not in COLUMNS:
            near = closest(name, COLUMNS) or f"; there is {', '.join(COLUMNS)}"
            raise DeviceError(f"{file}:1: there is no column {named(name)}{near}")
        if head.count(name) > 1:
            raise DeviceError(f"{file}:1: the column {name} is there twice")
    if "name" not in head:
        raise DeviceError(f"{file}:1: the column name is missing: the first line names the columns")


def _device(file: Path, line: int, cells: Mapping[str, str]) -> Device:
    given: dict[str, Any] = {name: cells[name] for name in TEXTS if cells.get(name)}
    for name, unit in NUMBERS.items():
        if cells.get(name):
            given[unit.field] = _number(f"{file}:{line}: {name}", cells[name], unit.one)
    try:
        return Device(**{"name": "", **given})
    except DeviceError as error:
        raise DeviceError(f"{file}:{line}: {error}") from None


def _number(place: str, cell: str, one: int) -> int | float:
    """A cell in the unit of the device, exactly; watts alone may have a fraction."""
    if not NUMBER.fullmatch(cell):
        raise DeviceError(f"{place}={named(cell)} must be a number above 0, such as 4.29, or empty")
    value = Decimal(cell) * one
    if not 0 < value <= MOST:
        raise DeviceError(f"{place}={named(cell)} must be above 0 and less than a device could ever have")
    whole = value == value.to_integral_value()
    if not whole and not place.endswith("power_w"):
        raise DeviceError(f"{place}={named(cell)} has more digits than its unit: round it")
    return int(value) if whole else float(value)

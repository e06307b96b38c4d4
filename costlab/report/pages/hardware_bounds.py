"""Bounds on time on the page of hardware: traffic, rooflines, and whether saved work is saved time."""

from collections import Counter
from typing import Any, NamedTuple

from costlab.hardware.roofline import Roofline, roofline
from costlab.hardware.saved_time import NOTHING, WHOLE, SavedTime, saved_time
from costlab.report.cell import Column
from costlab.report.page import Part
from costlab.report.pages.hardware_memory import BATCH
from costlab.report.pictures.roofline import roofline_picture
from costlab.report.pictures.training_hours import NETWORK
from costlab.report.table import Table

DEVICES = {"k40": "float32", "h200": "bfloat16"}
"""One of then and one of today, with the type that each computes in."""
TRAFFIC = (
    "On its way forward every operation reads its inputs and parameters once and writes its output once. "
    "Fused, batch norm and ReLU are done by the layer before them and move nothing. The bounds are for "
    "operations that run one after another, each at the peak or at the full bandwidth, and are launched in "
    "no time. What runs takes longer, unless a cache keeps what one operation hands to the next."
)
SAVED = (
    "A factorization saves multiply-adds. It saves time as far as its layers are bounded by the peak, and "
    "not where memory bounds them, which must move what lies between two layers. The bounds are for batch "
    f"{BATCH}, fused. A saving arrives where the share of the bound that is saved is at least "
    f"{float(WHOLE):.0%} of the share of multiply-adds that is, in part from {float(NOTHING):.0%} on."
)


class Factorization(NamedTuple):
    """What stands in the place of what, both as targets, with their input if they need one."""

    label: str
    before: str
    after: str
    input: str | None = None


FACTORIZATIONS = (
    Factorization(
        "1x7 and 7x1 for a 7x7", "conv_nxn:n=7,channels=192", "conv_1xn_nx1:n=7,channels=192", "192x17x17"
    ),
    Factorization(
        "1x3 and 3x1 for a 3x3", "conv_nxn:n=3,channels=384", "conv_1xn_nx1:n=3,channels=384", "384x8x8"
    ),
    Factorization(
        "two 3x3 for a 5x5", "conv_nxn:n=5,channels=64", "conv_stack:n=3,parts=2,channels=64", "64x35x35"
    ),
    Factorization(
        "depthwise-separable for a 3x3",
        "conv_nxn:n=3,channels=64",
        "conv_separable:n=3,channels=64",
        "64x35x35",
    ),
    Factorization("Inception v3, 1x7 and 7x1 for 7x7", f"{NETWORK}:kernel_7x7=7x7", NETWORK),
    Factorization("Inception v3, two 3x3 for 5x5", NETWORK, f"{NETWORK}:branch_5x5=3x3+3x3"),
)


def bounds() -> list[Part]:
    """What the page says of traffic, of the bounds, and of saved time."""
    lines = {
        (device, fused): roofline(NETWORK, device, dtype, batch=BATCH, fused=fused)
        for device, dtype in DEVICES.items()
        for fused in (False, True)
    }
    saved = [
        (each, saved_time(each.before, each.after, device, dtype, batch=BATCH, fused=True, input=each.input))
        for device, dtype in DEVICES.items()
        for each in FACTORIZATIONS
    ]
    return [
        "## Traffic, and the least time",
        TRAFFIC,
        _bounds_table(lines),
        _memory_in_words(lines),
        *(roofline_picture(lines[device, False], f"roofline_{device}") for device in DEVICES),
        "## Whether saved multiply-adds are saved time",
        SAVED,
        _saved_table(saved),
        *_verdicts_in_words(saved),
    ]


def _bounds_table(lines: dict[tuple[str, bool], Roofline]) -> Table:
    columns = (
        Column("device", "device"),
        Column("dtype", "type"),
        Column("fused", "fused"),
        Column("bytes", "bytes", "size"),
        Column("intensity", "FLOP/byte", "decimal"),
        Column("ridge", "FLOP/byte of the ridge", "decimal"),
        Column("seconds", "at least", "seconds"),
        Column("rate", "images/s at most", "decimal"),
        Column("by_memory", "of it bounded by memory", "share"),
    )

    def row(device: str, fused: bool, line: Roofline) -> tuple[Any, ...]:
        whole = line.total
        kind = (device, line.dtype, fused, whole.bytes, whole.intensity, line.ridge)
        return (*kind, whole.seconds, BATCH / whole.seconds, _by_memory(line))

    return Table(
        f"Bytes moved at batch {BATCH}, and the lower bound on the time",
        columns,
        tuple(row(*key, line) for key, line in lines.items()),
        notes=("the ridge: from this intensity on the peak bounds an operation, below it the bandwidth",),
    )


def _by_memory(line: Roofline) -> float:
    """The share of the bound that is spent in operations that memory bounds."""
    return line.total.memory_seconds / line.seconds


def _memory_in_words(lines: dict[tuple[str, bool], Roofline]) -> str:
    plainly = [lines[device, False] for device in DEVICES]
    said = [f"{_by_memory(line):.1%} of the bound on {line.device.full_name}" for line in plainly]
    plain, fused = (lines["k40", on].total.bytes for on in (False, True))
    return (
        f"Fusing saves {1 - fused / plain:.1%} of the bytes. Without it, operations that memory bounds take "
        f"{' and '.join(said)}."
    )


def _saved_table(saved: list[tuple[Factorization, SavedTime]]) -> Table:
    columns = (
        Column("factorization", "in the place of"),
        Column("device", "device"),
        Column("dtype", "type"),
        Column("fewer", "saved multiply-adds", "share"),
        Column("before", "bound before", "seconds"),
        Column("after", "bound after", "seconds"),
        Column("saved", "saved of the bound", "share"),
        Column("verdict", "the saving"),
    )
    rows = tuple(
        (
            each.label,
            found.before.device.name,
            found.before.dtype,
            found.saved_multiply_adds,
            found.before.seconds,
            found.after.seconds,
            found.saved_seconds,
            found.verdict,
        )
        for each, found in saved
    )
    return Table("What saved multiply-adds save of the least time", columns, rows)


def _verdicts_in_words(saved: list[tuple[Factorization, SavedTime]]) -> list[str]:
    """How many savings arrive on each device, and those that do not at all."""
    said = []
    for device, dtype in DEVICES.items():
        here = [(each, found) for each, found in saved if found.before.device.name == device]
        many = Counter(found.verdict for _, found in here)
        lost = [
            f"{each.label}, whose bound is {abs(found.saved_seconds):.1%} "
            f"{'later' if found.saved_seconds < 0 else 'earlier'}"
            for each, found in here
            if found.verdict == "does not arrive"
        ]
        said.append(
            f"On {here[0][1].before.device.full_name} in {dtype}, {many['arrives']} of {len(here)} savings "
            f"arrive and {many['in part']} arrive in part{'; not at all: ' if lost else ''}{'; '.join(lost)}."
        )
    return said

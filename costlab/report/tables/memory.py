"""The tables of what a network holds in memory."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from costlab.algebra.dim import is_number
from costlab.algebra.inputs import Inputs
from costlab.hardware.device import Device
from costlab.hardware.held.largest import Piece
from costlab.hardware.held.moments import Moment
from costlab.hardware.held.rows import MemoryRow
from costlab.hardware.memory import Memory
from costlab.report.cell import Column, human
from costlab.report.table import Table
from costlab.report.tables.count import NOT_VERIFIED, UNVERIFIED_COLUMN, By

FORMAT, VERSION = "costlab memory", 1
COLUMNS = (
    Column("name", "name", machine_only=True),
    Column("figure", "figure", fold=20),
    Column("bytes", "bytes", "size"),
    Column("in_short", "in short", sacrifice=3),
    Column("module", "module", sacrifice=1, fold=20),
    Column("phase", "phase", machine_only=True),
    Column("how", "how", sacrifice=2, fold=24),
    UNVERIFIED_COLUMN,
)
FORMULAS = (COLUMNS[0], COLUMNS[1], Column("bytes", "bytes", "formula"), COLUMNS[-2], UNVERIFIED_COLUMN)
BREAKDOWN = (
    Column("weights", "weights", "size", sacrifice=2),
    Column("buffers", "buffers", "size", sacrifice=3),
    Column("kept", "kept", "size"),
    Column("share", "share", "share", sacrifice=1),
)
LIVE = Column("live", "allocated at most", "size")
ORDERS = (
    Column("module", "module", empty="(root)"),
    Column("given", "as written", "size"),
    Column("best", "best order", "size"),
    Column("saved", "less", "saving", sacrifice=1),
    Column("exact", "proved", sacrifice=2),
    Column("states", "states", "size", machine_only=True),
)
NOT_IN_IT = "what kernels need for themselves, and what an allocator rounds up or reserves, is not in it"
LOSS = "the loss is the mean cross-entropy of what is put out, its targets are not counted"
SUMMED = f"{LOSS}; what has no channels is summed"
TRACED = "traced on a CPU; not exact: LSTMs, and attention that eval mode runs as one operation"


class Figure(NamedTuple):
    """A row: its name for machines, what it is, bytes, and where and how."""

    name: str
    figure: str
    bytes: Any
    module: str = ""
    phase: str = ""
    how: str = ""


def memory_table(memory: Memory, device: Device | None = None) -> Table:
    """A row for each part of what is held, in bytes; of symbols as formulas."""
    numbers = is_number(memory.total)
    figures = [*_stays(memory), *_passes(memory)]
    if numbers:
        figures += [*_peaks(memory), *_on(memory, device)]
    columns = COLUMNS if numbers else FORMULAS
    return Table(
        title=f"Memory of {memory.title}",
        columns=columns,
        rows=tuple(_values(each, memory, columns) for each in figures),
        notes=(*_notes(memory), *(_verdict(memory, device) if numbers else ())),
        facts=lambda: _facts(memory, device),
    )


def breakdown_table(memory: Memory, depth: int = 1, by: By = "module", device: Device | None = None) -> Table:
    """A row for each module at a depth, or for each kind of operation."""
    rows = memory.modules(depth) if by == "module" else memory.kinds()
    first = Column(by, by, empty="(root)")
    training = memory.optimizer is not None
    shown = [each for each in BREAKDOWN if training or each.key not in ("kept", "share")]
    columns = (first, *shown, *((LIVE,) if by == "module" else ()))
    kept: Any = memory.kept

    def values(row: MemoryRow) -> tuple[Any, ...]:
        share = int(row.kept) / kept if kept else 0.0
        known = {**row._asdict(), by: row.name, "share": share}
        return tuple(known[column.key] for column in columns)

    total = {"weights": memory.weights, "buffers": memory.buffers, "kept": kept, "live": memory.peak_bytes}
    return Table(
        title=f"Memory of {memory.title}, by {by}",
        columns=columns,
        rows=tuple(map(values, rows)),
        total=("total", *(total.get(column.key) for column in columns[1:])),
        notes=(*_breakdown_notes(memory, by), *_verdict(memory, device)),
        facts=lambda: _facts(memory, device),
    )


def orders_table(memory: Memory) -> Table | None:
    """The modules whose branches hold less in another order, if there are any."""
    gains = [part for part in memory.best_order.parts if part.best < part.given]
    if not gains:
        return None
    return Table(
        title="Modules in which another order of the branches holds less, by last use",
        columns=ORDERS,
        rows=tuple(
            (part.path, part.given, part.best, 1 - part.best / part.given, part.exact, part.states)
            for part in gains
        ),
        notes=(_what_the_order_gains(memory),),
        name="orders",
    )


def _stays(memory: Memory) -> Iterator[Figure]:
    yield Figure("weights", "weights", memory.weights, how="each tensor of parameters once")
    yield Figure("buffers", "buffers", memory.buffers, how="held, and not learned")
    if memory.optimizer is not None:
        yield Figure("state", "optimizer's state", memory.state, how=f"of {memory.optimizer}")
    if memory.average:
        yield Figure("average", "average of weights", memory.averaged, how="as much as the weights")
    yield Figure("input", "input", memory.given)


def _passes(memory: Memory) -> Iterator[Figure]:
    if memory.optimizer is not None:
        yield Figure("gradients", "gradients", memory.gradients, how="at the end of the way back")
        yield Figure("kept", "kept for the way back", memory.kept, how="by autograd, beside the input")
    if not is_number(memory.total):
        beside = "at once, beside all that stays"
        for part in memory.peak_pieces or ():
            yield Figure("peak", f"allocated at most, {_range(memory, part)}", part.formula, how=beside)


def _range(memory: Memory, part: Piece) -> str:
    """Where a formula of the peak holds."""
    if part.last is None:
        return f"{memory.batch} from {part.first:,}"
    return f"{memory.batch} = {part.first:,}" + (f" to {part.last:,}" if part.last > part.first else "")


def _peaks(memory: Memory) -> Iterator[Figure]:
    if memory.optimizer is not None:
        yield _peak("peak", "allocated at most", memory.peak, "at once, beside all that stays")
    else:
        run = "as PyTorch runs it: a call holds its input until it returns"
        yield _peak("peak", "allocated at most", memory.peak, run)
        last = "each tensor let go when it was last used"
        yield _peak("peak_by_last_use", "at most, by last use", memory.by_last_use, last)
        done = "with batch norm and ReLU done in place by the layer before"
        yield _peak("peak_fused", "at most, fused", memory.fused, done)
    yield Figure("total", "held at most", memory.total, how="with all that stays")


def _peak(name: str, figure: str, moment: Moment, how: str) -> Figure:
    return Figure(name, figure, moment.live, moment.path or "(root)", moment.phase, how)


def _on(memory: Memory, device: Device | None) -> Iterator[Figure]:
    if device is not None and device.memory is not None:
        share = int(memory.total) / device.memory
        yield Figure("device", f"memory of {device.name}", device.memory, how=f"{share:.1%} of it are held")


def _verdict(memory: Memory, device: Device | None) -> Iterator[str]:
    if device is None:
        return
    fits = memory.fits(device)
    if fits is None:
        yield f"whether it fits is not known: {device.name} has no figure for its memory"
        return
    yield f"{'fits' if fits else 'does not fit'} into {device.name}, its system's own needs aside"


def _notes(memory: Memory) -> Iterator[str]:
    if memory.optimizer is not None and is_number(memory.total):
        way = {"forward": "on the way forward", "backward": "on the way back"}.get(memory.peak.phase)
        yield f"the peak is {way or f'in the {memory.peak.phase}'}; gradients and what is kept are in it"
        yield SUMMED if memory.traced else LOSS
    if memory.traced:
        yield TRACED
    yield NOT_IN_IT
    if memory.optimizer is None and is_number(memory.total) and not memory.traced:
        yield _what_the_order_gains(memory)
    if memory.unverified:
        yield NOT_VERIFIED


def _what_the_order_gains(memory: Memory) -> str:
    best, given = memory.best_order, memory.by_last_use
    if best.peak < int(given.live):
        found = "the best order of all operations" if best.exact else "the best order found"
        return f"{found} holds {best.peak:,} bytes at most, by last use, at {best.path}"
    proved = "no order" if best.exact else "no order that was found"
    return f"{proved} of the operations lowers the peak by last use"


def _breakdown_notes(memory: Memory, by: By) -> Iterator[str]:
    if memory.optimizer is not None:
        yield "kept: by autograd, at the first operation that wants a tensor; the input is not in it"
    if by == "module":
        yield "allocated at most: by all, while operations of the module run"
    if memory.traced:
        yield TRACED
    yield NOT_IN_IT
    if memory.unverified:
        yield NOT_VERIFIED


def _values(each: Figure, memory: Memory, columns: tuple[Column, ...]) -> tuple[Any, ...]:
    in_short = human(each.bytes, "B") if isinstance(each.bytes, int) and each.bytes >= 1000 else ""
    known = {**each._asdict(), "in_short": in_short, "unverified": memory.unverified}
    return tuple(known[column.key] for column in columns)


def _facts(memory: Memory, device: Device | None) -> Mapping[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "target": memory.label,
        "input": str(memory.input) if isinstance(memory.input, Inputs) else list(memory.input),
        "batch": memory.batch if isinstance(memory.batch, int) else str(memory.batch),
        "dtype": memory.dtype,
        "training": memory.optimizer is not None,
        "optimizer": None if memory.optimizer is None else memory.optimizer.name,
        "momentum": memory.optimizer is not None and memory.optimizer.momentum,
        "traced": memory.traced,
        "device": None if device is None else device.name,
        "fits": None if device is None else memory.fits(device),
        "unverified": memory.unverified,
    }

"""Memory on the page of hardware: a step of training, the devices that hold it, and inference."""

from collections.abc import Sequence
from typing import Any

from costlab.algebra.dim import Dim, symbols
from costlab.hardware.device import Device, devices
from costlab.hardware.held.largest import Piece
from costlab.hardware.held.moments import Moment
from costlab.hardware.memory import Memory, memory
from costlab.report.cell import Column
from costlab.report.page import Part
from costlab.report.pictures.live_memory import live_memory_picture
from costlab.report.pictures.training_hours import NETWORK, TWO_IN_ONE
from costlab.report.table import Table

BATCH = 32
"""That of a replica in the paper."""
NETWORKS = (NETWORK, "googlenet", "bn_inception", "inception_v2", "resnet50", "vgg16", "alexnet")
"""Those whose peaks of inference are shown."""
NOT_IN_IT = "What kernels need for themselves, and what an allocator rounds up or reserves, comes on top."
STEP = (
    "A step of training at batch 32, in float32. The paper trains by RMSProp and keeps an average of the "
    "weights; with the momentum that is taken here, too, the optimizer keeps two tensors of each parameter's "
    "size. What stays is there before and after a step; what is allocated comes and goes, gradients and what "
    "autograd keeps among it."
)
INFERENCE = (
    "One image at a time, in float32, beside weights and input. As PyTorch runs it, a call holds its input "
    "until it returns. By last use, a tensor is let go when it was last read. Fused, batch norm and ReLU are "
    "done in place by the layer before them. The best order is that of the operations with the smallest peak "
    "by last use, found by an exact search."
)


def memories() -> tuple[Memory, Memory, list[Part]]:
    """The memory of a step with the auxiliary head, that of inference, and what the page says of both."""
    steps = {"without the head": _step(aux=False), "with it": _step(aux=True)}
    step, every = steps["with it"], {name: memory(name) for name in NETWORKS}
    closed, small = _step(aux=True, batch=symbols("N")), _step(aux=True, dtype="bfloat16")
    parts: list[Part] = [
        "## Memory of a step of training",
        f"{STEP} {NOT_IN_IT}",
        _step_table(steps),
        f"With the head, the peak is {_where(step.peak)}. What autograd keeps beside the input is "
        f"`{closed.kept}` bytes at batch N; with weights and data in bfloat16, {_bytes(small.kept):,} bytes "
        f"at batch {BATCH}.",
        live_memory_picture(step, "step_memory"),
        _fits_in_words(step),
        _devices_table(step, closed),
        "## Memory of inference",
        INFERENCE,
        _peaks_table(every),
        _gain_of_order(every),
        _modules_table(every[NETWORK]),
        live_memory_picture(every[NETWORK], "inference_memory"),
    ]
    return step, every[NETWORK], parts


def largest_batch(resident: Any, pieces: Sequence[Piece], room: int) -> int:
    """The largest batch with which ``resident`` and the peak, formulas in it, take ``room`` bytes; or 0."""
    found = 0
    for piece in pieces:
        whole = resident + piece.formula
        (batch,) = whole.free_symbols
        slope, start = int(whole.coeff(batch, 1)), int(whole.coeff(batch, 0))
        fits = (room - start) // slope
        fits = fits if piece.last is None else min(fits, piece.last)
        if fits >= piece.first:
            found = max(found, fits)
    return found


def _step(*, batch: Any = BATCH, **settings: Any) -> Memory:
    trained: Any = {"train": True, "optimizer": "rmsprop", "momentum": True, "average": True}
    return memory(NETWORK, batch=batch, **trained, **settings)


def _bytes(size: Dim) -> int:
    """A size of what has a number as its batch."""
    assert isinstance(size, int)
    return size


def _where(peak: Moment) -> str:
    ways = {"forward": "on the way forward", "backward": "on the way back"}
    return f"{ways.get(peak.phase, f'in the {peak.phase}')}, at `{peak.path}`"


def _step_table(steps: dict[str, Memory]) -> Table:
    rows = {
        "weights": [each.weights for each in steps.values()],
        "buffers": [each.buffers for each in steps.values()],
        "RMSProp's state": [each.state for each in steps.values()],
        "average of the weights": [each.averaged for each in steps.values()],
        "input": [each.given for each in steps.values()],
        "all that stays": [each.resident for each in steps.values()],
        "gradients, at the end of the way back": [each.gradients for each in steps.values()],
        "kept by autograd, beside the input": [each.kept for each in steps.values()],
        "allocated at most": [each.peak_bytes for each in steps.values()],
        "held at most, with what stays": [each.total for each in steps.values()],
    }
    columns = (Column("held", "bytes"), *(Column(label, label, "size") for label in steps))
    return Table(
        f"What a step at batch {BATCH} holds",
        columns,
        tuple((label, *sizes) for label, sizes in rows.items()),
    )


def _with_memory() -> list[tuple[Device, int]]:
    """The devices whose memory is known, each by itself, with it; the smallest first."""
    known = [
        (each, each.memory)
        for each in devices().values()
        if each.memory is not None and each.name not in TWO_IN_ONE
    ]
    return sorted(known, key=lambda pair: pair[1])


def _fits_in_words(step: Memory) -> str:
    known = _with_memory()
    holding = [each for each, _ in known if step.fits(each)]
    least, room = known[0]
    return (
        f"What tensors hold fits into {len(holding)} of the {len(known)} devices whose memory is known; of "
        f"that of {least.full_name}, the smallest, it takes {_bytes(step.total) / room:.1%}."
    )


def _devices_table(step: Memory, closed: Memory) -> Table:
    """The devices by memory, and the largest batch that each holds."""
    pieces = closed.peak_pieces
    assert pieces is not None  # it grows linearly with the batch

    def row(device: Device, room: int) -> tuple[Any, ...]:
        share = _bytes(step.total) / room
        batch = largest_batch(closed.resident, pieces, room)
        return device.name, room, share, step.fits(device), batch, device.unverified

    unknown = [each.name for each in devices().values() if each.memory is None]
    return Table(
        f"Which devices hold a step at batch {BATCH}, with the head",
        (
            Column("device", "device", marked_by="unverified"),
            Column("memory", "memory, bytes", "size"),
            Column("share", "held of it", "share"),
            Column("fits", "fits"),
            Column("batch", "largest batch", "size"),
            Column("unverified", "unverified", machine_only=True),
        ),
        tuple(row(*each) for each in _with_memory()),
        notes=(
            "largest batch: by the closed forms in the batch; kernels and the system leave less room",
            "(?): a figure of the device was not held against a source",
            *([f"left out, with a memory that is not known: {', '.join(unknown)}"] if unknown else []),
        ),
    )


def _peaks_table(every: dict[str, Memory]) -> Table:
    columns = (
        Column("network", "network"),
        Column("peak", "as PyTorch runs it", "size"),
        Column("at", "at"),
        Column("last_use", "by last use", "size"),
        Column("fused", "fused", "size"),
        Column("best", "by last use, in the best order", "size"),
        Column("exact", "proved"),
    )
    rows = tuple(
        (
            name,
            held.peak.live,
            held.peak.path,
            held.by_last_use.live,
            held.fused.live,
            held.best_order.peak,
            held.best_order.exact,
        )
        for name, held in every.items()
    )
    return Table("Peaks of inference, bytes at batch 1", columns, rows)


def _gain_of_order(every: dict[str, Memory]) -> str:
    """What the order of the operations gains, in whole networks and in modules."""
    lower = [name for name, held in every.items() if held.best_order.peak < _bytes(held.by_last_use.live)]
    first = every[NETWORK].best_order.path.partition(".")[0]
    of_networks = (
        f"The order of the operations lowers the peak of {', '.join(lower)}, and of no other of these."
        if lower
        else f"No order of the operations lowers the peak of any of these {len(every)} networks: they hold "
        f"the most where there is nothing to put in another order, as Inception v3 in its {first}."
    )
    saved = _saved_in_modules(every[NETWORK])
    return (
        f"{of_networks} In modules the order of the branches does gain: in {len(saved)} of Inception v3, "
        f"{min(saved):.1%} to {max(saved):.1%} of what they hold as they are written, for whoever runs a "
        "module alone."
    )


def _saved_in_modules(held: Memory) -> list[float]:
    return [1 - part.best / part.given for part in held.best_order.parts if part.best < part.given]


def _modules_table(held: Memory) -> Table:
    columns = (
        Column("module", "module"),
        Column("given", "as written", "size"),
        Column("best", "in the best order", "size"),
        Column("saved", "less", "share"),
        Column("exact", "proved"),
    )
    rows = tuple(
        (part.path, part.given, part.best, 1 - part.best / part.given, part.exact)
        for part in held.best_order.parts
        if part.best < part.given
    )
    return Table("Peaks of the modules of Inception v3 by last use, bytes at batch 1", columns, rows)

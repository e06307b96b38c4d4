"""The table of what training costs: what is assumed, and what follows from it."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from costlab.algebra.inputs import Inputs
from costlab.hardware.training_run import TrainingCost, TrainingSteps
from costlab.report.cell import Column, human, in_percent, plural
from costlab.report.table import Table
from costlab.report.tables.count import UNVERIFIED_COLUMN, marks_of, unknown_notes

FORMAT, VERSION = "costlab training-cost", 1
COLUMNS = (
    Column("name", "name", machine_only=True),
    Column("figure", "figure", fold=20),
    Column("value", "value", "amount"),
    Column("unit", "unit", sacrifice=2),
    Column("in_short", "in short", sacrifice=3),
    Column("how", "how", sacrifice=1, fold=24),
    UNVERIFIED_COLUMN,
)
SPEEDS = {
    "peak": "the peak of the device, which no run reaches: times are at least these",
    "utilization": "a utilization of the peak that was given: times are as good as it",
    "measured": "a speed that was given, as measured: times are as good as it",
    None: "not known: give --device, or --images-per-second; times, energy and bandwidths are left out",
}
NO_ENERGY = {
    "peak": "energy is left out: at the peak the time is a lower bound, and the power an upper one",
    "utilization": "energy is left out: the power of a board is not known; give --power",
    "measured": "energy is left out: the power of a board is not known; give --power or --device",
}


class Figure(NamedTuple):
    """A row: its name for machines, what it is, its value in a unit, and how it was found."""

    name: str
    figure: str
    value: float | str | None
    unit: str = ""
    how: str = ""


def training_cost_table(cost: TrainingCost) -> Table:
    """A row for each figure that is known, those that are assumed first."""
    unverified = cost.count.unverified
    rows = [each for part in PARTS for each in part(cost) if each.value is not None]
    return Table(
        f"Training {cost.count.shown}, input {cost.count.input}: {plural(cost.samples, 'image')} on "
        f"{plural(cost.replicas, 'replica')}",
        COLUMNS,
        tuple((*each[:4], _in_short(each), each.how, unverified) for each in rows),
        notes=tuple(_notes(cost)),
        facts=lambda: _facts(cost),
    )


def _assumed(cost: TrainingCost) -> Iterator[Figure]:
    said = cost.sources or {}
    yield Figure("images", "images", cost.images, "images", said.get("images", ""))
    yield Figure("epochs", "epochs", cost.epochs, "", said.get("epochs", ""))
    yield Figure("batch", "batch of a replica", cost.batch, "images", said.get("batch", ""))
    yield Figure("replicas", "replicas", cost.replicas, "", said.get("replicas", ""))
    if (device := cost.device) is not None:
        full = f"{device.full_name}; " if device.full_name else ""
        yield Figure("device", "device of a replica", device.name, "", f"{full}{said.get('device', '')}")
        yield Figure("dtype", "type", cost.dtype, "", said.get("dtype", "the default"))
        clock = f"; clock: {device.clock}" if device.clock else ""
        peak = f"of {device.name} in {cost.dtype}{clock}"
        yield Figure("peak", "peak", device.peak(cost.dtype), "FLOP/s", peak)
    if cost.utilization is not None:
        implied = "FLOP per second at that speed, of the peak" if cost.speed_from == "measured" else "given"
        share = f"{in_percent(cost.utilization)} of the peak; {implied}"
        yield Figure("utilization", "utilization", float(cost.utilization), "", share)
    if cost.speed_from == "measured":
        yield Figure("images_per_second", "speed of a replica", _plain(cost.speed), "images/s", "given")
    if cost.energy_kwh is not None:
        own = cost.device is not None and cost.power == _exact(cost.device.power)
        kind = (
            f"{cost.device.power_kind or 'power'} of {cost.device.name}" if own and cost.device else "given"
        )
        yield Figure("power", "power of a board", _plain(cost.power), "W", kind)


def _work(cost: TrainingCost) -> Iterator[Figure]:
    per_image = _plain(Fraction(cost.multiply_adds, cost.samples))
    gradients = "forward, and the gradients that are wanted"
    how = gradients if cost.traced_step is None else f"a step of {cost.batch} as traced, forward and back"
    yield Figure("parameters", "parameters", cost.parameters, "", "what is trained; each has a gradient")
    yield Figure("multiply_adds_per_image", "multiply-adds of a step, per image", per_image, "", how)
    yield Figure("multiply_adds", "multiply-adds of the run", cost.multiply_adds, "", "times images x epochs")
    yield Figure("flop", "FLOP of the run, exactly", cost.flop, "FLOP", "two per multiply-add")
    forward = "forward" if cost.traced_step is None else "forward in eval mode"
    rule = f"three times {forward}, two per multiply-add"
    yield Figure("flop_by_rule", "FLOP of the run, by the rule", cost.flop_by_rule, "FLOP", rule)


def _steps(cost: TrainingCost) -> Iterator[Figure]:
    batch = f"{cost.batch:,}"
    yield from _each("steps", "steps of a replica", cost.steps, batch)
    if cost.replicas > 1:
        together = f"{cost.batch * cost.replicas:,}"
        yield from _each("synchronous_steps", "steps of all together", cost.synchronous_steps, together)


def _each(name: str, words: str, steps: TrainingSteps, batch: str) -> Iterator[Figure]:
    whole = f"images x epochs / {batch}, rounded up once"
    yield Figure(f"{name}_of_run", f"{words}, whole run", steps.whole_run, "", whole)
    ended = f"epochs x images / {batch}, rounded up in each"
    yield Figure(f"{name}_by_epochs", f"{words}, by epochs", steps.by_epochs, "", ended)
    dropped = f"epochs x images / {batch}, rounded down in each"
    yield Figure(f"{name}_dropping_last", f"{words}, last dropped", steps.dropping_last, "", dropped)


def _time(cost: TrainingCost) -> Iterator[Figure]:
    at = {"peak": "at least: at the peak", "utilization": "at the utilization", "measured": "at the speed"}
    how = at.get(cost.speed_from or "", "")
    if cost.speed_from != "measured":
        yield Figure(
            "images_per_second", "speed of a replica", cost.images_per_second, "images/s", _fast(cost)
        )
    yield Figure("step_seconds", "step of a replica", cost.step_seconds, "s", f"batch / speed, {how}")
    yield Figure("device_hours", "device-hours", cost.device_hours, "h", how)
    by_rule = cost.device_hours_by_rule
    yield Figure(
        "device_hours_by_rule", "device-hours, by the rule", by_rule, "h", f"{how}, three times forward"
    )
    clock = "device-hours / replicas: none ever waits"
    yield Figure("wall_hours", "hours on the clock", cost.wall_hours, "h", clock)
    boards = "at most, boards only: power x device-hours"
    yield Figure("energy_kwh", "energy", cost.energy_kwh, "kWh", boards)


def _fast(cost: TrainingCost) -> str:
    return f"{'at most: ' if cost.speed_from == 'peak' else 'utilization x '}peak / FLOP of an image"


def _traffic(cost: TrainingCost) -> Iterator[Figure]:
    yield Figure(
        "gradient_bytes", "gradients", cost.gradient_bytes, "B", "4 bytes for each parameter: float32"
    )
    enough = "what hides it behind a step"
    if cost.speed_from == "peak":
        enough += " at the peak; less does in a slower one"
    for name, figure, value, unit, how in (
        ("ring_bytes", "sent by a replica in a step", cost.ring_bytes, "B", "2 (N - 1) / N of the gradients"),
        (
            "ring_bytes_of_run",
            "sent in the run",
            cost.ring_bytes_of_run,
            "B",
            "by all, in all steps together",
        ),
        ("ring_bandwidth", "bandwidth of a replica", cost.ring_bandwidth, "B/s", enough),
    ):
        exact = _plain(value) if isinstance(value, Fraction) else value
        yield Figure(name, f"ring all-reduce, {figure}", exact, unit, how)
    there = "gradients there, weights back"
    for name, figure, value, unit, how in (
        ("server_bytes_of_replica", "with a replica in a step", cost.server_bytes_of_replica, "B", there),
        ("server_bytes", "with all replicas in a step", cost.server_bytes, "B", "times replicas"),
        ("server_bytes_of_run", "in the run", cost.server_bytes_of_run, "B", "in all steps of the replicas"),
        ("server_bandwidth", "bandwidth", cost.server_bandwidth, "B/s", f"{enough}; both ways together"),
    ):
        yield Figure(name, f"parameter server, {figure}", value, unit, how)


PARTS = (_assumed, _work, _steps, _time, _traffic)


def _notes(cost: TrainingCost) -> Iterator[str]:
    yield f"speed: {SPEEDS[cost.speed_from]}"
    if cost.energy_kwh is not None:
        yield "energy: the power of the boards at most, without hosts, cooling and network"
    elif cost.speed_from is not None:
        yield NO_ENERGY[cost.speed_from]
    if cost.utilization is not None and cost.utilization > 1:
        yield "that speed is above the peak: the device, the type or the speed is another one"
    if cost.replicas == 1:
        yield "one replica exchanges no gradients"
    else:
        yield "a step of a replica takes one batch, and all share these; one of all together takes theirs"
    yield from cost.notes
    if cost.device is not None and cost.device.unverified:
        yield f"{cost.device.name}: not all of its figures were held against a source"
    yield from unknown_notes(cost.traced_step or cost.count)
    yield from marks_of(cost.count)


def _facts(cost: TrainingCost) -> Mapping[str, Any]:
    count = cost.count
    return {
        "format": FORMAT,
        "version": VERSION,
        "target": cost.label,
        "input": str(count.input) if isinstance(count.input, Inputs) else list(count.input),
        "unverified": count.unverified,
        "speed_from": cost.speed_from,
        "assumed": dict(cost.sources or {}),
        "notes": list(cost.notes),
    }


def _in_short(each: Figure) -> str:
    """A large value in a few digits; many hours in days."""
    if isinstance(each.value, str) or each.value is None or each.value < 1000 or each.name == "images":
        days = each.value / 24 if each.unit == "h" and not isinstance(each.value, str | None) else 0
        return f"{days:,.1f} days" if days >= 2 else ""
    if each.unit == "h":
        return f"{each.value / 24:,.1f} days"
    return human(round(each.value), "" if each.unit.startswith("images") else each.unit)


def _plain(exact: Fraction | None) -> float | None:
    """An exact number as machine formats have it: whole ones as they are."""
    if exact is None:
        return None
    return exact.numerator if exact.denominator == 1 else float(exact)


def _exact(power: float | None) -> Fraction | None:
    return None if power is None else Fraction(str(power))

"""The page of hardware: what Inception v3 takes to train and to run, in hours, bytes and seconds."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from costlab.hardware.training_cost import training_cost
from costlab.hardware.training_run import TrainingCost
from costlab.report.cell import Column, duration, human
from costlab.report.page import Page, page
from costlab.report.pages.hardware_bounds import bounds
from costlab.report.pages.hardware_memory import BATCH, memories
from costlab.report.pictures.training_hours import (
    IMAGES_PER_SECOND,
    MEASURED_ON,
    NETWORK,
    training_hours_picture,
)
from costlab.report.table import Table

NAME = "hardware"
DAY = 24
SPEED = float(IMAGES_PER_SECOND)
ABOUT = (
    "Multiply-adds are not seconds. What is computed, moved and held is exact here, for the network as it is "
    "defined. A time that follows from a peak is a lower bound and no prediction: nothing runs at its peak "
    "all the time. Where a time is a bound no energy follows, and none is given. Nothing on this page was "
    "timed by costlab."
)
REGIME = (
    "The paper (section 8) names a regime: {replicas} replicas with a Kepler GPU each, batches of {batch}, "
    "{epochs} epochs. It names neither the GPU, nor a speed, nor a power. Here the GPU is taken to be a K40 "
    "at its base clock, in float32, whose board draws {power:g} W at most; ImageNet has {images:,} images "
    "for training; the network is trained with its auxiliary head. One speed is known: a published log of "
    "the released code, which ran on a K40c in batches of 32, shows 9.4 to 9.6 images a second. The "
    "{speed:g} below are that figure of others, and replicas are reckoned as if none ever waited for another."
)


class Run(NamedTuple):
    """A run of training, and what it is called."""

    label: str
    cost: TrainingCost


class Runs(NamedTuple):
    """The paper's regime at the peak and as measured, one device of then in both ways, and one of today."""

    paper: Run
    paper_measured: Run
    one: Run
    one_measured: Run
    today: Run


def hardware_page(report: Callable[[str], None]) -> Page:
    """What training the released network costs, what it holds and moves, and the bounds on its time."""
    report("hardware: training")
    runs = training_runs()
    report("hardware: memory")
    step, inference, memory_parts = memories()
    report("hardware: bounds")
    bound_parts = bounds()
    one, measured, today = runs.one.cost, runs.one_measured.cost, runs.today.cost
    assert today.device is not None
    return page(
        NAME,
        "What Inception v3 takes",
        f"Training it as the paper did takes {one.flop:,} FLOP, two per multiply-add: one K40 needs at least "
        f"{_hours(one)} for them, and {_hours(measured)} at the speed that others measured; one "
        f"{today.device.full_name} at least {_hours(today)}. A step at batch {BATCH} holds {step.total:,} "
        f"bytes at most; one image in inference {inference.peak.live:,} bytes beside what stays.",
        (
            ABOUT,
            "## What training costs",
            _regime(runs.paper.cost),
            _runs_table(runs),
            _in_words(runs),
            _flop_table(),
            "On one device each, these are the hours that the exact FLOP, with the head, take at the peak. "
            "No run takes less.",
            training_hours_picture(),
            *memory_parts,
            *bound_parts,
        ),
    )


def training_runs() -> Runs:
    """The runs of the table, all with the auxiliary head."""

    def cost(**settings: Any) -> TrainingCost:
        return training_cost(NETWORK, aux=True, **settings)

    measured: dict[str, Any] = {"images_per_second": IMAGES_PER_SECOND}
    one: dict[str, Any] = {"preset": "one-device", "device": MEASURED_ON}
    return Runs(
        Run("the paper's, at the peak", cost(preset="paper")),
        Run(f"the paper's, at {SPEED:g} images/s", cost(preset="paper", **measured)),
        Run("one device of then, at the peak", cost(**one)),
        Run(f"one device of then, at {SPEED:g} images/s", cost(**one, **measured)),
        Run("one device of today, at the peak", cost(preset="today")),
    )


def _regime(cost: TrainingCost) -> str:
    assert cost.power is not None  # a K40's is known
    return REGIME.format(
        replicas=cost.replicas,
        batch=cost.batch,
        epochs=cost.epochs,
        power=float(cost.power),
        images=cost.images,
        speed=SPEED,
    )


def _hours(cost: TrainingCost) -> str:
    """The device-hours in words, with days where there are several."""
    hours = cost.device_hours
    assert hours is not None  # each has a speed
    return f"{hours:,.2f} hours" + (f" ({hours / DAY:,.1f} days)" if hours > 2 * DAY else "")


def _runs_table(runs: Runs) -> Table:
    columns = (
        Column("run", "run"),
        Column("devices", "devices", "size"),
        Column("device", "device"),
        Column("dtype", "type"),
        Column("speed", "images/s of one", "amount"),
        Column("hours", "device-hours", "amount"),
        Column("wall", "hours on the clock", "amount"),
        Column("energy", "kWh of the boards", "amount", empty="none follows"),
    )
    return Table(
        f"What training Inception v3 costs, {runs.paper.cost.samples:,} images",
        columns,
        tuple(_row(*run) for run in runs),
        notes=(
            "hours on the clock: device-hours / devices",
            "kWh: what the boards draw at most, over the device-hours; hosts and cooling are not in it",
        ),
    )


def _row(label: str, cost: TrainingCost) -> tuple[Any, ...]:
    most, least = ("at most ", "at least ") if cost.speed_from == "peak" else ("", "")
    return (
        label,
        cost.replicas,
        None if cost.device is None else cost.device.name,
        cost.dtype,
        f"{most}{cost.images_per_second:,.2f}",
        f"{least}{cost.device_hours:,.2f}",
        f"{least}{cost.wall_hours:,.2f}",
        None if cost.energy_kwh is None else f"at most {cost.energy_kwh:,.1f}",
    )


def _in_words(runs: Runs) -> str:
    """What follows from the table."""
    many, one = runs.paper_measured.cost, runs.one_measured.cost
    numbers = (one.utilization, one.power, one.energy_kwh, many.ring_bytes, many.ring_bandwidth)
    used, power, energy, ring, bandwidth = (float(number) for number in numbers if number is not None)
    assert many.step_seconds is not None
    assert many.server_bandwidth is not None
    return (
        f"At {SPEED:g} images a second a K40 is at {used:.1%} of its peak. One alone takes {_hours(one)} "
        f"then, and its board, at {power:g} W, takes at most {energy:,.1f} kWh. Each of {many.replicas} "
        f"sends {ring:,.2f} bytes in a step of a ring all-reduce, which {human(round(bandwidth), 'B/s')} "
        f"hide behind its {duration(many.step_seconds)}; a parameter server that keeps up exchanges "
        f"{human(round(many.server_bandwidth), 'B/s')} with all of them."
    )


def _flop_table() -> Table:
    costs = {"without the head": training_cost(NETWORK), "with it": training_cost(NETWORK, aux=True)}
    return Table(
        "FLOP of the whole run, two per multiply-add",
        (
            Column("network", "network"),
            Column("exact", "exactly", "size"),
            Column("rule", "three times forward", "size"),
            Column("more", "more by the rule", "deviation"),
        ),
        tuple(
            (label, cost.flop, cost.flop_by_rule, Fraction(cost.flop_by_rule, cost.flop) - 1)
            for label, cost in costs.items()
        ),
        notes=("exactly: no gradient of the input is wanted, which the first convolution would compute",),
    )

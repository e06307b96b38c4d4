"""Measurements: the time of a training step of each arm, the arms in turns, and the memory it needs."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import NamedTuple

import torch

from costlab.train.batches import Batch, Batches, epoch_order
from costlab.train.learner import Learner
from costlab.train.trial import Task, make_network

WARM_UP_STEPS = 3
"""Steps that are not timed."""
ROUNDS = 10
STEPS = 3
"""Steps of an arm in each round: the arms take turns, so that disturbances affect all of them."""


class StepTime(NamedTuple):
    """Seconds of a step: the median, the lower and upper quartile, and the number of steps."""

    seconds: float
    low: float
    high: float
    steps: int


class Stepper:
    """Takes training steps of an arm, on one epoch again and again."""

    def __init__(self, task: Task, train: Batches, device: torch.device) -> None:
        recipe = task.recipe
        self._learner = Learner(make_network(task), recipe, 1, device, task.compiled)
        planned = epoch_order(len(train), task.seed, 0, round(recipe.shift * task.side), task.mirrored)
        self._batches: Iterator[Batch] = (
            batch for _ in count() for batch in train.epoch(planned, recipe.batch_size)
        )
        self._device = device

    def steps(self, count: int) -> list[float]:
        """The seconds of ``count`` steps, each synchronized with the device."""
        return [self._step() for _ in range(count)]

    def _step(self) -> float:
        began = perf_counter()
        self._learner.step(next(self._batches))
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return perf_counter() - began


def time_steps(
    steppers: Mapping[str, Callable[[], Stepper]], report: Callable[[int, int], None]
) -> dict[str, StepTime]:
    """The time of a step of each arm; ``report`` is called with the rounds done and the rounds in all."""
    ready = {label: make() for label, make in steppers.items()}
    times: dict[str, list[float]] = {label: [] for label in ready}
    for stepper in ready.values():
        stepper.steps(WARM_UP_STEPS)
    for i in range(ROUNDS):
        report(i, ROUNDS)
        for label, stepper in ready.items():
            times[label] += stepper.steps(STEPS)
    return {label: _summary(taken) for label, taken in times.items()}


def peak_memory(make: Callable[[], Stepper], device: torch.device) -> int | None:
    """The peak memory of a few steps in bytes, beyond what was in use before.

    On a GPU it is the memory that torch allocates; on a CPU the resident memory of this process, which must
    not have trained anything before. None where the system does not say.
    """
    gc.collect()
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        stepper = make()
        stepper.steps(WARM_UP_STEPS)  # cuDNN tries algorithms that need more memory
        torch.cuda.reset_peak_memory_stats(device)
        stepper.steps(WARM_UP_STEPS)
        return int(torch.cuda.max_memory_allocated(device) - before)
    resident = _resident("VmRSS")
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "utf-8")  # resets the peak
    make().steps(WARM_UP_STEPS)
    peak = _resident("VmHWM")
    return None if resident is None or peak is None else max(0, peak - resident)


def _resident(name: str) -> int | None:
    """The memory of this process according to Linux, in bytes: VmRSS is the current, VmHWM the peak."""
    try:
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    except OSError:
        return None
    values = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return 1024 * int(values[0]) if values else None


def _summary(times: list[float]) -> StepTime:
    low, middle, high = quantiles(times, n=4, method="inclusive")
    return StepTime(middle, low, high, len(times))

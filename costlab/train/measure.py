"""Measuring: how long a training step of each arm takes, the arms in turns, and how much memory it needs."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import NamedTuple

import torch

from costlab.targets.build import build
from costlab.train.batches import Batch, Batches, order
from costlab.train.learner import Learner
from costlab.train.trial import Task

WARM = 3
"""Steps before the clock runs."""
ROUNDS = 10
STEPS = 3
"""Steps of an arm in each round: the arms take turns, so that what disturbs hits all of them."""


class Measured(NamedTuple):
    """Seconds of a step: the median between the quartiles, and over how many steps."""

    seconds: float
    low: float
    high: float
    steps: int


class Stepper:
    """An arm that takes steps, on one epoch again and again."""

    def __init__(self, task: Task, train: Batches, device: torch.device) -> None:
        recipe = task.recipe
        torch.manual_seed(task.seed)
        self._learner = Learner(
            build(task.network, (3, task.side, task.side)), recipe, 1, device, task.compiled
        )
        planned = order(len(train), task.seed, 0, round(recipe.shift * task.side), task.mirrored)
        self._batches: Iterator[Batch] = (
            batch for _ in count() for batch in train.epoch(planned, recipe.batch_size)
        )
        self._device = device

    def steps(self, count: int) -> list[float]:
        """The seconds of some steps, each waited for."""
        return [self._step() for _ in range(count)]

    def _step(self) -> float:
        began = perf_counter()
        self._learner.step(next(self._batches))
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return perf_counter() - began


def measured(
    steppers: Mapping[str, Callable[[], Stepper]], tell: Callable[[int, int], None]
) -> dict[str, Measured]:
    """The time of a step of each arm; ``tell`` is told the rounds that are done, of how many."""
    made = {label: make() for label, make in steppers.items()}
    times: dict[str, list[float]] = {label: [] for label in made}
    for stepper in made.values():
        stepper.steps(WARM)
    for i in range(ROUNDS):
        tell(i, ROUNDS)
        for label, stepper in made.items():
            times[label] += stepper.steps(STEPS)
    return {label: _summary(taken) for label, taken in times.items()}


def memory(make: Callable[[], Stepper], device: torch.device) -> int | None:
    """The peak of memory, in bytes, that a few steps hold beyond what was held before.

    On a GPU that is what torch has allocated there; on the CPU what is resident of this process, which must
    have trained nothing before. None where neither can be known.
    """
    gc.collect()
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        stepper = make()
        stepper.steps(WARM)  # in which algorithms are tried that need more
        torch.cuda.reset_peak_memory_stats(device)
        stepper.steps(WARM)
        return int(torch.cuda.max_memory_allocated(device) - before)
    held = _resident("VmRSS")
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "utf-8")  # the peak begins anew
    make().steps(WARM)
    peak = _resident("VmHWM")
    return None if held is None or peak is None else max(0, peak - held)


def _resident(name: str) -> int | None:
    """What Linux tells of the memory of this process, in bytes: VmRSS is now, VmHWM the most there was."""
    try:
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return 1024 * int(found[0]) if found else None


def _summary(times: list[float]) -> Measured:
    low, middle, high = quantiles(times, n=4, method="inclusive")
    return Measured(middle, low, high, len(times))

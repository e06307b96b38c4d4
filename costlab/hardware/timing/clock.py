"""Clocks by which a network is timed, in nanoseconds."""

from collections.abc import Callable
from time import perf_counter_ns, thread_time_ns
from typing import NamedTuple

import torch

from costlab.hardware.timing.measured import SYNCHRONIZED, THREAD, WALL


class Clock(NamedTuple):
    """What it measures, in words, and how it is read."""

    name: str
    read: Callable[[], int]


def clock_for(device: torch.device, threads: int) -> Clock:
    """The clock for a device and a number of threads.

    What one thread of a CPU does is measured by its own CPU time, in which other processes do not count;
    several threads are by the time that passes. On a GPU that is read when it has done all that it was given.
    """
    if device.type == "cuda":

        def synchronized() -> int:
            torch.cuda.synchronize(device)
            return perf_counter_ns()

        return Clock(SYNCHRONIZED, synchronized)
    return Clock(THREAD, thread_time_ns) if threads == 1 else Clock(WALL, perf_counter_ns)

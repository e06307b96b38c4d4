"""Measurements: a network timed on this machine, operation by operation and as a whole."""

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any

import torch

from costlab.counting.count import Count, count
from costlab.errors import CostlabError, DefinitionError, MeasureError, first_line
from costlab.hardware.timing.built import Built, built, run_on
from costlab.hardware.timing.clock import Clock, clock_for
from costlab.hardware.timing.features import features_of
from costlab.hardware.timing.machine import this_machine
from costlab.hardware.timing.measured import Measurement, TimedRow, Times
from costlab.hardware.timing.operators import Ran, time_operators
from costlab.hardware.timing.places import place
from costlab.messages import named
from costlab.targets.like import TargetLike
from costlab.tracing.module_tracker import named_modules

WARM_UP = 2
"""Runs that are not timed."""
ROUNDS = 7
Progress = Callable[[int, int], None]


def measure(
    target: TargetLike,
    input: object = None,
    *,
    batch: int = 1,
    threads: int = 1,
    rounds: int = ROUNDS,
    on: str = "cpu",
    progress: Progress | None = None,
    **settings: Any,
) -> Measurement:
    """Time a target on this machine, in eval mode and without gradients, with random weights and inputs.

    In each round the module runs twice: as it is, which gives the time of the whole, and with a clock around
    each operator, which gives those of the operations. One thread of a CPU is timed by its own CPU time, in
    which other processes do not count; several threads by the time that passes; a GPU (``on="cuda"``) too,
    synchronized before and after each operator. What is a module of the caller's is copied, with its weights.

    Raises:
        MeasureError: it cannot run here, or does not do the same in each round.
        TargetError, DefinitionError, ShapeError: as `costlab.count`.
    """
    refuse_numbers(batch=batch, threads=threads, rounds=rounds)
    device = run_on(on)
    counted = in_inference(count(target, input, batch=batch, **settings))
    return timed(counted, built(target, input, counted, device, settings), device, threads, rounds, progress)


def refuse_numbers(**numbers: Any) -> None:
    """Refuse numbers of inputs, threads or rounds that there cannot be.

    Raises:
        DefinitionError: one is no whole number of at least 1.
    """
    for name, number in numbers.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise DefinitionError(f"{name}={named(number)} must be a whole number of at least 1")


def in_inference(counted: Count) -> Count:
    """What of a count runs in eval mode."""
    return counted.inference if counted.auxiliary else counted


def timed(
    counted: Count,
    subject: Built,
    device: torch.device,
    threads: int,
    rounds: int,
    progress: Progress | None = None,
) -> Measurement:
    """The times of a module that was built for a count.

    Raises:
        MeasureError: it cannot run here, or does not do the same in each round.
    """
    clock = clock_for(device, threads)
    try:
        with _prepared(threads):
            ran, whole, single = _rounds(subject, clock, rounds, progress)
    except CostlabError:
        raise
    except Exception as error:
        raise MeasureError(f"{counted.label} cannot run here: {first_line(error)}") from error
    if any(each != ran[0] for each in ran):
        raise MeasureError(
            f"{counted.label} does not run the same operators each time, so that none of them can be timed"
        )
    rows, elsewhere = _rows(counted, [path for path, _ in named_modules(subject.model)], ran[0], single)
    return Measurement(
        counted, this_machine(device, threads, clock.name), rounds, tuple(whole), rows, elsewhere
    )


@contextmanager
def _prepared(threads: int) -> Iterator[None]:
    """Without gradients and the garbage collector, on so many threads; afterwards all is as it was.

    Layers of transformers run operation by operation, as they are counted, and not as the one operator that
    torch has for them in eval mode.
    """
    before, collects = torch.get_num_threads(), gc.isenabled()
    fast = torch.backends.mha.get_fastpath_enabled()
    gc.collect()
    gc.disable()
    torch.set_num_threads(threads)
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad(), redirect_stdout(sys.stderr):
            yield  # what a user's module prints is no result
    finally:
        torch.set_num_threads(before)
        torch.backends.mha.set_fastpath_enabled(fast)
        if collects:
            gc.enable()


def _rounds(
    subject: Built, clock: Clock, rounds: int, progress: Progress | None
) -> tuple[list[tuple[Ran, ...]], list[int], list[list[int]]]:
    """What ran in each round, the time of the whole, and that of each operator."""
    model, args, kwargs = subject
    modules = named_modules(model)
    ran: list[tuple[Ran, ...]] = []
    whole: list[int] = []
    single: list[list[int]] = []
    for i in range(-WARM_UP, rounds):
        if progress is not None:
            progress(max(i, 0), rounds)
        began = clock.read()
        model(*args, **kwargs)
        took = clock.read() - began
        operators, times = time_operators(model, modules, args, kwargs, clock)
        if i >= 0:
            ran.append(operators)
            whole.append(took)
            single.append(times)
    return ran, whole, single


def _rows(
    counted: Count, paths: Sequence[str], ran: Sequence[Ran], single: Sequence[Sequence[int]]
) -> tuple[tuple[TimedRow, ...], Times]:
    """A row for each place, and the times of what is part of no operation of the count."""
    placed = place(counted, frozenset(paths), ran)
    sums = [[0] * len(single) for _ in (*placed.places, None)]
    for column, at in enumerate(placed.place_of):
        for turn, times in enumerate(single):
            sums[-1 if at is None else at][turn] += times[column]
    rows = tuple(
        TimedRow(
            each.path,
            each.kind,
            features_of(counted, each.nodes),
            tuple(times),
            tuple(node.path for node in each.nodes),
        )
        for each, times in zip(placed.places, sums, strict=False)
    )
    return rows, tuple(sums[-1])

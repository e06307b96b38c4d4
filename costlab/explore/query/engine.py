"""Going over the slices of a space: in order, perhaps on several cores, what was found so far at hand."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from costlab.explore.query import fast
from costlab.explore.query.slices import Plan

S = TypeVar("S")
Progress = Callable[[str, float], None]
"""Called with what is being done, and the share of it that is done."""
AHEAD = 2
"""Slices that wait, for each that is worked on."""


def quiet(_: str, __: float) -> None:
    """Say nothing of the progress."""


@dataclass
class Engine:
    """Goes over slices, on this many threads, or by an executor, whose tasks are pure and can be pickled.

    ``covered`` is the share of the slices that were gone over in the last sweep, should it be interrupted.
    """

    workers: int | None = None
    executor: Executor | None = None
    progress: Progress = quiet
    covered: float = field(default=0.0, init=False)
    found: Any = field(default=None, init=False)

    def sweep(
        self,
        doing: str,
        plans: Sequence[Plan],
        task: Callable[..., Any],
        fold: Callable[[S, int, Any], S],
        start: S,
        arguments: Callable[[S, int], tuple[Any, ...]] = lambda _, __: (),
    ) -> S:
        """Fold what ``task(plan, number, *arguments)`` gives for each slice of each plan, in order.

        ``fold`` and ``arguments`` are given what was found so far, and the place of the plan.
        """
        slices = sum(plan.slices for plan in plans)
        state, done = start, 0
        self.begin(state)
        every = ((place, number) for place, plan in enumerate(plans) for number in range(plan.slices))
        waiting: deque[tuple[int, Future[Any]]] = deque()
        with self._running(slices, max((plan.points for plan in plans), default=0)) as (submit, many):
            try:
                while True:
                    for place, number in islice(every, many - len(waiting)):
                        waiting.append((place, submit(task, plans[place], number, *arguments(state, place))))
                    if not waiting:
                        self.covered = 1.0
                        return state
                    place, future = waiting.popleft()
                    state, done = fold(state, place, future.result()), done + 1
                    self._tell(doing, state, done, slices)
            finally:
                for _, future in waiting:  # an executor that was given goes on otherwise
                    future.cancel()

    def begin(self, found: Any = None) -> None:
        """Forget what was found before: nothing is covered yet."""
        self.found, self.covered = found, 0.0

    def _tell(self, doing: str, state: Any, done: int, slices: int) -> None:
        self.found, self.covered = state, done / slices
        self.progress(doing, self.covered)

    @contextmanager
    def _running(self, slices: int, points: int) -> Iterator[tuple[Callable[..., Any], int]]:
        """What begins a task, and how many may be under way."""
        if self.executor is not None:
            yield self.executor.submit, AHEAD * (self.workers or os.cpu_count() or 1)
            return
        workers = min(self.workers or _usual(points), slices)
        if workers <= 1:
            yield _at_once, 1
            return
        pool = ThreadPoolExecutor(workers)
        try:
            yield pool.submit, AHEAD * workers
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _usual(points: int) -> int:
    """Threads by default: compiled kernels run on all cores at once, NumPy's ways gain little by it."""
    if fast.kernels(points) is None:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _at_once(task: Callable[..., Any], *arguments: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(task(*arguments))
    return future

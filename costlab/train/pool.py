"""A pool of workers on one device: processes, so that one that dies leaves the others alone."""

import sys
from collections.abc import Iterator
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.resource_tracker import ensure_running
from types import TracebackType
from typing import Any, NamedTuple, Self

from costlab.interrupts import Unseen, Whole, ignore_requests
from costlab.train.protocol import DIED, READY, WorkerSettings

LOADED = "costlab.train.loaded"
"""What a worker loads."""


class Event(NamedTuple):
    """A message of a worker: the kind in ``what``, the content in ``answer``; or that it died."""

    worker: "Process"
    what: str
    answer: Any


class Process:
    """The process of a worker, with its present job."""

    def __init__(self, settings: WorkerSettings) -> None:
        context = _context()
        ensure_running()  # it takes signals as they come, and would here
        self.connection: Connection[Any, Any]
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
        with Unseen():
            self.process.start()
        theirs.close()
        self.job: Any = None
        self.ready = False

    def begin(self, job: Any, *details: Any) -> None:
        """Send it a request; ``job`` is kept with the worker until it is done."""
        self.job = job
        try:
            self.connection.send(details)
        except OSError:  # it has died, which is an event
            return

    def end(self) -> None:
        """Kill it: its work is in its checkpoint."""
        self.process.kill()
        self.process.join()
        self.connection.close()


class Pool:
    """At most ``size`` workers. One that dies is replaced when there is work again."""

    def __init__(self, settings: WorkerSettings, size: int) -> None:
        self._settings, self._size = settings, size
        self.workers: list[Process] = []

    @property
    def has_room(self) -> bool:
        """Whether a worker is idle, or one more may be started."""
        return len(self.workers) < self._size or any(worker.job is None for worker in self.workers)

    def begin(self, job: Any, *details: Any) -> None:
        """Send a request to an idle worker, or to a new one; ``job`` is kept with it until it is done."""
        worker = next((worker for worker in self.workers if worker.job is None), None)
        if worker is None:
            with Whole():
                worker = Process(self._settings)
                self.workers.append(worker)
        worker.begin(job, *details)

    def events(self, seconds: float) -> Iterator[Event]:
        """Wait up to ``seconds`` for messages of the workers; those that are there, or none."""
        by_connection = {worker.connection: worker for worker in self.workers}
        for ready in wait(list(by_connection), seconds):
            worker = by_connection[ready]  # type: ignore[index]  # one of these connections
            try:
                what, answer = worker.connection.recv()
                worker.ready = worker.ready or what == READY
            except (EOFError, OSError):
                worker.process.join()
                self.workers.remove(worker)
                yield Event(worker, DIED, worker.process.exitcode)
                continue
            yield Event(worker, what, answer)

    def dismiss(self) -> None:
        """Kill all workers."""
        with Whole():
            while self.workers:
                self.workers.pop().end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.dismiss()


def load_ahead() -> None:
    """Begin to load what workers need, which takes seconds, while this process writes what they train."""
    if isinstance(_context(), ForkServerContext):
        with Unseen():
            forkserver.ensure_running()


def _context() -> SpawnContext | ForkServerContext:
    """How workers begin: as copies of a process that has loaded what they need, and computed nothing."""
    if sys.platform != "linux":
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([LOADED])
    return context


def _serve(connection: "Connection[Any, Any]", settings: WorkerSettings) -> None:
    """The worker's side, which imports torch; this side does not, and ends it."""
    ignore_requests()
    from costlab.train.worker import serve

    serve(connection, settings)

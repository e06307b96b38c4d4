"""The pool: workers side by side on one device, each a process that may die without harm to the others."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from threading import current_thread, main_thread
from types import TracebackType
from typing import Any, NamedTuple, Self

from costlab.train.protocol import DIED, READY, WorkerSettings


class Event(NamedTuple):
    """What a worker says: ``what`` it does or has done, with the ``answer``; or that it died."""

    worker: "Process"
    what: str
    answer: Any


class Process:
    """A worker's process, with what it is at."""

    def __init__(self, settings: WorkerSettings) -> None:
        context = get_context("spawn")
        self.connection: Connection[Any, Any]
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
        with _deaf():
            self.process.start()
        theirs.close()
        self.job: Any = None
        self.ready = False

    def begin(self, job: Any, *details: Any) -> None:
        """Have it do something; ``job`` is what is to be remembered of it."""
        self.job = job
        try:
            self.connection.send(details)
        except OSError:  # it has died, which is told as an event
            return

    def end(self) -> None:
        """End it at once: what it had in work is in its checkpoint."""
        self.process.kill()
        self.process.join()
        self.connection.close()


class Pool:
    """Some workers. Those that die are replaced when there is work again."""

    def __init__(self, settings: WorkerSettings, size: int) -> None:
        self._settings, self._size = settings, size
        self.workers: list[Process] = []

    @property
    def has_room(self) -> bool:
        """Whether a worker has nothing to do, or there may be one more."""
        return len(self.workers) < self._size or any(worker.job is None for worker in self.workers)

    def begin(self, job: Any, *details: Any) -> None:
        """Have an idle worker, or one more, do something; ``job`` is what is to be remembered of it."""
        worker = next((worker for worker in self.workers if worker.job is None), None)
        if worker is None:
            worker = Process(self._settings)
            self.workers.append(worker)
        worker.begin(job, *details)

    def events(self, seconds: float) -> Iterator[Event]:
        """What the workers say within some seconds; ends with the first moment in which any spoke."""
        by_connection = {worker.connection: worker for worker in self.workers}
        for ready in wait(list(by_connection), seconds):
            worker = by_connection[ready]  # type: ignore[index]  # of these connections only
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
        """End all workers."""
        while self.workers:
            self.workers.pop().end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.dismiss()


@contextmanager
def _deaf() -> Iterator[None]:
    """Have what is started here not hear an interrupt: it is ended by whoever started it."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(connection: "Connection[Any, Any]", settings: WorkerSettings) -> None:
    """The worker's side, which needs torch; whoever asks needs none."""
    from costlab.train.worker import serve

    serve(connection, settings)

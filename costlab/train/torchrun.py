"""A run under torchrun: every trial is trained by all of the processes that it started."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread
from time import sleep

from costlab.train.distributed import Group
from costlab.train.plan import Plan
from costlab.train.protocol import WorkerSettings
from costlab.train.record import Run
from costlab.train.run import (
    Grow,
    Known,
    RunObserver,
    go_on,
    never,
    nothing,
    open_study_of,
    run_environment,
    save_record,
)
from costlab.train.study import BEAT, Study
from costlab.train.worker import Worker

WAIT = 1.0
END, STAY = "end", "stay"
"""What the leading process sends to the others instead of the arm and seed to train."""


def train_under_torchrun(
    plan: Plan,
    settings: WorkerSettings,
    observer: RunObserver,
    group: Group,
    study: str = "",
    again: bool = False,
    known: Known = nothing,
    grow: Grow = never,
) -> Run | None:
    """Train the trials of a plan one after the other; returns the record in the leading process.

    All processes must see the folder, which must be locked. Nothing is timed, as a step of several processes
    cannot be compared with one of a single process.

    Raises:
        RunError, OutputError: as `costlab.train.run.train_plan`; also for batches that cannot be split.
    """
    for arm in plan.arms:
        group.refuse_uneven(plan.recipe_of(arm.label).batch_size)
    worker = Worker(settings, group)
    if not group.is_leader:
        while (order := group.broadcast(None)) != END:
            if order != STAY:
                worker.trial(order[0], order[1], lambda _: None)
        return None
    with (
        open_study_of(plan, settings.folder, study, again, known=known) as trials,
        _heartbeats(trials),
    ):
        here = run_environment(settings, settings.workers)
        while True:
            results = trials.results(here)
            if len(results) == len(plan.pairs):
                if (grown := grow(plan, results)) is None:
                    break
                plan = grown
                go_on(trials, plan, known)
                continue
            observer.remaining(len(plan.pairs) - len(results))
            lease = trials.lease()
            if lease is None:  # other machines have them all
                group.broadcast(STAY)
                sleep(WAIT)
                continue
            group.broadcast(lease.pair)
            observer.progress(lease.pair, None)
            trial = worker.trial(lease.arm, lease.seed, partial(observer.progress, lease.pair))
            if trials.finish(lease, trial):
                observer.finished(trial)
            else:
                observer.lost(lease.pair, "held too long, and left to another")
        group.broadcast(END)
        return save_record(plan, results, {}, settings.folder)


@contextmanager
def _heartbeats(trials: Study) -> Iterator[None]:
    """Send heartbeats from a thread, however long the training takes."""
    ended = Event()

    def beat() -> None:
        while not ended.wait(BEAT):
            trials.send_heartbeats()

    thread = Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()

"""A run whose trials are each trained by several processes, which torchrun has started."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread
from time import sleep

from costlab.train.distributed import Group
from costlab.train.plan import Plan
from costlab.train.protocol import WorkerSettings
from costlab.train.record import Run
from costlab.train.run import Watch, environment_of, recorded, study_of
from costlab.train.study import BEAT, Study
from costlab.train.worker import Worker

WAIT = 1.0
END, STAY = "end", "stay"
"""What the leading process tells the others to do, besides the pair to train."""


def trained_together(
    plan: Plan, settings: WorkerSettings, watch: Watch, group: Group, study: str = "", again: bool = False
) -> Run | None:
    """Train what the plan has, trial after trial; the leading process gets the record.

    The folder is `locked`, and one that all processes see. Nothing is timed: a step of several processes is
    no step of one.

    Raises:
        RunError, OutputError: as `costlab.train.run.trained`; also for batches that cannot be shared out.
    """
    for arm in plan.arms:
        group.refuse_uneven(plan.recipe_of(arm.label).batch_size)
    worker = Worker(settings, group)
    if not group.leads:
        while (order := group.shared(None)) != END:
            if order != STAY:
                worker.trial(order[0], order[1], lambda _: None)
        return None
    with study_of(plan, settings.folder, study, again) as trials, _beating(trials):
        here = environment_of(settings, settings.workers)
        while len(results := trials.results(here)) < len(plan.pairs):
            watch.left(len(plan.pairs) - len(results))
            claim = trials.claim()
            if claim is None:  # other machines have them all
                group.shared(STAY)
                sleep(WAIT)
                continue
            group.shared(claim.pair)
            watch.at(claim.pair, None)
            trial = worker.trial(claim.arm, claim.seed, partial(watch.at, claim.pair))
            if trials.finish(claim, trial):
                watch.ended(trial)
            else:
                watch.lost(claim.pair, "held too long, and left to another")
        group.shared(END)
        return recorded(plan, results, {}, settings.folder)


@contextmanager
def _beating(trials: Study) -> Iterator[None]:
    """Say that this process lives while it does, whatever it is busy with."""
    ended = Event()

    def beat() -> None:
        while not ended.wait(BEAT):
            trials.tend()

    thread = Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()

"""A run whose trials are each trained by several processes, which torchrun has started."""

from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic, sleep

from costlab.train.distributed import Group
from costlab.train.plan import Plan
from costlab.train.record import Run
from costlab.train.run import Watch, environment_of, locked, recorded, study_of
from costlab.train.study import BEAT, Study
from costlab.train.trial import Standing
from costlab.train.worker import Settings, Worker

WAIT = 1.0


def trained_together(
    plan: Plan, settings: Settings, watch: Watch, group: Group, study: str = "", again: bool = False
) -> Run | None:
    """Train what the plan has, trial after trial; the leading process gets the record.

    The folder is one that all processes see. Nothing is timed: a step of several processes is no step of one.

    Raises:
        RunError, OutputError: as `costlab.train.run.trained`; also for batches that cannot be shared out.
    """
    for arm in plan.arms:
        group.refuse_uneven(plan.recipe_of(arm.label).batch_size)
    worker = Worker(settings, group)
    with ExitStack() as stack:
        if not group.leads:
            while (pair := group.shared(None)) is not None:
                worker.trial(pair[0], pair[1], lambda _: None)
            return None
        stack.enter_context(locked(settings.folder))
        trials = stack.enter_context(study_of(plan, settings.folder, study, again))
        here = environment_of(settings, settings.workers)
        while (left := len(plan.pairs) - len(trials.results(here))) > 0:
            watch.left(left)
            trials.tend()
            claim = trials.claim()
            if claim is None:  # other machines have them all
                sleep(WAIT)
                continue
            group.shared(claim.pair)
            watch.at(claim.pair, None)
            trial = worker.trial(claim.arm, claim.seed, _telling(watch, trials, claim.pair))
            if trials.finish(claim, trial):
                watch.ended(trial)
        group.shared(None)
        return recorded(plan, trials.results(here), {}, settings.folder)


def _telling(watch: Watch, trials: Study, pair: tuple[str, int]) -> Callable[[Standing], None]:
    """Tells where a trial stands, and that this process lives."""
    tended = monotonic()

    def tell(standing: Standing) -> None:
        nonlocal tended
        watch.at(pair, standing)
        if monotonic() - tended >= BEAT:
            trials.tend()
            tended = monotonic()

    return tell

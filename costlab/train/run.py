"""A run: the trials of a plan are trained by workers until each has a result, then timed and recorded."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, TypeAlias

from costlab.errors import OutputError, RunError
from costlab.files import make_folder
from costlab.train import cache, record
from costlab.train.plan import LOCK, Plan
from costlab.train.pool import Event, Pool
from costlab.train.protocol import BROKEN, DIED, FAILED, READY, WorkerSettings
from costlab.train.record import Environment, Run, Timing, TrialResult
from costlab.train.storage import GRACE, open_study, refuse_file
from costlab.train.study import BEAT, Lease, Pair, Study
from costlab.train.trial import TrialProgress
from costlab.train.worker import THREADS

STUDY = "study.db"
WAIT = 0.5
Grow: TypeAlias = Callable[[Plan, Mapping[Pair, TrialResult]], Plan | None]
"""Gives a plan with more arms, by the results of those that it has; None when these are all."""
Known: TypeAlias = Callable[[Plan], Iterable[TrialResult]]
"""Gives the results of an earlier run that stand for trials of a plan."""


class RunObserver(Protocol):
    """Is called while a run goes on, to show its progress."""

    def note(self, text: str) -> None:
        """A message for the user."""

    def remaining(self, trials: int) -> None:
        """The number of trials without a result, including those of other machines."""

    def progress(self, pair: Pair, progress: TrialProgress | None) -> None:
        """The progress of a trial; None when it begins."""

    def finished(self, trial: TrialResult) -> None:
        """The result of a trial."""

    def lost(self, pair: Pair, reason: str) -> None:
        """A trial is no longer trained here, for this reason."""

    def timing(self, done: int, rounds: int) -> None:
        """The progress of the timing."""


def never(_: Plan, __: Mapping[Pair, TrialResult]) -> None:
    """No more arms than a plan has."""


def nothing(_: Plan) -> tuple[TrialResult, ...]:
    """No results of an earlier run."""
    return ()


def train_plan(
    plan: Plan,
    settings: WorkerSettings,
    observer: RunObserver,
    study: str = "",
    again: bool = False,
    grace: int = GRACE,
    known: Known = nothing,
    grow: Grow = never,
) -> Run:
    """Train the trials of a plan that have no result yet, time the arms, and save the record.

    Steps of members of spaces are not timed: that would take longer than the training.

    Args:
        plan: that of the run.
        settings: those of the workers; their folder must be locked, see `lock_folder`.
        observer: is called with the progress.
        study: the URL of a database that other machines take trials from too; empty for a file in the folder.
        again: whether trials that failed are trained again.
        grace: seconds without a heartbeat after which another machine counts as dead.
        known: is asked for results of an earlier run, which are not found again, of each such plan.
        grow: is asked for a plan with more arms, which it has saved, each time that all trials have results.

    Raises:
        RunError: the study cannot be reached, or workers cannot start.
        OutputError: the folder cannot be written to.
    """
    here = run_environment(settings, settings.workers)
    with Pool(settings, settings.workers) as pool:
        with open_study_of(plan, settings.folder, study, again, grace, known) as trials:
            grown: Plan | None = plan
            while grown is not None:
                plan = grown
                go_on(trials, plan, known)
                results = _Dispatcher(trials, pool, observer, plan.pairs).work(lambda: trials.results(here))
                grown = grow(plan, results)
        if plan.spaces:
            return save_record(plan, results, {}, settings.folder)
        done = {label for (label, _), trial in results.items() if not trial.failure}
        timings = _earlier_timings(plan, settings.folder)
        missing = [arm.label for arm in plan.arms if arm.label in done - timings.keys()]
        if missing:  # time all of them: only times measured in turns can be compared
            timings = _measure_timings(pool, observer, [arm.label for arm in plan.arms if arm.label in done])
        return save_record(plan, results, timings, settings.folder)


@contextmanager
def open_study_of(
    plan: Plan,
    folder: Path,
    url: str = "",
    again: bool = False,
    grace: int = GRACE,
    known: Known = nothing,
) -> Iterator[Study]:
    """The study of a plan: at ``url``, or else in the folder, which this process has locked.

    Other arguments and errors are those of `train_plan`.
    """
    refuse_file(url)
    name = f"costlab {record.VERSION} {plan.name} {plan.identity}"
    with open_study(
        url or f"sqlite:///{(folder / STUDY).resolve()}", name, plan.pairs, not url, grace
    ) as trials:
        if not url:
            trials.release_all()
        go_on(trials, plan, known)
        if again:
            trials.retry_failures()
        yield trials


def go_on(trials: Study, plan: Plan, known: Known) -> None:
    """Let a study go on with the trials of a plan, of which some may be known."""
    trials.go_on_with(plan.pairs)
    trials.take_over(known(plan))


def run_environment(settings: WorkerSettings, workers: int) -> Environment:
    """The environment of a run."""
    from costlab.train.environment import describe_environment, find_device

    here = describe_environment(find_device(settings.device), workers, compiled=False)
    return replace(here, threads=THREADS) if settings.device == "cpu" else here


def save_record(
    plan: Plan, results: dict[Pair, TrialResult], timings: dict[str, Timing], folder: Path
) -> Run:
    """Save the record of a finished run in its folder, and remove the images that its workers shared.

    Raises:
        OutputError: the folder cannot be written to.
    """
    run = Run(
        plan.name,
        plan.title,
        plan.preset,
        plan.command,
        plan.recipe,
        plan.data,
        plan.seeds,
        tuple(replace(arm, timing=timings.get(arm.label)) for arm in plan.arms),
        plan.claims,
        tuple(results[pair] for pair in plan.pairs),
        plan.spaces,
        plan.search,
    )
    run.save(folder / record.FILE)
    cache.remove(folder)
    return run


class _Dispatcher:
    """Hands the trials of a study to the workers of a pool."""

    def __init__(self, study: Study, pool: Pool, observer: RunObserver, pairs: tuple[Pair, ...]) -> None:
        self._study, self._pool, self._observer, self._pairs = study, pool, observer, pairs

    def work(self, results: Callable[[], dict[Pair, TrialResult]]) -> dict[Pair, TrialResult]:
        """Train until every arm and seed has a result; returns them."""
        tended = changed = -float(BEAT)
        while True:
            now = monotonic()
            if now - tended >= BEAT:
                self._study.send_heartbeats()
                tended = now
            if now - changed >= BEAT:
                finished = results()
                self._observer.remaining(len(self._pairs) - len(finished))
                if len(finished) == len(self._pairs):
                    return finished
                self._assign_trials()
                changed = now
            for event in self._pool.events(WAIT):
                if self._handle(event):
                    changed = -float(BEAT)

    def _assign_trials(self) -> None:
        """Give a trial to each idle worker, as long as there are any."""
        while self._pool.has_room and (lease := self._study.lease()) is not None:
            self._pool.begin(lease, "trial", lease.arm, lease.seed)
            self._observer.progress(lease.pair, None)

    def _handle(self, event: Event) -> bool:
        """Act on a message of a worker; returns whether it is idle now."""
        lease: Lease | None = event.worker.job
        if event.what == "at" and lease:
            self._observer.progress(lease.pair, event.answer[0])
            return False
        _refuse_start(event)
        if event.what == READY or not lease:
            return True
        event.worker.job = None
        if event.what == "trial":
            if self._study.finish(lease, event.answer):
                self._observer.finished(event.answer)
                return True
            reason = "held too long, and left to another"
        else:
            self._study.drop(lease)
            cause = f"exit {event.answer}" if event.what == DIED else event.answer
            reason = f"its worker died ({cause}); it is taken up again"
        self._observer.lost(lease.pair, reason)
        return True


def _refuse_start(event: Event) -> None:
    """Raises `RunError` if a worker could not start."""
    if event.what == BROKEN:
        raise RunError(f"a worker cannot begin: {event.answer}")
    if event.what == DIED and not event.worker.ready:
        raise RunError(f"a worker died as it began (exit {event.answer})")


def _measure_timings(pool: Pool, observer: RunObserver, labels: list[str]) -> dict[str, Timing]:
    """Time all arms in one worker, alone, then measure the memory of each in a worker of its own."""
    pool.dismiss()
    timings: dict[str, Timing] = _ask(pool, observer, "timings", labels) or {}
    for label, timing in timings.items():
        pool.dismiss()
        timings[label] = replace(timing, memory=_ask(pool, observer, "memory", label))
    pool.dismiss()
    return timings


def _earlier_timings(plan: Plan, folder: Path) -> dict[str, Timing]:
    """The timings in an earlier record of the same arms, which were measured together."""
    if not (folder / record.FILE).is_file():
        return {}
    try:
        earlier = record.load(folder / record.FILE)
    except (OutputError, RunError):  # unreadable, damaged, or of another version: it will be replaced
        return {}
    if tuple(replace(arm, timing=None) for arm in earlier.arms) != plan.arms:
        return {}
    return {arm.label: arm.timing for arm in earlier.arms if arm.timing}


def _ask(pool: Pool, observer: RunObserver, what: str, about: Any) -> Any:
    """Send a request to a worker and wait for its answer; None if it fails or dies."""
    pool.begin(what, what, about)
    while True:
        for event in pool.events(WAIT):
            if event.what == what:
                event.worker.job = None
                return event.answer
            if event.what == "at":
                observer.timing(*event.answer)
                continue
            _refuse_start(event)
            if event.what in (DIED, FAILED):
                observer.note(f"{what} could not be measured, and are left out: {event.answer}")
                return None


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Make the folder of a run, and lock it against other processes.

    Raises:
        RunError: another process has locked it.
        OutputError: it cannot be made.
    """
    from filelock import FileLock, Timeout

    make_folder(folder)
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise RunError(f"{folder}: another costlab train is at work in it") from None
    except OSError as error:
        raise OutputError(f"{folder} cannot be locked: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()

"""A run: the trials of a plan, trained by workers until each has a result, then timed, then put on record."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from costlab.errors import OutputError, RunError
from costlab.files import make_folder
from costlab.train import cache, record
from costlab.train.plan import LOCK, Plan
from costlab.train.pool import Event, Pool
from costlab.train.protocol import BROKEN, DIED, FAILED, READY, WorkerSettings
from costlab.train.record import Environment, Run, Timing, Trial
from costlab.train.storage import GRACE, opened, refuse_file
from costlab.train.study import BEAT, Claim, Pair, Study
from costlab.train.trial import Standing
from costlab.train.worker import THREADS

STUDY = "study.db"
WAIT = 0.5


class Watch(Protocol):
    """Who is told how a run goes."""

    def note(self, text: str) -> None:
        """Something that is to be known."""

    def left(self, pairs: int) -> None:
        """How many trials have no result yet, those of other machines among them."""

    def at(self, pair: Pair, standing: Standing | None) -> None:
        """Where a trial stands; None as it begins."""

    def ended(self, trial: Trial) -> None:
        """What came out of a trial."""

    def lost(self, pair: Pair, why: str) -> None:
        """Why a trial that was in work here is so no more."""

    def timing(self, done: int, rounds: int) -> None:
        """How far the timing is."""


def trained(
    plan: Plan,
    settings: WorkerSettings,
    watch: Watch,
    study: str = "",
    again: bool = False,
    grace: int = GRACE,
) -> Run:
    """Train what the plan has, from where it stands, and put it on record in its folder, which is `locked`.

    ``study`` is the database that other machines draw from too, else a file in the folder; with ``again``
    what failed is begun anew.

    Raises:
        RunError: the study cannot be reached, or workers cannot start.
        OutputError: the folder cannot be written to.
    """
    here = environment_of(settings, settings.workers)
    with Pool(settings, settings.workers) as pool:
        with study_of(plan, settings.folder, study, again, grace) as trials:
            results = _Crew(trials, pool, watch, plan.pairs).work(lambda: trials.results(here))
        done = {label for (label, _), trial in results.items() if not trial.failure}
        timings = _earlier(plan, settings.folder)
        missing = [arm.label for arm in plan.arms if arm.label in done - timings.keys()]
        if missing:  # all anew: what was not measured in turns cannot be compared
            timings = _timings(pool, watch, [arm.label for arm in plan.arms if arm.label in done])
        return recorded(plan, results, timings, settings.folder)


@contextmanager
def study_of(
    plan: Plan, folder: Path, url: str = "", again: bool = False, grace: int = GRACE
) -> Iterator[Study]:
    """The study of a plan: at ``url``, or in a folder that this process has locked. Else as `trained`."""
    refuse_file(url)
    name = f"costlab {record.VERSION} {plan.name} {plan.identity}"
    with opened(url or f"sqlite:///{(folder / STUDY).resolve()}", name, plan.pairs, not url, grace) as trials:
        if not url:
            trials.free_all()
        if again:
            trials.retry_failures()
        yield trials


def environment_of(settings: WorkerSettings, workers: int) -> Environment:
    """Where a run is made."""
    from costlab.train.environment import device_named, environment

    here = environment(device_named(settings.device), workers, compiled=False)
    return replace(here, threads=THREADS) if settings.device == "cpu" else here


def recorded(plan: Plan, results: dict[Pair, Trial], timings: dict[str, Timing], folder: Path) -> Run:
    """The record of a run that is done, in its folder too; the images that its workers shared are removed.

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
    )
    run.save(folder / record.FILE)
    cache.remove(folder)
    return run


class _Crew:
    """The workers at the trials of a study."""

    def __init__(self, study: Study, pool: Pool, watch: Watch, pairs: tuple[Pair, ...]) -> None:
        self._study, self._pool, self._watch, self._pairs = study, pool, watch, pairs

    def work(self, results: Callable[[], dict[Pair, Trial]]) -> dict[Pair, Trial]:
        """Train until every pair has a result; gives them."""
        tended = changed = -float(BEAT)
        while True:
            now = monotonic()
            if now - tended >= BEAT:
                self._study.tend()
                tended = now
            if now - changed >= BEAT:
                found = results()
                self._watch.left(len(self._pairs) - len(found))
                if len(found) == len(self._pairs):
                    return found
                self._hand_out()
                changed = now
            for event in self._pool.events(WAIT):
                if self._heed(event):
                    changed = -float(BEAT)

    def _hand_out(self) -> None:
        """Give each idle worker a trial, while there are any."""
        while self._pool.has_room and (claim := self._study.claim()) is not None:
            self._pool.begin(claim, "trial", claim.arm, claim.seed)
            self._watch.at(claim.pair, None)

    def _heed(self, event: Event) -> bool:
        """Take in what a worker says; gives whether it has no work now."""
        claim: Claim | None = event.worker.job
        if event.what == "at" and claim:
            self._watch.at(claim.pair, event.answer[0])
            return False
        _refuse_start(event)
        if event.what == READY or not claim:
            return True
        event.worker.job = None
        if event.what == "trial":
            if self._study.finish(claim, event.answer):
                self._watch.ended(event.answer)
                return True
            told = "held too long, and left to another"
        else:
            self._study.drop(claim)
            cause = f"exit {event.answer}" if event.what == DIED else event.answer
            told = f"its worker died ({cause}); it is taken up again"
        self._watch.lost(claim.pair, told)
        return True


def _refuse_start(event: Event) -> None:
    """Raises `RunError` if a worker cannot begin."""
    if event.what == BROKEN:
        raise RunError(f"a worker cannot begin: {event.answer}")
    if event.what == DIED and not event.worker.ready:
        raise RunError(f"a worker died as it began (exit {event.answer})")


def _timings(pool: Pool, watch: Watch, labels: list[str]) -> dict[str, Timing]:
    """Time the arms in one worker, alone, then the memory of each in a worker of its own."""
    pool.dismiss()
    found: dict[str, Timing] = _asked(pool, watch, "timings", labels) or {}
    for label, timing in found.items():
        pool.dismiss()
        found[label] = replace(timing, memory=_asked(pool, watch, "memory", label))
    pool.dismiss()
    return found


def _earlier(plan: Plan, folder: Path) -> dict[str, Timing]:
    """The timings of an earlier record of the same arms, as they were measured together."""
    if not (folder / record.FILE).is_file():
        return {}
    try:
        earlier = record.load(folder / record.FILE)
    except RunError:  # damaged, or of another version: it is about to be replaced
        return {}
    if tuple(replace(arm, timing=None) for arm in earlier.arms) != plan.arms:
        return {}
    return {arm.label: arm.timing for arm in earlier.arms if arm.timing}


def _asked(pool: Pool, watch: Watch, what: str, about: Any) -> Any:
    """What a worker answers; None if it dies of it."""
    pool.begin(what, what, about)
    while True:
        for event in pool.events(WAIT):
            if event.what == what:
                event.worker.job = None
                return event.answer
            if event.what == "at":
                watch.timing(*event.answer)
                continue
            _refuse_start(event)
            if event.what in (DIED, FAILED):
                watch.note(f"{what} could not be measured, and are left out: {event.answer}")
                return None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The folder of a run, kept from other processes.

    Raises:
        RunError: another one has it.
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

"""The trials of a run in an Optuna study: which process trains which of them, and their results.

The study is in a file in the folder of the run, or in a database that any number of machines share. There a
trial is leased with heartbeats; if its process dies, it is trained by another. Every pair of arm and seed is
finished once: of two trials of a pair only the one with the lower number is trained.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from warnings import catch_warnings, simplefilter

from costlab.decode import MalformedError, decode, parse
from costlab.errors import RunError
from costlab.interrupts import Whole
from costlab.train.record import Environment, TrialResult, in_order

if TYPE_CHECKING:
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

Pair = tuple[str, int]
BEAT = 5
"""Seconds between two heartbeats."""
ATTEMPTS = 3
"""How often a trial is begun whose worker dies."""
RESULT, GIVEN_BACK = "result", "given back"


class Lease(NamedTuple):
    """A trial that this process is to train."""

    id: int
    number: int
    arm: str
    seed: int

    @property
    def pair(self) -> Pair:
        """The arm and the seed."""
        return self.arm, self.seed


class Study:
    """The trials of pairs of arm and seed. Opened by `costlab.train.storage.open_study`."""

    def __init__(self, storage: "RDBStorage", number: int, pairs: Iterable[Pair], alone: bool) -> None:
        self._storage, self._number, self._alone = storage, number, alone
        self._pairs = dict.fromkeys(pairs)
        self._leases: list[Lease] = []

    def go_on_with(self, pairs: Iterable[Pair]) -> None:
        """Go on with these pairs, among which are those so far."""
        self._pairs = dict.fromkeys(pairs)

    def lease(self) -> Lease | None:
        """Take a trial that no process trains; None if there is none."""
        lease = self._lease_waiting()
        if lease is None and self._add_missing():
            return self._lease_waiting()
        return lease

    def _lease_waiting(self) -> Lease | None:
        from optuna.trial import TrialState

        for waiting in self._trials(TrialState.WAITING):
            lease = self._lease_of(waiting)
            with Whole():  # what is taken is also given back
                if lease.pair not in self._pairs or not self._take(lease):
                    continue
                if not self._alone and self._is_duplicate(lease):
                    self._storage.set_trial_state_values(lease.id, TrialState.PRUNED)
                    continue
                self._leases.append(lease)
            return lease
        return None

    def finish(self, lease: Lease, trial: TrialResult) -> bool:
        """Store the result of a leased trial. Returns False if the lease has expired."""
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        with Whole():
            self._leases.remove(lease)
            try:
                self._storage.set_trial_user_attr(lease.id, RESULT, json.dumps(asdict(trial)))
                if trial.top_1 is None:
                    self._storage.set_trial_state_values(lease.id, TrialState.FAIL)
                else:
                    self._storage.set_trial_state_values(lease.id, TrialState.COMPLETE, [trial.top_1])
            except UpdateFinishedTrialError:
                return False
        return True

    def drop(self, lease: Lease) -> None:
        """End the lease of a trial whose worker died: it is begun again, up to `ATTEMPTS` times."""
        with Whole():
            self._leases.remove(lease)
            self._fail(lease.id)

    def take_over(self, results: Iterable[TrialResult]) -> None:
        """Enter results that another run has found, for the pairs that have none yet."""
        from optuna.trial import TrialState, create_trial

        finished = {pair for pair, trials in self._by_pair().items() if _outcome(trials) is not None}
        for result in results:
            pair = result.arm, result.seed
            if pair in self._pairs and pair not in finished:
                attributes = {"arm": result.arm, "seed": result.seed, RESULT: json.dumps(asdict(result))}
                template = create_trial(state=TrialState.COMPLETE, value=result.top_1, user_attrs=attributes)
                self._storage.create_new_trial(self._number, template)

    def give_back(self) -> None:
        """End all leases, as if the trials had never been begun."""
        with Whole():
            while self._leases:
                lease = self._leases.pop()
                self._fail(lease.id, GIVEN_BACK)

    def retry_failures(self) -> None:
        """Begin the trials again that failed."""
        for pair, trials in self._by_pair().items():
            if not _is_live(trials) and _outcome(trials) is None and (_failures(trials) or _is_lost(trials)):
                self._add(pair)

    def send_heartbeats(self) -> None:
        """Renew all leases, and free the trials of dead processes. To be called every `BEAT` seconds."""
        if self._alone:
            return
        for lease in tuple(self._leases):
            self._storage.record_heartbeat(lease.id)
        from optuna import load_study
        from optuna.storages import fail_stale_trials

        with catch_warnings():
            simplefilter("ignore")  # about experimental features of Optuna
            name = self._storage.get_study_name_from_id(self._number)
            fail_stale_trials(load_study(study_name=name, storage=self._storage))

    def results(self, environment: Environment) -> dict[Pair, TrialResult]:
        """The results so far, by pair; a failure in this environment where workers died too often."""
        results: dict[Pair, TrialResult] = {}
        for pair, trials in self._by_pair().items():
            outcome = _outcome(trials)
            if outcome is None and not _is_live(trials):
                outcome = next(reversed(_failures(trials)), None)
                if outcome is None and _is_lost(trials):
                    outcome = TrialResult(*pair, (), environment, f"its worker died {_deaths(trials)} times")
            if outcome is not None:
                results[pair] = outcome
        return results

    def _add_missing(self) -> bool:
        """Add a trial for every pair without a result that has none waiting or running; whether any."""
        trials_by_pair = self._by_pair()
        missing = []
        for pair in self._pairs:
            trials = trials_by_pair.get(pair, [])
            if not (_is_live(trials) or _results(trials) or _is_lost(trials)):
                missing.append(pair)
        for pair in missing:
            self._add(pair)
        return bool(missing)

    def _add(self, pair: Pair) -> None:
        from optuna.trial import TrialState, create_trial

        template = create_trial(state=TrialState.WAITING, user_attrs={"arm": pair[0], "seed": pair[1]})
        self._storage.create_new_trial(self._number, template)

    def _take(self, lease: Lease) -> bool:
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        try:
            if not self._alone:  # first, so that a process that dies in between has a heartbeat to expire
                self._storage.record_heartbeat(lease.id)
            return self._storage.set_trial_state_values(lease.id, TrialState.RUNNING)
        except UpdateFinishedTrialError:
            return False

    def _is_duplicate(self, lease: Lease) -> bool:
        """Whether the pair has a result already, or another live trial with a lower number."""
        others = [trial for trial in self._by_pair()[lease.pair] if trial.number != lease.number]
        earlier = [trial for trial in others if trial.number < lease.number]
        return _outcome(others) is not None or _is_live(earlier)

    def _fail(self, id_: int, mark: str = "") -> None:
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        try:
            if mark:
                self._storage.set_trial_user_attr(id_, mark, value=True)
            self._storage.set_trial_state_values(id_, TrialState.FAIL)
        except UpdateFinishedTrialError:  # the lease had expired, and another process took it
            return

    def release_all(self) -> None:
        """End the leases of earlier processes, where no other process can be at work."""
        from optuna.trial import TrialState

        for trial in self._trials(TrialState.RUNNING):
            self._fail(self._lease_of(trial).id, GIVEN_BACK)

    def _trials(self, *states: Any) -> "list[FrozenTrial]":
        return self._storage.get_all_trials(self._number, deepcopy=False, states=states or None)

    def _of_pairs(self) -> "list[FrozenTrial]":
        return [trial for trial in self._trials() if _pair(trial) in self._pairs]

    def _by_pair(self) -> "dict[Pair, list[FrozenTrial]]":
        trials_by_pair: dict[Pair, list[FrozenTrial]] = defaultdict(list)
        for trial in self._of_pairs():
            trials_by_pair[_pair(trial)].append(trial)
        return trials_by_pair

    def _lease_of(self, trial: "FrozenTrial") -> Lease:
        number = self._storage.get_trial_id_from_study_id_trial_number(self._number, trial.number)
        return Lease(number, trial.number, *_pair(trial))


def _pair(trial: "FrozenTrial") -> Pair:
    return trial.user_attrs.get("arm", ""), trial.user_attrs.get("seed", -1)


def _is_live(trials: "list[FrozenTrial]") -> bool:
    """Whether one of them waits or runs."""
    return any(not trial.state.is_finished() for trial in trials)


def _results(trials: "list[FrozenTrial]") -> list[TrialResult]:
    """The results of the trials that have ended."""
    ended = (trial for trial in trials if trial.state.is_finished() and RESULT in trial.user_attrs)
    try:
        return [_result_of(trial) for trial in ended]
    except (ValueError, TypeError) as error:
        raise RunError(f"the study holds what is no result: {error}") from None


def _result_of(trial: "FrozenTrial") -> TrialResult:
    result = _read(trial.user_attrs[RESULT])
    if (result.arm, result.seed) != _pair(trial) or not in_order(result.epochs):
        raise MalformedError(f"it is of {result.arm!r} with seed {result.seed}, or its epochs have no order")
    return result


@lru_cache(10_000)
def _read(text: str) -> TrialResult:
    """The result in a text; of a run of many trials each is read again and again."""
    result: TrialResult = decode(TrialResult, parse(text.encode()))
    return result


def _outcome(trials: "list[FrozenTrial]") -> TrialResult | None:
    """The first result without a failure."""
    return next((result for result in _results(trials) if not result.failure), None)


def _failures(trials: "list[FrozenTrial]") -> list[TrialResult]:
    return [result for result in _results(trials) if result.failure]


def _is_lost(trials: "list[FrozenTrial]") -> bool:
    """Whether workers died so often that the trial is not begun again."""
    return _deaths(trials) >= ATTEMPTS


def _deaths(trials: "list[FrozenTrial]") -> int:
    """How many of the trials ended because their process died."""
    from optuna.trial import TrialState

    kept = (RESULT, GIVEN_BACK)
    return sum(
        trial.state == TrialState.FAIL and not any(mark in trial.user_attrs for mark in kept)
        for trial in trials
    )

"""The trials of a run, in an Optuna study: who trains which, and what came out.

The study is a file beside the run, or a database that any number of machines draw from. There a trial is held
with a heartbeat; one whose holder died is taken up again. Every pair of arm and seed is finished once: of two
trials of a pair only the one with the lower number goes on.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple
from warnings import catch_warnings, simplefilter

from costlab.train.record import Environment, Trial, decoded

if TYPE_CHECKING:
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

Pair = tuple[str, int]
BEAT = 5
"""Seconds between two heartbeats."""
ATTEMPTS = 3
"""How often a trial whose worker died is begun."""
RESULT, GIVEN_BACK = "result", "given back"


class Claim(NamedTuple):
    """A trial that this process holds."""

    id: int
    number: int
    arm: str
    seed: int

    @property
    def pair(self) -> Pair:
        """The arm and the seed."""
        return self.arm, self.seed


class Study:
    """The trials for some pairs. Made by `costlab.train.storage.opened`."""

    def __init__(self, storage: "RDBStorage", number: int, pairs: Iterable[Pair], alone: bool) -> None:
        self._storage, self._number, self._alone = storage, number, alone
        self._pairs = tuple(pairs)
        self._held: list[Claim] = []

    def claim(self) -> Claim | None:
        """A trial that nobody holds, now held by this process; None if there is none."""
        from optuna.trial import TrialState

        self._fill()
        for waiting in self._trials(TrialState.WAITING):
            claim = self._claim_of(waiting)
            if claim.pair not in self._pairs or not self._take(claim):
                continue
            if self._is_spare(claim):
                self._storage.set_trial_state_values(claim.id, TrialState.PRUNED)
                continue
            self._held.append(claim)
            return claim
        return None

    def finish(self, claim: Claim, trial: Trial) -> bool:
        """Set down what came out of a held trial. Gives False if it is not held any more."""
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        self._held.remove(claim)
        try:
            self._storage.set_trial_user_attr(claim.id, RESULT, json.dumps(asdict(trial)))
            if trial.top_1 is None:
                self._storage.set_trial_state_values(claim.id, TrialState.FAIL)
            else:
                self._storage.set_trial_state_values(claim.id, TrialState.COMPLETE, [trial.top_1])
        except UpdateFinishedTrialError:
            return False
        return True

    def drop(self, claim: Claim) -> None:
        """Let go of a held trial whose worker died: it is begun again, a few times."""
        self._held.remove(claim)
        self._fail(claim.id)

    def give_back(self) -> None:
        """Let go of all held trials, as if they had never been begun."""
        while self._held:
            claim = self._held.pop()
            self._fail(claim.id, GIVEN_BACK)

    def retry_failures(self) -> None:
        """Begin again what has failed."""
        for pair, trials in self._by_pair().items():
            if not _is_live(trials) and _outcome(trials) is None and (_failures(trials) or _is_lost(trials)):
                self._add(pair)

    def tend(self) -> None:
        """Say that this process lives, and take up what others left. To be called every `BEAT` seconds."""
        if self._alone:
            return
        for claim in tuple(self._held):
            self._storage.record_heartbeat(claim.id)
        from optuna import load_study
        from optuna.storages import fail_stale_trials

        with catch_warnings():
            simplefilter("ignore")  # of what Optuna may still change
            name = self._storage.get_study_name_from_id(self._number)
            fail_stale_trials(load_study(study_name=name, storage=self._storage))

    def results(self, environment: Environment) -> dict[Pair, Trial]:
        """What came out so far, by pair; where workers died too often, a failure in this environment."""
        found: dict[Pair, Trial] = {}
        for pair, trials in self._by_pair().items():
            outcome = _outcome(trials)
            if outcome is None and not _is_live(trials):
                outcome = next(reversed(_failures(trials)), None)
                if outcome is None and _is_lost(trials):
                    outcome = Trial(*pair, (), environment, f"its worker died {_deaths(trials)} times")
            if outcome is not None:
                found[pair] = outcome
        return found

    def _fill(self) -> None:
        """See that every pair without a result has a trial that waits or runs."""
        found = self._by_pair()
        for pair in self._pairs:
            trials = found.get(pair, [])
            if not (_is_live(trials) or _results(trials) or _is_lost(trials)):
                self._add(pair)

    def _add(self, pair: Pair) -> None:
        from optuna.trial import TrialState, create_trial

        template = create_trial(state=TrialState.WAITING, user_attrs={"arm": pair[0], "seed": pair[1]})
        self._storage.create_new_trial(self._number, template)

    def _take(self, claim: Claim) -> bool:
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        try:
            if not self._alone:  # first: who dies in between has been heard of
                self._storage.record_heartbeat(claim.id)
            return self._storage.set_trial_state_values(claim.id, TrialState.RUNNING)
        except UpdateFinishedTrialError:
            return False

    def _is_spare(self, claim: Claim) -> bool:
        """Whether the pair has a result already, or another trial with a lower number."""
        others = [trial for trial in self._by_pair()[claim.pair] if trial.number != claim.number]
        earlier = [trial for trial in others if trial.number < claim.number]
        return _outcome(others) is not None or _is_live(earlier)

    def _fail(self, id_: int, mark: str = "") -> None:
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        try:
            if mark:
                self._storage.set_trial_user_attr(id_, mark, value=True)
            self._storage.set_trial_state_values(id_, TrialState.FAIL)
        except UpdateFinishedTrialError:  # its time had run out, and another took it up
            return

    def free_all(self) -> None:
        """Let go of what is held by a process that is not there any more, where no other can be."""
        from optuna.trial import TrialState

        for trial in self._trials(TrialState.RUNNING):
            self._fail(self._claim_of(trial).id, GIVEN_BACK)

    def _trials(self, *states: Any) -> "list[FrozenTrial]":
        return self._storage.get_all_trials(self._number, deepcopy=False, states=states or None)

    def _of_pairs(self) -> "list[FrozenTrial]":
        return [trial for trial in self._trials() if _pair(trial) in self._pairs]

    def _by_pair(self) -> "dict[Pair, list[FrozenTrial]]":
        found: dict[Pair, list[FrozenTrial]] = defaultdict(list)
        for trial in self._of_pairs():
            found[_pair(trial)].append(trial)
        return found

    def _claim_of(self, trial: "FrozenTrial") -> Claim:
        number = self._storage.get_trial_id_from_study_id_trial_number(self._number, trial.number)
        return Claim(number, trial.number, *_pair(trial))


def _pair(trial: "FrozenTrial") -> Pair:
    return trial.user_attrs.get("arm", ""), trial.user_attrs.get("seed", -1)


def _is_live(trials: "list[FrozenTrial]") -> bool:
    """Whether one waits or runs."""
    return any(not trial.state.is_finished() for trial in trials)


def _results(trials: "list[FrozenTrial]") -> list[Trial]:
    """What came out of those that have ended."""
    ended = (trial.user_attrs.get(RESULT) for trial in trials if trial.state.is_finished())
    return [decoded(Trial, json.loads(result)) for result in ended if result is not None]


def _outcome(trials: "list[FrozenTrial]") -> Trial | None:
    """The first result that is no failure."""
    return next((result for result in _results(trials) if not result.failure), None)


def _failures(trials: "list[FrozenTrial]") -> list[Trial]:
    return [result for result in _results(trials) if result.failure]


def _is_lost(trials: "list[FrozenTrial]") -> bool:
    """Whether workers died on it so often that it is not begun again."""
    return _deaths(trials) >= ATTEMPTS


def _deaths(trials: "list[FrozenTrial]") -> int:
    """How often the holder of a trial died."""
    from optuna.trial import TrialState

    kept = (RESULT, GIVEN_BACK)
    return sum(
        trial.state == TrialState.FAIL and not any(mark in trial.user_attrs for mark in kept)
        for trial in trials
    )

"""Results of an earlier run are taken over, of the same trials only, and nothing of another task is."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from costlab.errors import RunError
from costlab.train import record
from costlab.train.known import known_results
from costlab.train.plan import Plan
from costlab.train.record import Environment, Epoch, Run, TrialResult
from costlab.train.run import open_study_of, save_record
from tests.train.test_run import ASKED, started

pytestmark = pytest.mark.usefixtures("images_once")
HERE = Environment("a CPU", "", "2", "3", "Linux", "float32", 1, 1, compiled=False, revision="r")


def result(arm: str, seed: int, accuracy: float = 0.5, failure: str = "") -> TrialResult:
    """A result that nobody trained: an accuracy that is told apart from a real one."""
    epochs = tuple(Epoch(i, 1.0, 0.5, 1.0, accuracy, 0.1, 1.0, 1.0) for i in (1, 2))
    return TrialResult(arm, seed, epochs, HERE, failure)


def recorded(plan: Plan, folder: Path, *trials: TrialResult) -> Path:
    """The record of an earlier run of a plan, with these trials."""
    known = {(trial.arm, trial.seed): trial for trial in trials}
    everything = {pair: known.get(pair) or result(*pair, failure="it was stopped") for pair in plan.pairs}
    save_record(plan, everything, {}, folder)
    return folder / record.FILE


@pytest.fixture
def made(tmp_path: Path) -> Plan:
    return started(tmp_path / "now", ASKED._replace(seeds=2))


def test_what_is_known_is_not_trained_again(made: Plan, tmp_path: Path) -> None:
    first, second = (arm.label for arm in made.arms)
    file = recorded(
        made, tmp_path, result(first, 0, 0.123), result(second, 0, 0.456), result(first, 1, 0.789)
    )
    with open_study_of(made, tmp_path / "now", known=partial(known_results, file)) as trials:
        assert {pair: trial.top_1 for pair, trial in trials.results(HERE).items()} == {
            (first, 0): 0.123,
            (second, 0): 0.456,
            (first, 1): 0.789,
        }
        lease = trials.lease()
        assert lease is not None
        assert lease.pair == (second, 1)
        assert trials.lease() is None
    with open_study_of(made, tmp_path / "now", known=lambda _: [result(first, 0, 0.999)]) as trials:
        assert trials.results(HERE)[first, 0].top_1 == 0.123  # what is there already stays


def test_only_the_same_trials_are(made: Plan, tmp_path: Path) -> None:
    first, second = (arm.label for arm in made.arms)
    file = recorded(made, tmp_path, result(first, 0), result(second, 0), result(first, 1))
    fewer = replace(made, seeds=1)
    assert [(trial.arm, trial.seed) for trial in known_results(file, fewer)] == [(first, 0), (second, 0)]
    short = replace(result(first, 0), epochs=result(first, 0).epochs[:1])
    assert known_results(recorded(made, tmp_path, short, result(second, 0)), fewer) == (result(second, 0),)
    file = recorded(made, tmp_path, result(first, 0), result(second, 0), result(first, 1))
    other = replace(made.arms[0], recipe={"clip": 1.0})
    assert [trial.arm for trial in known_results(file, replace(made, arms=(other, made.arms[1])))] == [second]


def changed(file: Path, **fields: object) -> Path:
    """The record with other fields."""
    content = json.loads(file.read_text())
    for name, value in fields.items():
        content[name] = {**content[name], **value} if isinstance(value, dict) else value
    file.write_text(json.dumps(content))
    return file


def test_what_is_of_another_task_is_refused(made: Plan, tmp_path: Path) -> None:
    file = recorded(made, tmp_path, result(made.arms[0].label, 0))
    with pytest.raises(RunError, match="there is no such file"):
        known_results(tmp_path / "none.json", made)
    with pytest.raises(RunError, match=r"--known .* it is of other networks: large_5x5"):
        known_results(file, replace(made, arms=tuple(replace(arm, parameters=1) for arm in made.arms)))
    with pytest.raises(
        RunError, match=r"--known .* it is of another recipe: clip is 1.5 there, and 2.0 here"
    ):
        known_results(changed(file, recipe={"clip": 1.5}), made)
    with pytest.raises(
        RunError, match=r"--known .* it is of other images: synthetic, 48 for training and 16"
    ):
        known_results(changed(file, recipe={"clip": 2.0}, data={"digest": "another"}), made)
    assert isinstance(record.load(file), Run)

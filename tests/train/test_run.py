"""Whole runs of small networks: what is written, what goes on after a fault, and what one costs."""

import json
import multiprocessing
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from costlab.errors import DataError, RunError
from costlab.train import cache, checkpoint, plan, record
from costlab.train.fused import has_kernels
from costlab.train.plan import Plan
from costlab.train.prepare import RunRequest, make_plan, resume_plan, save_plan
from costlab.train.protocol import WorkerSettings
from costlab.train.record import TrialResult
from costlab.train.run import lock_folder, train_plan
from costlab.train.study import Lease, Study
from costlab.train.trial import EPOCHS, TrialProgress
from costlab.train.worker import trial_folder

pytestmark = pytest.mark.usefixtures("images_once")
Pair = tuple[str, int]


class Notes:
    """Keeps what is reported."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.started: list[Pair] = []
        self.done: list[TrialResult] = []
        self.rounds = 0

    def note(self, text: str) -> None:
        self.notes.append(text)

    def remaining(self, trials: int) -> None:
        pass

    def progress(self, pair: Pair, progress: TrialProgress | None) -> None:
        if progress is None:
            self.started.append(pair)

    def finished(self, trial: TrialResult) -> None:
        self.done.append(trial)

    def lost(self, pair: Pair, reason: str) -> None:
        self.notes.append(f"{pair[0]}: {reason}")

    def timing(self, done: int, rounds: int) -> None:
        self.rounds = max(self.rounds, rounds)


ASKED = RunRequest("large_5x5", "smoke", "synthetic", 1, ("epochs=2", "batch_size=16"), 0.125, 48)


def started(folder: Path, asked: RunRequest = ASKED) -> Plan:
    made, dataset = make_plan(asked, lambda _: None)
    folder.mkdir(exist_ok=True)
    save_plan(made, dataset, folder)
    return made


def run_in(folder: Path, made: Plan, again: bool = False, workers: int = 1) -> tuple[record.Run, Notes]:
    observer = Notes()
    return train_plan(
        made, WorkerSettings(folder, "cpu", workers, 0.0, made.identity), observer, again=again
    ), observer


@pytest.mark.usefixtures("preloaded_workers")
def test_a_run_from_its_beginning_to_its_record(tmp_path: Path) -> None:
    made = started(tmp_path)
    run, observer = run_in(tmp_path, made, workers=2)
    assert sorted(observer.started) == sorted(made.pairs)
    assert sorted(observer.done, key=lambda trial: trial.arm) == sorted(
        run.trials, key=lambda trial: trial.arm
    )
    assert record.load(tmp_path / record.FILE) == run
    for trial in run.trials:
        assert trial.environment.kernels == has_kernels()
        folder = trial_folder(tmp_path, made, trial.arm, trial.seed)
        lines = [json.loads(line) for line in (folder / EPOCHS).read_text().splitlines()]
        assert [line["epoch"] for line in lines] == [1, 2]
        assert lines[-1]["validation_accuracy"] == trial.top_1
        state = torch.load(folder / checkpoint.FILE, weights_only=True)
        assert len(state["epochs"]) == 2
    for arm in run.arms:
        assert arm.timing is not None
        assert 0 < arm.timing.low <= arm.timing.seconds <= arm.timing.high
        assert arm.timing.memory is None or arm.timing.memory > 4 * arm.parameters
    assert not (tmp_path / cache.FOLDER).exists()
    again, observer = run_in(tmp_path, resume_plan(tmp_path, None, lambda _: None), again=True)
    assert observer.started == []
    assert again.trials == run.trials
    more, observer = run_in(tmp_path, resume_plan(tmp_path, 2, lambda _: None), again=True)
    assert observer.started == [("5x5", 1), ("3x3+3x3", 1)]
    assert len(more.trials) == 4


@pytest.mark.usefixtures("untimed", "preloaded_workers")
def test_a_damaged_checkpoint_costs_its_own_trial_until_it_is_removed(tmp_path: Path) -> None:
    made = started(tmp_path)
    file = trial_folder(tmp_path, made, "5x5", 0) / checkpoint.FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(b"damaged")
    run, _ = run_in(tmp_path, made)
    failures = {trial.arm: trial.failure for trial in run.trials}
    inside = file.relative_to(tmp_path)  # no folder of this machine goes on record
    assert failures == {"5x5": f"{inside} is damaged: remove it, and the trial begins anew", "3x3+3x3": ""}
    file.unlink()
    run, observer = run_in(tmp_path, resume_plan(tmp_path, None, lambda _: None), again=True)
    assert observer.started == [("5x5", 0)]
    assert [trial.failure for trial in run.trials] == ["", ""]


FAULTS: dict[int, tuple[str, str]] = {
    1: (
        "raise torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB')",
        r"out of memory: OutOfMemoryError: .*2 GiB",
    ),
    3: ("raise MemoryError", "out of memory: MemoryError"),
    4: (
        'raise RuntimeError("DefaultCPUAllocator: can\'t allocate memory")',
        "out of memory: RuntimeError",
    ),
    5: ("raise ValueError('a fault')", r"ValueError: a fault \(trials/.*/error.txt says where\)"),
    6: ("self.network.head.fc.bias.data.fill_(float('nan'))", "the loss is no number after epoch 1"),
    7: ("os._exit(9)", "its worker died 3 times"),
}
"""By the channels of the first layer of a network: the fault in a step of it, and the message."""
ARMS = """
import multiprocessing, os, torch
from blocks import mini
from costlab.train import Experiment, arm
from costlab.train.learner import Learner
faults = Experiment(
    "faults", "Faults", {{f"{{n}} channels": arm(mini, width=n / 16, modules_6=0) for n in range(1, 8)}}
)
step = Learner.step
def faulty(self, batch):
    channels = self.network.conv_1.conv.out_channels
{faults}
    return step(self, batch)
if multiprocessing.parent_process():  # in workers alone
    Learner.step = faulty
"""


@pytest.mark.usefixtures("preloaded_workers")
def test_a_fault_is_named_and_costs_its_own_trial(tmp_path: Path) -> None:
    faults = "\n".join(f"    if channels == {n}:\n        {code}" for n, (code, _) in FAULTS.items())
    (tmp_path / "arms.py").write_text(ARMS.format(faults=faults))
    folder = tmp_path / "run"
    made = started(folder, ASKED._replace(ablation=f"{tmp_path / 'arms.py'}:faults", width=None))
    run, observer = run_in(folder, made)
    failures = {trial.arm: trial.failure for trial in run.trials}
    assert failures.pop("2 channels") == ""
    for n, (_, pattern) in FAULTS.items():
        assert re.match(pattern, failures.pop(f"{n} channels"))
    assert failures == {}
    assert [arm.label for arm in run.arms if arm.timing] == ["2 channels"]
    assert observer.notes == ["7 channels: its worker died (exit 9); it is taken up again"] * 3


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    with lock_folder(tmp_path):
        with pytest.raises(RunError, match="another costlab train is at work in it"), lock_folder(tmp_path):
            pass
        made, dataset = make_plan(ASKED, lambda _: None)
        save_plan(made, dataset, tmp_path)
        with pytest.raises(RunError, match="holds something already"):
            save_plan(made, dataset, tmp_path)


@pytest.mark.usefixtures("preloaded_workers")
def test_workers_train_the_plan_that_they_are_asked_to(tmp_path: Path) -> None:
    made = started(tmp_path)
    replace(made, recipe={**made.recipe, "epochs": 3}).save(tmp_path)
    with pytest.raises(RunError, match=r"a worker cannot begin: .* holds another run by now"):
        run_in(tmp_path, made)


@pytest.mark.usefixtures("untimed", "preloaded_workers")
def test_an_idle_worker_that_dies_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = started(tmp_path)
    finish = Study.finish

    def killing(study: Study, lease: Lease, trial: TrialResult) -> bool:
        children = multiprocessing.active_children()
        assert len(children) == 1
        for child in children:
            child.kill()
        return finish(study, lease, trial)

    monkeypatch.setattr(Study, "finish", killing)
    run, observer = run_in(tmp_path, made)
    assert [trial.failure for trial in run.trials] == ["", ""]
    taken_up = "3x3+3x3: its worker died (exit -9); it is taken up again"  # where it had been handed over
    assert observer.notes in ([], [taken_up])


def test_a_run_whose_images_were_moved_says_that_it_is_to_be_resumed(tmp_path: Path) -> None:
    made = started(tmp_path)
    cache.remove(tmp_path)
    replace(made, source="cifar10:gone").save(tmp_path)
    wanted = f"--resume {tmp_path}: its images are wanted where they were: --data cifar10:gone: "
    with pytest.raises(DataError, match=re.escape(wanted)):
        resume_plan(tmp_path, None, lambda _: None)


@pytest.mark.usefixtures("preloaded_workers")
def test_what_is_shared_goes_on_as_shared(tmp_path: Path) -> None:
    made = started(tmp_path)
    with pytest.raises(RunError, match="the trials of this run are in the folder: leave out --study"):
        resume_plan(tmp_path, None, lambda _: None, shared=True)
    replace(made, shared=True).save(tmp_path)
    with pytest.raises(RunError, match="the trials of this run are in a database: name it with --study"):
        resume_plan(tmp_path, None, lambda _: None)
    with pytest.raises(RunError, match="is for one machine only"):
        train_plan(
            made, WorkerSettings(tmp_path, "cpu", 1, 0.0, made.identity), Notes(), "sqlite:///study.db"
        )


def test_workers_that_cannot_begin_say_why(tmp_path: Path) -> None:
    made = started(tmp_path)
    content: dict[str, Any] = json.loads((tmp_path / plan.FILE).read_text())
    content["width"] = 0.25
    (tmp_path / plan.FILE).write_text(json.dumps(content))
    with pytest.raises(RunError, match=r"a worker cannot begin: .*'5x5' is not what it was"):
        run_in(tmp_path, made)


UNCOPYABLE = """
from threading import Lock
from torch import nn
from costlab.train import Experiment, arm

class Net(nn.Module):
    def __init__(self, width=2, locked=False):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, width, 48), nn.Flatten(), nn.Linear(width, 10))
        self.lock = Lock() if locked else None

    def forward(self, x):
        return self.body(x)

made = Experiment("made", "Made", {"plain": arm(Net), "locked": arm(Net, locked=True)})
"""


@pytest.mark.usefixtures("untimed", "preloaded_workers")
def test_a_network_that_cannot_be_averaged_is_told_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(UNCOPYABLE)
    folder = tmp_path / "run"
    made = started(folder, ASKED._replace(ablation=f"{tmp_path / 'own.py'}:made", width=None))
    run, observer = run_in(folder, made)
    failures = {trial.arm: trial.failure for trial in run.trials}
    assert failures["plain"] == ""
    assert re.match(
        r"TypeError: cannot pickle '_thread.lock' object \(trials/.*says where", failures["locked"]
    )
    assert observer.notes == []

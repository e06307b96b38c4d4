"""The records of runs that come along are whole, of the present experiments, and of no machine's folders."""

from pathlib import Path

import pytest

from costlab.report.evidence import names_with, records_in
from costlab.report.pages.run import recounted
from costlab.train.experiments import experiment
from costlab.train.plan import PRESETS
from costlab.train.record import load

REPORTS = Path(__file__).parents[2] / "reports"
RECORDS = records_in(REPORTS)


def test_there_is_one_and_its_page_is_of_the_evidence() -> None:
    assert [record.name for record in RECORDS] == ["paper.json"]
    assert "trained_paper" in names_with(RECORDS)
    assert "trained_paper" not in names_with()


@pytest.mark.parametrize("file", RECORDS, ids=lambda file: file.stem)
def test_it_is_whole(file: Path) -> None:
    run = load(file)
    made = experiment(run.name, PRESETS[run.preset].width)
    assert [arm.label for arm in run.arms] == list(made.arms)
    assert run.claims == made.claims
    assert run.seeds >= 3
    assert {(trial.arm, trial.seed) for trial in run.trials} == {
        (arm.label, seed) for arm in run.arms for seed in range(run.seeds)
    }
    assert len(run.trials) == len(run.arms) * run.seeds
    assert not any(trial.failure for trial in run.trials)
    assert recounted(run) == ()
    for trial in run.trials:
        assert [epoch.epoch for epoch in trial.epochs] == list(range(1, 1 + run.recipe["epochs"]))
        assert trial.environment.device
        assert trial.environment.revision
        assert "with changes" not in trial.environment.revision
    assert all(arm.timing and arm.timing.environment.device for arm in run.arms)


@pytest.mark.parametrize("file", RECORDS, ids=lambda file: file.stem)
def test_the_task_is_neither_too_easy_nor_too_hard(file: Path) -> None:
    run = load(file)
    means = {arm.label: sum(run.top_1(arm.label).values()) / run.seeds for arm in run.arms}
    assert 0.7 < means[run.baseline.label] < 0.9
    assert max(means.values()) < 0.95


@pytest.mark.parametrize("file", RECORDS, ids=lambda file: file.stem)
def test_nothing_tells_the_machine_s_folders(file: Path) -> None:
    text = file.read_text("utf-8")
    assert not any(f"/{folder}/" in text for folder in ("home", "root", "tmp", "usr", "work", "Users"))

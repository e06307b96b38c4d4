"""The records of runs that come along are whole, of the present experiments, and of no machine's folders."""

from pathlib import Path

import pytest

from costlab.report.evidence import names_with, records_in
from costlab.report.pages.run_parts import recounted
from costlab.report.pages.space_recount import spaces_recounted
from costlab.report.trained_on import page_title
from costlab.search.written import read_written, written_in
from costlab.targets.resolve import find
from costlab.train.experiments import experiment, names
from costlab.train.plan import PRESETS
from costlab.train.record import load

REPORTS = Path(__file__).parents[2] / "reports"
RECORDS = records_in(REPORTS)
GENERATED, PHOTOGRAPHS, SPACES = "paper_generated", "paper_photographs", "7x7_photographs"
of_each = pytest.mark.parametrize("file", RECORDS, ids=lambda file: file.stem)


def test_their_pages_are_of_the_evidence() -> None:
    stems = [record.stem for record in RECORDS]
    assert {GENERATED, PHOTOGRAPHS, SPACES} <= {*stems}
    assert [f"trained_{stem}" for stem in stems] == [
        name for name in names_with(RECORDS) if name.startswith("trained_")
    ]
    assert not any(name.startswith("trained_") for name in names_with())


def test_no_two_pages_have_one_title() -> None:
    titles = [page_title(load(record)) for record in RECORDS]
    assert len(set(titles)) == len(titles)


@of_each
def test_it_is_whole(file: Path) -> None:
    run = load(file)
    assert run.seeds >= 3 or run.spaces  # members of a space are its sample
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


@of_each
def test_it_is_of_the_present_experiment_or_of_spaces(file: Path) -> None:
    run = load(file)
    labels = [arm.label for arm in run.arms]
    if run.spaces:
        drawn = [label for space in run.spaces for label in space.drawn]
        assert drawn
        assert set(drawn) <= set(labels)
        assert all(len(space.drawn) <= space.among <= space.size for space in run.spaces)
        assert spaces_recounted(run) == ()
        return
    assert run.name in names()
    made = experiment(run.name, PRESETS[run.preset].width, run.data.own_side)
    assert labels == list(made.arms)
    assert run.claims == made.claims
    for arm in run.arms:
        assert arm.side == made.arms[arm.label].sized(run.data.own_side).side
    assert all(arm.timing and arm.timing.environment.device for arm in run.arms)


def test_the_spaces_are_those_in_the_files_beside_the_record() -> None:
    folder = REPORTS / "runs"
    spaces = load(folder / f"{SPACES}.json").spaces
    files = [read_written(str(folder / "spaces" / f"{space.name}.toml")) for space in spaces]
    assert [written_in(space).as_recorded for space in spaces] == [file.as_recorded for file in files]
    first, second = spaces
    assert first.vary == second.vary
    assert [[*find(space.target).settings] for space in spaces] == [[], ["kernel_7x7"]]


@of_each
def test_no_image_was_enlarged(file: Path) -> None:
    run = load(file)
    assert max(arm.side for arm in run.arms) <= run.data.own_side


@of_each
def test_the_task_is_neither_too_easy_nor_too_hard(file: Path) -> None:
    run = load(file)
    means = {arm.label: sum(run.top_1(arm.label).values()) / run.seeds for arm in run.arms}
    if run.data.synthetic:  # whose hardness was set
        assert 0.7 < means[run.baseline.label] < 0.9
    assert max(means.values()) < 0.95
    assert means[run.baseline.label] > 3 / run.data.classes  # what is guessed is right once in so many


def test_they_are_of_the_images_that_they_are_named_for() -> None:
    by_stem = {record.stem: load(record).data for record in RECORDS}
    assert by_stem[GENERATED].synthetic
    assert not by_stem[PHOTOGRAPHS].synthetic
    assert not by_stem[SPACES].synthetic


@of_each
def test_nothing_tells_the_machine_s_folders(file: Path) -> None:
    text = file.read_text("utf-8")
    assert not any(f"/{folder}/" in text for folder in ("home", "root", "tmp", "usr", "work", "Users"))

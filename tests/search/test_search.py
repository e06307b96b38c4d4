"""Whole searches: one that is killed ends as one that is not, and machines share one."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from costlab import count
from costlab.search import Growth, Members, read_written
from costlab.train import plan, record
from costlab.train.plan import Plan
from costlab.train.prepare import make_plan, resume_plan, save_plan
from costlab.train.protocol import WorkerSettings
from costlab.train.record import Run, TrialResult
from costlab.train.run import train_plan
from costlab.train.space_record import SAMPLERS
from costlab.train.study import Pair
from tests.search.machine import ASKED, members, work
from tests.train.conftest import forkserver
from tests.train.database import postgresql, programs
from tests.train.sharing import train_while_one_is_killed
from tests.train.test_run import Notes
from tests.train.test_study import HERE

ALONE = ASKED._replace(shared=False)


def started(folder: Path, search: str) -> Plan:
    made, dataset = make_plan(ALONE, lambda _: None, members(search))
    folder.mkdir()
    save_plan(made, dataset, folder)
    return made


def outcome(run: Run) -> list[tuple[str, float, float | None]]:
    return [(each.arm, each.epochs[-1].validation_loss, each.top_1) for each in run.trials]


class Dying(Growth):
    """Dies after a generation: when it has saved the plan, or before it has."""

    def __init__(self, plan: Plan, folder: Path, at: int, saved: bool) -> None:
        super().__init__(plan, folder, lambda _: None)
        self.left, self.saved = at, saved

    def __call__(self, plan: Plan, results: Mapping[Pair, TrialResult]) -> Plan | None:
        self.left -= 1
        if self.left == 0 and not self.saved:
            raise KeyboardInterrupt
        grown = super().__call__(plan, results)
        if self.left == 0:
            raise KeyboardInterrupt
        return grown


@pytest.mark.usefixtures("images_once", "preloaded_workers")
def test_a_search_that_is_killed_twice_ends_as_one_that_is_not(tmp_path: Path) -> None:
    runs = []
    for name, workers in (("whole", 2), ("killed", 1)):
        folder = tmp_path / name
        made = started(folder, "nsga2")
        settings = WorkerSettings(folder, "cpu", workers, 0.0, made.identity)
        observer = Notes()
        if name == "killed":
            for at, saved in ((1, True), (1, False)):
                with pytest.raises(KeyboardInterrupt):
                    train_plan(made, settings, observer, grow=Dying(made, folder, at, saved))
                made = resume_plan(folder, None, lambda _: None)
                assert made.identity == settings.identity
        runs.append(train_plan(made, settings, observer, grow=Growth(made, folder, observer.note)))
        assert len(observer.done) == 9
        assert record.load(folder / record.FILE) == runs[-1]
    whole, killed = runs
    assert outcome(whole) == outcome(killed)
    assert (whole.spaces, whole.search) == (killed.spaces, killed.search)
    assert whole.search is not None
    (space,) = whole.spaces
    assert len(set(space.drawn)) == len(space.drawn) == 8 > whole.search.first
    assert len(whole.arms) == 9
    for arm in whole.arms[1:]:
        assert arm.multiply_adds == count(arm.label, (3, 48, 48)).inference.multiply_adds
        assert arm.multiply_adds < 2_000_000


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.usefixtures("images_once")
def test_what_comes_next_follows_from_the_results_alone(sampler: str, tmp_path: Path) -> None:
    made = started(tmp_path / "run", sampler)
    results: dict[Pair, TrialResult] = {}
    plans = []
    grown: Plan | None = made
    while grown is not None:
        plans.append(grown)
        assert plan.load(tmp_path / "run") == grown
        for i, arm in enumerate(grown.arms):
            epoch = record.Epoch(1, 1.0, 0.5, 1.0, (i * 7 % 11) / 11, 0.01, 1.0, 100.0)
            results[arm.label, 0] = TrialResult(arm.label, 0, (epoch,), HERE)
        again = Growth(grown, tmp_path / "run", lambda _: None)(grown, results)
        grown = Growth(grown, tmp_path / "run", lambda _: None)(grown, results)
        assert grown == again
    assert [len(each.spaces[0].drawn) for each in plans] == [2, 4, 6, 8]
    assert {each.identity for each in plans} == {made.identity}
    assert replace(made, mirrored=not made.mirrored).identity != made.identity
    failed = {pair: replace(each, failure="the loss is no number") for pair, each in results.items()}
    after = Growth(plans[0], tmp_path / "run", lambda _: None)(plans[0], failed)
    assert after is not None
    assert len(after.spaces[0].drawn) == 4


@pytest.mark.usefixtures("images_once")
def test_images_of_further_sides_are_made_when_they_are_needed(tmp_path: Path) -> None:
    space = read_written("mini width=0.05:0.2:0.05 input=16:64:4")
    made, dataset = make_plan(ALONE, lambda _: None, Members((space,), 30, search="nsga2"))
    save_plan(made, dataset, tmp_path)
    epoch = record.Epoch(1, 1.0, 0.5, 1.0, 0.5, 0.01, 1.0, 100.0)
    results = {pair: TrialResult(*pair, (epoch,), HERE) for pair in made.pairs}
    grown = Growth(made, tmp_path, lambda _: None)(made, results)
    assert grown is not None
    before, after = ({arm.side for arm in each.arms} for each in (made, grown))
    assert before < after
    assert {file.name for file in (tmp_path / "data").iterdir()} == {f"images-{side}.pt" for side in after}
    assert all(arm.label.endswith(f" at {arm.side}x{arm.side}") for arm in grown.arms[1:])


@pytest.mark.slow
@pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed: apt-get install postgresql")
@pytest.mark.parametrize("search", ["", "nsga2"])
def test_machines_share_the_members_in_postgresql_and_one_of_them_is_killed(
    search: str, tmp_path: Path
) -> None:
    with postgresql() as url:
        done = train_while_one_is_killed(forkserver(), work, lambda i: (tmp_path / str(i), url, search))
    runs = [record.load(tmp_path / str(i) / record.FILE) for i in (1, 2)]
    assert outcome(runs[0]) == outcome(runs[1])
    assert runs[0].spaces == runs[1].spaces
    assert set(done.values()) == {1}
    assert len(done) == len(runs[0].arms) == 9

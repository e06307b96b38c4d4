"""Every trial of a study is finished once, whoever draws from it and whoever dies."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from costlab.errors import RunError
from costlab.train.record import Environment, Epoch, Trial
from costlab.train.storage import opened
from costlab.train.study import ATTEMPTS, Claim, Study
from tests.train.database import postgresql, programs

ROOT = Path(__file__).parents[2]
PAIRS = (("a", 0), ("b", 0), ("a", 1), ("b", 1))
HERE = Environment("CPU", "", "2.13", "3.11", "Linux", "float32", 1, 1, compiled=False, revision="0")


def result(claim: Claim, failure: str = "") -> Trial:
    epoch = Epoch(1, 1.0, 0.5, 1.0, 0.25 + claim.seed / 2, 0.01, 1.0, 100.0)
    return Trial(claim.arm, claim.seed, (epoch,), HERE, failure)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'study.db'}"


@pytest.fixture
def study(url: str) -> Iterator[Study]:
    with opened(url, "s", PAIRS, alone=True) as made:
        yield made


def claimed(study: Study) -> Claim:
    claim = study.claim()
    assert claim is not None
    return claim


def test_each_pair_is_claimed_once_in_their_order(study: Study) -> None:
    claims = [claimed(study) for _ in PAIRS]
    assert tuple(claim.pair for claim in claims) == PAIRS
    assert study.claim() is None
    assert study.results(HERE) == {}
    for claim in claims:
        assert study.finish(claim, result(claim))
    assert study.claim() is None
    assert study.results(HERE) == {claim.pair: result(claim) for claim in claims}


def test_what_came_out_is_there_when_it_is_opened_again(url: str) -> None:
    with opened(url, "s", PAIRS, alone=True) as study:
        first = claimed(study)
        study.finish(first, result(first))
        claimed(study)
    with opened(url, "s", PAIRS, alone=True) as study:
        assert study.results(HERE) == {first.pair: result(first)}
        assert {claimed(study).pair for _ in range(3)} == set(PAIRS[1:])
        assert study.claim() is None


def test_more_seeds_are_more_trials(url: str) -> None:
    with opened(url, "s", PAIRS[:2], alone=True) as study:
        for _ in range(2):
            claim = claimed(study)
            study.finish(claim, result(claim))
        assert study.claim() is None
    with opened(url, "s", PAIRS, alone=True) as study:
        assert {claimed(study).pair, claimed(study).pair} == set(PAIRS[2:])
        assert study.claim() is None


def test_a_trial_whose_worker_dies_is_begun_again_a_few_times(study: Study) -> None:
    for _ in range(ATTEMPTS):
        claims = {claim.pair: claim for claim in iter(study.claim, None)}
        study.drop(claims[("a", 0)])
    assert ("a", 0) not in {claim.pair for claim in iter(study.claim, None)}
    assert study.results(HERE) == {("a", 0): Trial("a", 0, (), HERE, "its worker died 3 times")}
    study.retry_failures()
    assert [claim.pair for claim in iter(study.claim, None)] == [("a", 0)]


def test_what_failed_is_tried_again_only_when_it_is_asked_for(study: Study) -> None:
    claim = claimed(study)
    study.finish(claim, result(claim, "the loss is no number"))
    assert study.results(HERE)[claim.pair].failure == "the loss is no number"
    rest = list(iter(study.claim, None))
    assert claim.pair not in {each.pair for each in rest}
    study.retry_failures()
    assert claim.pair not in study.results(HERE)
    again = claimed(study)
    assert again.pair == claim.pair
    study.finish(again, result(again))
    assert study.results(HERE)[claim.pair] == result(again)


def test_what_is_given_back_does_not_count_as_a_death(url: str) -> None:
    for _ in range(ATTEMPTS + 1):
        with opened(url, "s", PAIRS, alone=True) as study:
            assert len(list(iter(study.claim, None))) == len(PAIRS)


def test_what_a_dead_process_held_is_free_where_it_was_alone(url: str) -> None:
    with ExitStack() as dead:
        held = claimed(dead.enter_context(opened(url, "s", PAIRS[:1], alone=True)))
        with opened(url, "s", PAIRS[:1], alone=True) as study:
            assert study.claim() is None
            study.free_all()
            assert claimed(study).pair == held.pair


def test_of_two_trials_of_a_pair_only_the_first_goes_on(url: str) -> None:
    with opened(url, "s", PAIRS[:1], alone=False) as one, opened(url, "s", PAIRS[:1], alone=False) as two:
        one._add(PAIRS[0])
        two._add(PAIRS[0])  # as two processes do that both find none
        first = claimed(one)
        assert first.number == 0
        assert two.claim() is None
        one.finish(first, result(first))
        assert two.claim() is None
        assert one.results(HERE) == two.results(HERE) == {PAIRS[0]: result(first)}


def test_a_trial_that_is_held_too_long_is_left_to_another(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costlab.train.storage.BEAT", 1)
    with (
        opened(url, "s", PAIRS[:1], alone=False, grace=1) as slow,
        opened(url, "s", PAIRS[:1], alone=False, grace=1) as quick,
    ):
        late = claimed(slow)
        time.sleep(2.5)
        quick.tend()
        taken = claimed(quick)
        assert taken.pair == late.pair
        assert not slow.finish(late, result(late, "too late"))
        assert quick.finish(taken, result(taken))
        assert slow.results(HERE) == {PAIRS[0]: result(taken)}


def test_a_heartbeat_keeps_a_trial(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costlab.train.storage.BEAT", 1)
    with (
        opened(url, "s", PAIRS[:1], alone=False, grace=2) as slow,
        opened(url, "s", PAIRS[:1], alone=False, grace=2) as other,
    ):
        held = claimed(slow)
        for _ in range(6):
            time.sleep(0.5)
            slow.tend()
            other.tend()
            assert other.claim() is None
        assert slow.finish(held, result(held))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "--study nonsense: "),
        ("postgresql://me:hidden@127.0.0.1:1/none", r"--study postgresql://me:\*\*\*@127.0.0.1:1/none: "),
        ("sqlite:////nowhere/at/all/study.db", "unable to open database file"),
        ("odd://somewhere", "--study odd://somewhere: "),
        ("postgresql://me:hid@hidden@127.0.0.1:1/x", r"--study postgresql://me:\*\*\*@127.0.0.1:1/x: "),
        ("postgresql://127.0.0.1:1/x?user=me&password=hidden", "--study postgresql://127.0.0.1:1/x: "),
        ("postgresql://127.0.0.1:abc/x", "--study postgresql://127.0.0.1:abc/x: "),
    ],
)
def test_a_database_that_cannot_be_reached_is_named_without_its_password(url: str, told: str) -> None:
    with pytest.raises(RunError, match=told) as raised, opened(url, "s", PAIRS, alone=False):
        pass
    assert "hidden" not in str(raised.value)
    assert "\n" not in str(raised.value)


MACHINE = """
import sys
from pathlib import Path
from costlab.cli.train_progress import Lines
from costlab.train import storage, study
from costlab.train.run import trained
from costlab.train.run import locked
from costlab.train.prepare import Asked, begun, settled
from costlab.train.protocol import WorkerSettings
storage.BEAT = study.BEAT = 1
if __name__ == "__main__":
    folder, url = Path(sys.argv[1]), sys.argv[2]
    asked = Asked("large_5x5", "smoke", "synthetic", 3, ("epochs=2", "batch_size=16"), 0.125, 250)
    watch = Lines()
    plan, dataset = settled(asked, watch.note)
    with locked(folder):
        begun(plan, dataset, folder)
        settings = WorkerSettings(folder, "cpu", 1, 1.0, plan.identity)
        run = trained(plan, settings, watch, url, grace=6)
    assert [trial.failure for trial in run.trials] == [""] * 6
"""


@pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed: apt-get install postgresql")
def test_machines_share_a_study_in_postgresql_and_one_of_them_is_killed(tmp_path: Path) -> None:
    with postgresql() as url:
        machines = [
            subprocess.Popen(
                [sys.executable, "-c", MACHINE, str(tmp_path / str(i)), url],
                cwd=ROOT,
                stderr=subprocess.PIPE,
                text=True,
            )
            for i in range(3)
        ]
        victim = machines[0]
        assert victim.stderr is not None
        while not victim.stderr.readline().startswith("training: "):
            assert victim.poll() is None
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
        told = [machine.communicate(timeout=240)[1] for machine in machines[1:]]
        assert [machine.returncode for machine in machines[1:]] == [0, 0], told
        done = Counter(
            line.partition(": top-1")[0]
            for text in told
            for line in text.splitlines()
            if line.startswith("done")
        )
        assert set(done.values()) == {1}
        assert len(done) == 6

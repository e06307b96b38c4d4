"""Every trial of a study is finished once, whoever draws from it and whoever dies."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from costlab.errors import RunError
from costlab.train.record import Environment, Epoch, TrialResult
from costlab.train.storage import open_study, refuse_unreachable
from costlab.train.study import ATTEMPTS, Lease, Study
from tests.train.conftest import forkserver
from tests.train.database import postgresql, programs
from tests.train.machine import work
from tests.train.sharing import train_while_one_is_killed

PAIRS = (("a", 0), ("b", 0), ("a", 1), ("b", 1))
HERE = Environment("CPU", "", "2.13", "3.11", "Linux", "float32", 1, 1, compiled=False, revision="0")


def result(lease: Lease, failure: str = "") -> TrialResult:
    epoch = Epoch(1, 1.0, 0.5, 1.0, 0.25 + lease.seed / 2, 0.01, 1.0, 100.0)
    return TrialResult(lease.arm, lease.seed, (epoch,), HERE, failure)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'study.db'}"


@pytest.fixture
def study(url: str) -> Iterator[Study]:
    with open_study(url, "s", PAIRS, alone=True) as made:
        yield made


def leased(study: Study) -> Lease:
    lease = study.lease()
    assert lease is not None
    return lease


def test_each_pair_is_claimed_once_in_their_order(study: Study) -> None:
    leases = [leased(study) for _ in PAIRS]
    assert tuple(lease.pair for lease in leases) == PAIRS
    assert study.lease() is None
    assert study.results(HERE) == {}
    for lease in leases:
        assert study.finish(lease, result(lease))
    assert study.lease() is None
    assert study.results(HERE) == {lease.pair: result(lease) for lease in leases}


def test_what_came_out_is_there_when_it_is_opened_again(url: str) -> None:
    with open_study(url, "s", PAIRS, alone=True) as study:
        first = leased(study)
        study.finish(first, result(first))
        leased(study)
    with open_study(url, "s", PAIRS, alone=True) as study:
        assert study.results(HERE) == {first.pair: result(first)}
        assert {leased(study).pair for _ in range(3)} == set(PAIRS[1:])
        assert study.lease() is None


def test_a_result_of_another_trial_is_none(url: str) -> None:
    for name in ("arm", "epochs"):
        with open_study(url, name, PAIRS, alone=True) as study:
            lease = leased(study)
            made = result(lease)
            other = replace(made, arm="b") if name == "arm" else replace(made, epochs=2 * made.epochs)
            study.finish(lease, other)
            with pytest.raises(
                RunError, match=r"the study holds what is no result: it is of '[ab]' with seed 0"
            ):
                study.results(HERE)


def test_more_seeds_are_more_trials(url: str) -> None:
    with open_study(url, "s", PAIRS[:2], alone=True) as study:
        for _ in range(2):
            lease = leased(study)
            study.finish(lease, result(lease))
        assert study.lease() is None
    with open_study(url, "s", PAIRS, alone=True) as study:
        assert {leased(study).pair, leased(study).pair} == set(PAIRS[2:])
        assert study.lease() is None


def test_a_trial_whose_worker_dies_is_begun_again_a_few_times(study: Study) -> None:
    for _ in range(ATTEMPTS):
        leases = {lease.pair: lease for lease in iter(study.lease, None)}
        study.drop(leases[("a", 0)])
    assert ("a", 0) not in {lease.pair for lease in iter(study.lease, None)}
    assert study.results(HERE) == {("a", 0): TrialResult("a", 0, (), HERE, "its worker died 3 times")}
    study.retry_failures()
    assert [lease.pair for lease in iter(study.lease, None)] == [("a", 0)]


def test_what_failed_is_tried_again_only_when_it_is_asked_for(study: Study) -> None:
    lease = leased(study)
    study.finish(lease, result(lease, "the loss is no number"))
    assert study.results(HERE)[lease.pair].failure == "the loss is no number"
    rest = list(iter(study.lease, None))
    assert lease.pair not in {each.pair for each in rest}
    study.retry_failures()
    assert lease.pair not in study.results(HERE)
    again = leased(study)
    assert again.pair == lease.pair
    study.finish(again, result(again))
    assert study.results(HERE)[lease.pair] == result(again)


def test_a_driver_that_is_absent_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(RunError) as error:
        refuse_unreachable("postgresql://user:secret@nowhere/studies")
    assert str(error.value) == (
        "--study postgresql://user:***@nowhere/studies: psycopg is not installed; "
        "pip install 'costlab[postgres]' brings PostgreSQL's driver"
    )


def test_what_is_given_back_does_not_count_as_a_death(url: str) -> None:
    for _ in range(ATTEMPTS + 1):
        with open_study(url, "s", PAIRS, alone=True) as study:
            assert len(list(iter(study.lease, None))) == len(PAIRS)


def test_what_a_dead_process_held_is_free_where_it_was_alone(url: str) -> None:
    with ExitStack() as dead:
        lost = leased(dead.enter_context(open_study(url, "s", PAIRS[:1], alone=True)))
        with open_study(url, "s", PAIRS[:1], alone=True) as study:
            assert study.lease() is None
            study.release_all()
            assert leased(study).pair == lost.pair


def test_of_two_trials_of_a_pair_only_the_first_goes_on(url: str) -> None:
    with (
        open_study(url, "s", PAIRS[:1], alone=False) as one,
        open_study(url, "s", PAIRS[:1], alone=False) as two,
    ):
        one._add(PAIRS[0])
        two._add(PAIRS[0])  # as two processes do that both find none
        first = leased(one)
        assert first.number == 0
        assert two.lease() is None
        one.finish(first, result(first))
        assert two.lease() is None
        assert one.results(HERE) == two.results(HERE) == {PAIRS[0]: result(first)}


def test_a_trial_that_is_held_too_long_is_left_to_another(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costlab.train.storage.BEAT", 1)
    with (
        open_study(url, "s", PAIRS[:1], alone=False, grace=1) as slow,
        open_study(url, "s", PAIRS[:1], alone=False, grace=1) as quick,
    ):
        late = leased(slow)
        time.sleep(2.5)
        quick.send_heartbeats()
        taken = leased(quick)
        assert taken.pair == late.pair
        assert not slow.finish(late, result(late, "too late"))
        assert quick.finish(taken, result(taken))
        assert slow.results(HERE) == {PAIRS[0]: result(taken)}


def test_a_heartbeat_keeps_a_trial(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costlab.train.storage.BEAT", 1)
    with (
        open_study(url, "s", PAIRS[:1], alone=False, grace=2) as slow,
        open_study(url, "s", PAIRS[:1], alone=False, grace=2) as other,
    ):
        kept = leased(slow)
        for _ in range(6):
            time.sleep(0.5)
            slow.send_heartbeats()
            other.send_heartbeats()
            assert other.lease() is None
        assert slow.finish(kept, result(kept))


@pytest.mark.parametrize(
    ("url", "message"),
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
def test_a_database_that_cannot_be_reached_is_named_without_its_password(url: str, message: str) -> None:
    with pytest.raises(RunError, match=message) as raised, open_study(url, "s", PAIRS, alone=False):
        pass
    assert "hidden" not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed: apt-get install postgresql")
def test_machines_share_a_study_in_postgresql_and_one_of_them_is_killed(tmp_path: Path) -> None:
    with postgresql() as url:
        done = train_while_one_is_killed(forkserver(), work, lambda i: (tmp_path / str(i), url))
    assert set(done.values()) == {1}
    assert len(done) == 6

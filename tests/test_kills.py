"""Kills at random moments, from the start of the process to its end: nothing is lost, nothing left behind.

``make kills N=200`` tries them; each run tries interrupts at moments that are set, where files are written.
"""

import os
import random
import shutil
import sys
from contextlib import chdir
from pathlib import Path
from time import monotonic

import pytest

from costlab.cli.main import main
from tests.cli.conftest import NETS
from tests.kills import SIGNALS, Ended, Kill, faults, parts, run, without_times

KILLS = int(os.environ.get("KILLS", "2"))
SEED = os.environ.get("KILLS_SEED", "0")
AT_ONCE = 10
"""How many kills of one folder, at most, until a command is let through."""
SIZE = "--seeds 1 --images 32 --width 0.125 --set batch_size=16 --set epochs=2 --device cpu --workers 2"
TRAIN = ["train", "large_5x5", *SIZE.split(), "-o", "run"]
RESUME = ["train", "--resume", "run", "--workers", "2"]
REPORT = ["report", "nets.py:net", "-o", "out"]
SESSIONS = [range(start, min(start + AT_ONCE, KILLS // 2)) for start in range(0, KILLS // 2, AT_ONCE)]


def uninterrupted(args: list[str], folder: Path) -> float:
    """Run a command to its end; the seconds that it takes."""
    began = monotonic()
    ended = run(args, folder)
    assert ended.status == 0, ended.errors
    return monotonic() - began


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The folder of a run that nobody interrupted, and how long it took."""
    folder = tmp_path_factory.mktemp("trained")
    return folder, uninterrupted(TRAIN, folder)


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A folder with the page of a network as it was, one as it is to be, and how long that takes."""
    folder = tmp_path_factory.mktemp("reported")
    (folder / "nets.py").write_text(NETS)
    with chdir(folder), pytest.raises(SystemExit, match=r"^0$"):
        main(REPORT)  # in this process, which has loaded what takes seconds to load
    shutil.move(folder / "out", folder / "old")
    (folder / "nets.py").write_text(NETS.replace("= 4", "= 5"))
    seconds = uninterrupted(REPORT, folder)
    shutil.move(folder / "out", folder / "new")
    return folder, seconds


def drawn(kind: str, number: int, seconds: float) -> Kill:
    """A kill at a moment of a command that takes so long."""
    draw = random.Random(f"{SEED} {kind} {number}")
    return Kill(draw.uniform(0, seconds), draw.choice(SIGNALS), draw.random() < 0.5)


def told(kind: str, kill: Kill, ended: Ended) -> None:
    """Say what was tried: pytest shows it with ``-s``, as ``make kills`` has it."""
    began = "" if ended.begun else ", before costlab began"
    whom = "the group" if kill.group else "the process"
    sys.stderr.write(
        f"\n{kind}: {kill.number.name} after {kill.after:.2f} s to {whom}: {ended.status}{began}\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("numbers", SESSIONS, ids=str)
def test_training_that_is_killed_ends_as_if_it_had_not_been(
    numbers: range, trained: tuple[Path, float], tmp_path: Path
) -> None:
    whole, seconds = trained
    for number in numbers:
        kill = drawn("train", number, seconds)
        ended = run(next_command(tmp_path), tmp_path, kill)
        told("train", kill, ended)
        assert not faults(ended, kill, tmp_path), ended
        if ended.status == 0:  # another run is killed
            assert_same(tmp_path / "run", whole / "run")
            shutil.rmtree(tmp_path / "run")
    uninterrupted(next_command(tmp_path), tmp_path)
    assert_same(tmp_path / "run", whole / "run")
    assert run(["report", "run", "--check"], tmp_path).status == 0


def assert_same(folder: Path, whole: Path) -> None:
    """Hold a run that is done against one that nobody interrupted."""
    assert parts(folder) == []
    assert without_times(folder / "results.json") == without_times(whole / "results.json")
    assert names(folder) == names(whole)


def next_command(folder: Path) -> list[str]:
    """What a user does next: go on with what has begun, or begin."""
    return RESUME if (folder / "run" / "run.json").exists() else TRAIN


def names(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*"))


@pytest.mark.slow
@pytest.mark.parametrize("numbers", SESSIONS, ids=str)
def test_a_report_that_is_killed_leaves_old_or_new_files(
    numbers: range, reported: tuple[Path, float], tmp_path: Path
) -> None:
    known, seconds = reported
    shutil.copy(known / "nets.py", tmp_path)
    shutil.copytree(known / "old", tmp_path / "out")
    for number in numbers:
        kill = drawn("report", number, seconds)
        ended = run(REPORT, tmp_path, kill)
        told("report", kill, ended)
        assert not faults(ended, kill, tmp_path), ended
        for name in names(known / "old"):
            found = (tmp_path / "out" / name).read_bytes()
            assert found in ((known / "old" / name).read_bytes(), (known / "new" / name).read_bytes())
    uninterrupted(REPORT, tmp_path)
    assert names(tmp_path / "out") == names(known / "new")
    assert all(
        (tmp_path / "out" / name).read_bytes() == (known / "new" / name).read_bytes()
        for name in names(known / "new")
    )

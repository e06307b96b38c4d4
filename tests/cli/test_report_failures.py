"""``costlab report``: what is wrong in one line, and an interrupt at any time leaves whole files."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

from tests.cli.conftest import NETS, Run
from tests.cli.conftest import PAGE_FILES as FILES


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["inception_v3"], "inception_v3 is a target: say with --html FILE or -o DIR where its page goes"),
        (["nets.py:net"], "nets.py:net is a target: say with --html FILE or -o DIR where its page goes"),
        (["nets.py"], "nets.py is a target: say with --html FILE or -o DIR where its page goes"),
        (["nothing", "-o", "out"], "there is no definition 'nothing' (see costlab list)"),
        (
            ["stem", "-o", "out", "-i", "3x2x2"],
            "conv_1a.conv: kernel=3x3 does not fit height=2 with padding=0",
        ),
        (
            ["folder", "-i", "3x2x2"],
            "--input, --batch, --depth and --convention go with a TARGET (see costlab report --help)",
        ),
        (
            ["-b", "2"],
            "--input, --batch, --depth and --convention go with a TARGET (see costlab report --help)",
        ),
        (["--check", "--force"], "--check writes nothing: leave --force out (see costlab report --help)"),
        (["stem", "-o", "file"], "file is no folder: name another"),
        (["stem", "-o", "file/out"], "file/out cannot be made: Not a directory"),
        (["stem", "-o", "/proc/out"], "/proc/out cannot be made: No such file or directory"),
        (
            ["rsenet50"],
            "there is neither a folder nor a definition 'rsenet50'; did you mean resnet50 or resnet152 or "
            "resnet101?",
        ),
        ([""], "there is neither a folder nor a definition ''; a new folder is named with -o DIR"),
        (["new"], "there is neither a folder nor a definition 'new'; a new folder is named with -o DIR"),
        (["file", "--check"], "file is no folder: name another"),
        (["file"], "file is no folder: name another"),
        (["loop"], "loop cannot be reached: a link leads back to itself"),
        (["n" * 300, "--check"], f"{'n' * 300} cannot be reached: File name too long"),
        (["stem", "-o", "n" * 300], f"{'n' * 300} cannot be made: File name too long"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(run: Run, here: Path, args: list[str], message: str) -> None:
    (here / "file").write_text("mine")
    (here / "folder").mkdir()
    (here / "loop").symlink_to("loop")
    done = run("report", *args)
    assert (done.code, done.out, done.err) == (2, "", f"costlab: error: {message}\n")
    assert not (here / "out").exists()
    assert (here / "file").read_text() == "mine"


def test_a_folder_that_is_not_to_be_written_to(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "out").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK or Path(path).name != "out")
    done = run("report", "nets.py:net", "-o", "out")
    assert (done.code, done.out) == (2, "")
    assert done.err == "costlab: error: out cannot be written to: name another folder\n"


def test_a_full_disk_is_one_line(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = run("report", "nets.py:net", "-o", "out")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[1:] == [
        f"costlab: error: out/{FILES[0]} cannot be written: No space left on device"
    ]
    assert list((here / "out").iterdir()) == []


def test_a_missing_font_is_one_line(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mpl, "get_data_path", lambda: str(here))
    done = run("report", "nets.py:net", "-o", "out")
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert line.startswith("costlab: error: pictures need the font DejaVu Sans")
    assert list((here / "out").iterdir()) == []


def test_a_matplotlib_that_does_not_load_is_one_line(here: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "costlab", "report", "nets.py:net", "-o", "out"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"MPLBACKEND": "nonsense"},
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("costlab: error: pictures need matplotlib, which does not load: ")


def test_files_of_somebody_else_stay(run: Run, here: Path) -> None:
    (here / "out").mkdir()
    theirs = here / "out" / FILES[0]
    theirs.write_text("mine")
    done = run("report", "nets.py:net", "-o", "out")
    assert done.code == 2
    assert "was not written by costlab report: name another folder, or give --force" in done.err
    assert [file.name for file in (here / "out").iterdir()] == [FILES[0]]
    assert theirs.read_text() == "mine"
    assert run("report", "nets.py:net", "-o", "out", "--force").code == 0
    assert theirs.read_text().startswith("<!-- Written by costlab report nets.py:net:")


INTERRUPTED = """
import os, sys
import matplotlib.figure
import costlab.checking.cross_check  # loads torch and fvcore, which have computed nothing yet
from costlab.cli.main import main

for case in sys.argv[1:]:
    folder, at, sent = case.split(":")
    if os.fork():
        print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
        continue
    os.chdir(folder)
    os.dup2(os.open("stderr", os.O_WRONLY | os.O_CREAT), 2)
    synced, fsync = [], os.fsync

    def interrupted(number):
        synced.append(number)
        if len(synced) == int(at):
            os.kill(os.getpid(), int(sent))
        fsync(number)

    os.fsync = interrupted
    sys.argv = ["costlab", "report", "nets.py:net", "-o", "out"]
    main()
"""
INTERRUPTIONS = (
    (1, signal.SIGINT),
    (2, signal.SIGINT),
    (3, signal.SIGINT),
    (2, signal.SIGTERM),
    (2, signal.SIGHUP),
)
"""Before the how many-th file is on disk a signal is sent, and which: that file is written whole."""


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_run_that_is_interrupted_while_it_writes_leaves_old_or_new_files(run: Run, here: Path) -> None:
    run("report", "nets.py:net", "-o", "out")
    old = contents(here / "out")
    (here / "nets.py").write_text(NETS.replace("= 4", "= 5"))
    folders = [here / f"{at}-{sent.value}" for at, sent in INTERRUPTIONS]
    for folder in folders:
        shutil.copytree(here / "out", folder / "out")
        shutil.copy(here / "nets.py", folder)
    cases = [f"{folder}:{at}:{sent.value}" for folder, (at, sent) in zip(folders, INTERRUPTIONS, strict=True)]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", INTERRUPTED, *cases],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["130"] * len(cases), done.stderr
    assert run("report", "nets.py:net", "-o", "out").code == 0
    new = contents(here / "out")
    for folder, (at, _) in zip(folders, INTERRUPTIONS, strict=True):
        assert (folder / "stderr").read_text().splitlines()[-1] == "costlab: error: interrupted"
        found = contents(folder / "out")
        assert set(found) == set(old) == set(new) == set(FILES)
        assert [found[name] == new[name] for name in FILES] == [place < at for place in range(3)]
        assert all(found[name] in (old[name], new[name]) for name in FILES)


def test_what_an_import_makes_of_an_interrupt_is_no_bug(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise AttributeError("half-imported")

    monkeypatch.setattr("costlab.report.evidence.page_of", fails)
    assert run("report", "nets.py:net", "-o", "out").code == 70
    monkeypatch.setattr("costlab.interrupts.are_taken", lambda: True)
    done = run("report", "nets.py:net", "-o", "out")
    assert (done.code, done.err) == (130, "costlab: error: interrupted\n")

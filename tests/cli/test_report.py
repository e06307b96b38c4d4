"""``costlab report``: pages of a network of one's own, the evidence, and what is wrong in one line."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

from costlab.cli import report as command
from costlab.report.evidence import PAGES
from costlab.report.figure import digest_in
from costlab.report.page import page
from costlab.report.readme import KEPT
from tests.cli.conftest import Run

NETS = """
from costlab.algebra import BatchNorm2d, Conv2d, Flatten, Linear, ReLU, block, seq

@block(input="3x12x12")
def net(filters: int = 4):
    return seq(conv=Conv2d(filters, 3), bn=BatchNorm2d(), relu=ReLU(), flat=Flatten(), fc=Linear(5))
"""
FILES = ("nets.py-net.md", "nets.py-net_modules.png", "nets.py-net_grids.png")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network of one's own, the working one."""
    (tmp_path / "nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def few(monkeypatch: pytest.MonkeyPatch, *problems: str) -> None:
    """Evidence that is made at once: a page each, and on one what does not hold."""

    def made(_: object) -> Any:
        for name in PAGES:
            yield page(name, name, "A page.", (), problems if name == PAGES[0] else ())

    monkeypatch.setattr("costlab.report.evidence.evidence", made)


def test_a_network_of_ones_own(run: Run, here: Path) -> None:
    done = run("report", "nets.py:net", "-o", "out")
    assert (done.code, done.err) == (0, "done: nets.py-net.md\n")
    assert done.out.splitlines() == [*(f"out/{name}" for name in FILES), "3 files in out, 3 of them changed"]
    assert sorted(file.name for file in (here / "out").iterdir()) == sorted(FILES)
    text = (here / "out" / FILES[0]).read_text()
    assert (
        f"| **total** |  |  | **{112 + 8 + 2005}** | **{27 * 4 * 100 + 2000:,}** |".replace(
            "**2125**", "**2,125**"
        )
        in text
    )
    assert str(here) not in text
    again = run("report", "nets.py:net", "-o", "out")
    assert again.out.splitlines()[0] == f"out/{FILES[0]}  (as it was)"
    assert again.out.splitlines()[-1] == "3 files in out, 0 of them changed"
    checked = run("report", "nets.py:net", "-o", "out", "--check")
    assert (checked.code, checked.out) == (0, "out: all is as it would be written, 1 page with pictures\n")


def test_a_definition_that_changes_makes_its_page_stale(run: Run, here: Path) -> None:
    run("report", "nets.py:net", "-o", "out")
    (here / "nets.py").write_text(NETS.replace("= 4", "= 5"))
    done = run("report", "nets.py:net", "-o", "out", "--check")
    assert (done.code, done.out) == (1, "")
    told = done.err.splitlines()
    assert told[1].startswith(f"out/{FILES[0]}: line ")
    assert told[2:] == [
        f"out/{FILES[1]}: draws other data",
        f"out/{FILES[2]}: draws other data",
        "the same command without --check writes them anew",
    ]
    assert run("report", "nets.py:net", "-o", "out").code == 0
    assert run("report", "nets.py:net", "-o", "out", "--check").code == 0


def test_an_edited_number_makes_a_page_stale(run: Run, here: Path) -> None:
    run("report", "nets.py:net", "-o", "out")
    file = here / "out" / FILES[0]
    file.write_text(file.read_text().replace("12,800", "12,801", 1))
    done = run("report", "nets.py:net", "-o", "out", "--check")
    assert done.code == 1
    assert f"out/{FILES[0]}: line " in done.err
    assert "12,801" in done.err
    assert "12,801" in file.read_text()


def test_options_of_a_target(run: Run, here: Path) -> None:
    done = run("report", "nets.py:net:filters=8", "-o", "out", "-i", "3x20x20", "-b", "2", "-d", "0", "--svg")
    assert done.code == 0
    name = "nets.py-net-filters-8-i-3x20x20-b-2-d-0"
    text = (here / "out" / f"{name}.md").read_text()
    assert text.startswith("<!-- Written by costlab report nets.py:net:filters=8 -i 3x20x20 -b 2 -d 0: ")
    assert "nets.py:net:filters=8, input 3x20x20, batch 2" in text
    assert "| (root) | net | 5 |" in text
    assert f"{2 * (27 * 8 * 18**2 + 5 * 8 * 18**2):,}" in text
    drawing = (here / "out" / f"{name}_grids.svg").read_bytes()
    picture = (here / "out" / f"{name}_grids.png").read_bytes()
    assert digest_in(drawing, "svg") == digest_in(picture, "png") is not None
    again = ("report", "nets.py:net:filters=8", "-o", "out", "-i", "3x20x20", "-b", "2", "-d", "0", "--check")
    assert run(*again).code == 0
    (here / "out" / f"{name}_grids.svg").unlink()
    assert run(*again).code == 0
    done = run(*again, "--svg")
    assert done.code == 1
    assert f"out/{name}_grids.svg: is missing\n" in done.err


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["inception_v3"], "inception_v3 is a target: say with -o DIR where its page goes"),
        (["nets.py:net"], "nets.py:net is a target: say with -o DIR where its page goes"),
        (["nets.py"], "nets.py is a target: say with -o DIR where its page goes"),
        (["nothing", "-o", "out"], "there is no definition 'nothing' (see costlab list)"),
        (
            ["stem", "-o", "out", "-i", "3x2x2"],
            "conv_1a.conv: kernel=3x3 does not fit height=2 with padding=0",
        ),
        (["out", "-i", "3x2x2"], "--input, --batch and --depth go with a TARGET (see costlab report --help)"),
        (["-b", "2"], "--input, --batch and --depth go with a TARGET (see costlab report --help)"),
        (["--check", "--force"], "--check writes nothing: leave --force out (see costlab report --help)"),
        (["stem", "-o", "file"], "file is no folder: name another"),
        (["stem", "-o", "file/out"], "file/out cannot be made: Not a directory"),
        (["stem", "-o", "/proc/out"], "/proc/out cannot be made: No such file or directory"),
        (
            ["rsenet50"],
            "there is neither a folder nor a definition 'rsenet50'; did you mean resnet50 or resnet152 or "
            "resnet101? (a new folder is named with -o DIR)",
        ),
        ([""], "there is neither a folder nor a definition '' (a new folder is named with -o DIR)"),
        (["file", "--check"], "file is no folder: name another"),
        (["file"], "file is no folder: name another"),
        (["loop"], "loop cannot be reached: a link leads back to itself"),
        (["n" * 300, "--check"], f"{'n' * 300} cannot be reached: File name too long"),
        (["stem", "-o", "n" * 300], f"{'n' * 300} cannot be made: File name too long"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(run: Run, here: Path, args: list[str], told: str) -> None:
    (here / "file").write_text("mine")
    (here / "loop").symlink_to("loop")
    done = run("report", *args)
    assert (done.code, done.out, done.err) == (2, "", f"costlab: error: {told}\n")
    assert not (here / "out").exists()
    assert (here / "file").read_text() == "mine"


def test_a_folder_that_is_not_to_be_written_to(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "out").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK or Path(path).name != "out")
    done = run("report", "nets.py:net", "-o", "out")
    assert (done.code, done.out) == (2, "")
    assert done.err == "costlab: error: out is not to be written to: name another folder\n"


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


def test_the_evidence_goes_where_it_is_asked_for(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch)
    for args, folder in (([], "reports"), (["other/new"], "other/new"), (["-o", "third"], "third")):
        done = run("report", *args)
        assert done.code == 0
        assert done.out.splitlines()[-1] == f"5 files in {folder}, 5 of them changed"
        assert {file.name for file in (here / folder).iterdir()} == {f"{name}.md" for name in PAGES}
        assert run("report", *args, "--check").out == (
            f"{folder}: all is as it would be written, 5 pages with pictures\n"
        )
    (here / "stem").mkdir()
    assert run("report", "stem").out.endswith("5 files in stem, 5 of them changed\n")


def test_what_does_not_hold_is_told_and_the_pages_are_written(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, "budget-madds: moved")
    done = run("report")
    assert done.code == 1
    assert done.err.endswith("done: README.md\nbudget-madds: moved\n")
    assert len(list((here / "reports").iterdir())) == 5
    done = run("report", "--check")
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith("done: README.md\nbudget-madds: moved\n")


def test_missing_and_forgotten_pages(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)
    done = run("report", "--check")
    assert (done.code, done.err) == (1, "reports: there is no such folder; costlab report writes it\n")
    run("report")
    (here / "reports" / "claims.md").rename(here / "reports" / "old.md")
    done = run("report", "--check")
    assert done.code == 1
    assert done.err.splitlines()[5:] == [
        "reports/claims.md: is missing",
        "the same command without --check writes them anew",
        "reports/old.md: is not written any more: delete it",
    ]


def test_a_document_that_asks_for_it_is_kept_along(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch)
    document = here / "README.md"
    block = "```console\n$ costlab count stem -f csv | head -1\n```\n"
    document.write_text(block)
    assert "README.md" not in run("report").out.replace("reports/README.md", "")
    assert document.read_text() == block
    document.write_text(f"{KEPT}\n{block}")
    done = run("report", "--check")
    assert done.code == 1
    assert "README.md: costlab count stem -f csv | head -1 prints something else\n" in done.err
    assert document.read_text() == f"{KEPT}\n{block}"
    done = run("report")
    assert "README.md, the outputs in it\n" in done.out
    assert "\nmodule,operation," in document.read_text()
    assert "README.md, the outputs in it  (as it was)\n" in run("report").out
    assert run("report", "--check").code == 0
    assert "README.md" not in run("report", "nets.py:net", "-o", "reports").out


INTERRUPTED = """
import os, sys
from costlab.cli.main import main

at, sent, synced, fsync = int(sys.argv[1]), int(sys.argv[2]), [], os.fsync

def interrupted(number):
    synced.append(number)
    if len(synced) == at:
        os.kill(os.getpid(), sent)
    fsync(number)

os.fsync = interrupted
sys.argv = ["costlab", "report", "nets.py:net", "-o", "out"]
main()
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_run_that_is_interrupted_while_it_writes_leaves_old_or_new_files(
    run: Run, here: Path, at: int, sent: signal.Signals
) -> None:
    run("report", "nets.py:net", "-o", "out")
    old = {file.name: file.read_bytes() for file in (here / "out").iterdir()}
    (here / "nets.py").write_text(NETS.replace("= 4", "= 5"))
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(at), str(sent.value)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 130
    assert done.stderr.splitlines()[-1] == "costlab: error: interrupted"
    found = {file.name: file.read_bytes() for file in (here / "out").iterdir()}
    assert run("report", "nets.py:net", "-o", "out").code == 0
    new = {file.name: file.read_bytes() for file in (here / "out").iterdir()}
    assert set(found) == set(old) == set(new) == set(FILES)
    assert [found[name] == new[name] for name in FILES] == [place < at - 1 for place in range(3)]
    assert all(found[name] in (old[name], new[name]) for name in FILES)


def test_what_an_import_makes_of_an_interrupt_is_no_bug(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise AttributeError("half-imported")

    monkeypatch.setattr("costlab.report.evidence.page_of", fails)
    assert run("report", "nets.py:net", "-o", "out").code == 70
    monkeypatch.setattr("costlab.cli.main._asked_to_end", [signal.SIGINT])
    done = run("report", "nets.py:net", "-o", "out")
    assert (done.code, done.err) == (130, "costlab: error: interrupted\n")


def test_how_many_steps_there_are(here: Path) -> None:
    assert command._Asked(None, here / "reports", 1, "", svg=False).steps == len(PAGES)
    document = here / "README.md"
    document.write_text(
        f"{KEPT}\n"
        + "".join(f"```console\n$ costlab list -f {form}\n```\n" for form in ("csv", "json", "latex"))
    )
    assert command._Asked(None, here / "reports", 1, "", svg=False).steps == len(PAGES) + 3

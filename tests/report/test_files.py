"""Writing: whole or not at all, and never over what is there without being asked."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from costlab.errors import OutputError
from costlab.report.files import write


def test_a_new_file_gets_the_usual_permissions(tmp_path: Path) -> None:
    file = tmp_path / "new.txt"
    write(file, "héllo\n", replace=False)
    other = tmp_path / "other.txt"
    other.write_text("")
    assert file.read_text("utf-8") == "héllo\n"
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new.txt", "other.txt"]


def test_what_is_there_stays_unless_asked(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("mine")
    with pytest.raises(OutputError, match="exists: give --force to replace it"):
        write(file, "new", replace=False)
    assert file.read_text() == "mine"
    file.chmod(0o640)
    write(file, "new", replace=True)
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    link.symlink_to(real)
    write(link, "new", replace=True)
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(pipe, "through", replace=False)
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("where", ["missing/out.txt", ".", "file.txt/out.txt"])
def test_places_that_cannot_be_written(tmp_path: Path, where: str) -> None:
    (tmp_path / "file.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"cannot be written: |is a folder: name a file"):
        write(tmp_path / where, "new", replace=True)
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]
    assert (tmp_path / "file.txt").read_text() == "mine"


@pytest.mark.parametrize("broken", ["fsync", "write", "replace"])
def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("mine")

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    if broken == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    elif broken == "write":
        monkeypatch.setattr(os, "fdopen", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match=r"mine\.txt cannot be written: No space left on device"):
        write(file, "new", replace=True)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    assert file.read_text() == "mine"


def test_an_interrupt_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("mine")

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(file, "new", replace=True)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    assert file.read_text() == "mine"

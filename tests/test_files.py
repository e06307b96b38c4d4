"""Writing: whole or not at all, and never over what is there without being asked."""

import errno
import os
import resource
import stat
from pathlib import Path
from typing import Any

import pytest

from costlab.errors import OutputError
from costlab.files import write


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


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("mine")

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    if broken == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match=r"mine\.txt cannot be written: No space left on device"):
        write(file, "new", replace=True)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    assert file.read_text() == "mine"


def test_a_write_that_stops_midway_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("mine")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    try:
        with pytest.raises(OutputError, match=r"mine\.txt cannot be written: File too large"):
            write(file, "new" * 2**20, replace=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    assert file.read_text() == "mine"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_in_between_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    file = tmp_path / "out.txt"

    def appear(_: int) -> None:
        file.write_text("theirs")

    def no_links(*_: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fsync", appear)
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", no_links)
    with pytest.raises(OutputError, match=r"out\.txt exists: give --force to replace it"):
        write(file, "ours", replace=False)
    assert [p.name for p in tmp_path.iterdir()] == ["out.txt"]
    assert file.read_text() == "theirs"
    monkeypatch.setattr(os, "fsync", lambda _: None)
    write(tmp_path / "new.txt", "ours", replace=False)
    assert (tmp_path / "new.txt").read_text() == "ours"
    assert (tmp_path / "new.txt").stat().st_nlink == 1


def test_a_circle_of_links_is_told(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(OutputError, match="loop cannot be written: "):
        write(tmp_path / "loop", "new", replace=True)
    assert (tmp_path / "loop").is_symlink()


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    file = tmp_path / ("n" * 255)
    write(file, "new", replace=False)
    assert file.read_text() == "new"


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

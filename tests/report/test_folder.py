"""A folder of pages: written whole, somebody else's left alone, and held against what should be there."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from matplotlib.figure import Figure

from costlab.counting.compare import compare
from costlab.errors import OutputError
from costlab.report.figure import Picture, digest_in
from costlab.report.folder import leftovers, render, stale, write_all
from costlab.report.page import Page, page
from costlab.report.pictures.bars import compare_picture


class Dots(NamedTuple):
    title: str
    values: tuple[int, ...]


def draw(figure: Figure, data: Dots) -> None:
    figure.subplots().plot(data.values)


def made(number: int = 7, name: str = "numbers", target: str = "") -> Page:
    dots = Picture(f"{name}_dots", "Dots", Dots("Dots", (1, number)), draw, (2.0, 2.0))
    return page(name, "Numbers", f"The number is {number}.", ("Before it.", dots, "After it."), (), target)


def wrote(folder: Path, *pages: Page, svg: bool = False, force: bool = False) -> list[tuple[str, bool]]:
    contents = render(pages or (made(),), folder, svg=svg, done=lambda _: None)
    return [(file.name, changed) for file, changed in write_all(contents, force=force)]


def differences(folder: Path, *pages: Page, svg: bool = False) -> list[str]:
    lines = [line for each in pages or (made(),) for line in stale(each, folder, svg=svg)]
    return [line.removeprefix(f"{folder}/") for line in lines]


def test_what_is_written_is_not_stale(tmp_path: Path) -> None:
    assert wrote(tmp_path) == [("numbers.md", True), ("numbers_dots.png", True)]
    assert differences(tmp_path) == []
    assert (tmp_path / "numbers.md").read_text() == (
        "<!-- Written by costlab report: it is written anew as a whole, and changes by hand are lost. -->\n\n"
        "# Numbers\n\nThe number is 7.\n\nBefore it.\n\n![Dots](numbers_dots.png)\n\nAfter it.\n"
    )


def test_what_is_as_it_would_be_is_left_alone(tmp_path: Path) -> None:
    wrote(tmp_path)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    assert wrote(tmp_path) == [("numbers.md", False), ("numbers_dots.png", False)]
    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before
    assert wrote(tmp_path, made(8)) == [("numbers.md", True), ("numbers_dots.png", True)]
    assert differences(tmp_path, made(8)) == []


def test_what_is_stale_is_named_with_where_it_differs(tmp_path: Path) -> None:
    assert differences(tmp_path) == ["numbers.md: is missing", "numbers_dots.png: is missing"]
    wrote(tmp_path)
    assert differences(tmp_path, made(8)) == [
        "numbers.md: line 5 has 'The number is 7.' and would have 'The number is 8.'",
        "numbers_dots.png: draws other data",
    ]


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (
            lambda text: text.replace("7", "9"),
            "line 5 has 'The number is 9.' and would have 'The number is 7.'",
        ),
        (lambda text: text + "more\n", "line 12 has 'more' and would have ''"),
        (lambda text: text + "\n", "line 13 has more and would have no more"),
        (lambda text: text.rstrip(), "line 12 has no more and would have more"),
        (lambda text: "", "line 1 has '' and would have '<!-- Written by costlab …'"),
        (
            lambda text: text.replace("\n", "\r\n"),
            "line 1 has '…es by hand are lost. -->\\r' and would have '…es by hand are lost. -->'",
        ),
        (
            lambda text: text.replace("After it.", "After it. "),
            "line 11 has 'After it. ' and would have 'After it.'",
        ),
    ],
)
def test_any_edit_of_the_text_is_told(tmp_path: Path, edit: Callable[[str], str], line: str) -> None:
    wrote(tmp_path)
    file = tmp_path / "numbers.md"
    file.write_bytes(edit(file.read_text()).encode())
    assert differences(tmp_path) == [f"numbers.md: {line}"]


def test_pictures_are_compared_by_their_digests(tmp_path: Path) -> None:
    wrote(tmp_path)
    picture = tmp_path / "numbers_dots.png"
    content = picture.read_bytes()
    picture.write_bytes(content[: len(content) // 2])
    assert differences(tmp_path) == ["numbers_dots.png: is no whole picture"]
    picture.write_bytes(made(8).pictures[0].file())
    assert differences(tmp_path) == ["numbers_dots.png: draws other data"]
    larger = made().pictures[0]
    picture.write_bytes(Picture(larger.name, larger.alt, larger.data, larger.draw, (3.0, 3.0)).file())
    assert differences(tmp_path) == []  # other pixels, the same data


def test_svg_is_written_on_request_and_kept_from_then_on(tmp_path: Path) -> None:
    assert wrote(tmp_path, svg=True)[-1] == ("numbers_dots.svg", True)
    assert differences(tmp_path, svg=True) == []
    drawing = tmp_path / "numbers_dots.svg"
    assert digest_in(drawing.read_bytes(), "svg") == made().pictures[0].digest
    assert differences(tmp_path, made(8))[-1] == "numbers_dots.svg: draws other data"
    assert wrote(tmp_path, made(8))[-1] == ("numbers_dots.svg", True)
    drawing.unlink()
    assert differences(tmp_path, made(8)) == []
    assert differences(tmp_path, made(8), svg=True) == ["numbers_dots.svg: is missing"]


@pytest.mark.parametrize("name", ["numbers.md", "numbers_dots.png", "numbers_dots.svg"])
def test_files_of_somebody_else_stay(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("theirs\n")
    with pytest.raises(OutputError, match=rf"{name} was not written by costlab report: name another folder"):
        wrote(tmp_path, svg=True)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "theirs\n"
    assert f"{name}: was not written by costlab report: only --force replaces it" in differences(
        tmp_path, svg=True
    )
    assert (name, True) in wrote(tmp_path, svg=True, force=True)
    assert differences(tmp_path, svg=True) == []


@pytest.mark.parametrize("name", ["numbers.md", "numbers_dots.png", "numbers_dots.svg"])
@pytest.mark.parametrize("part", [0, 0.9])
def test_a_file_of_ours_that_is_damaged_is_told_and_replaced(tmp_path: Path, name: str, part: float) -> None:
    wrote(tmp_path, svg=True)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(part * len(content))])
    (line,) = differences(tmp_path, svg=True)
    assert line.startswith(f"{name}: ")
    assert (name, True) in wrote(tmp_path, svg=True)
    assert differences(tmp_path, svg=True) == []


def test_the_page_of_another_command_stays(tmp_path: Path) -> None:
    wrote(tmp_path, made(target="nets.py:net"))
    for target in ("", "other"):
        with pytest.raises(
            OutputError, match=r"is the page of another command, 'costlab report nets\.py:net': name"
        ):
            wrote(tmp_path, made(target=target))
    assert differences(tmp_path, made(target="nets.py:net")) == []


def test_a_pipe_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "numbers.md")
    for run in (wrote, differences):
        with pytest.raises(OutputError, match=r"numbers\.md is no file: name another"):
            run(tmp_path)


def test_a_drawing_of_somebody_else_is_no_concern_where_none_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "numbers_dots.svg").write_text("<svg>theirs</svg>")
    wrote(tmp_path)
    assert differences(tmp_path) == []
    assert (tmp_path / "numbers_dots.svg").read_text() == "<svg>theirs</svg>"


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "numbers.md").mkdir()
    with pytest.raises(OutputError, match=r"numbers\.md is a folder: name a file"):
        wrote(tmp_path)
    with pytest.raises(OutputError, match=r"numbers\.md cannot be read: Is a directory"):
        differences(tmp_path)


@pytest.mark.parametrize("at", range(1, 5))
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_an_interrupt_or_a_full_disk_leaves_old_or_new_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, error: BaseException
) -> None:
    pages = [[made(number, "one"), made(number, "two")] for number in (7, 8)]
    wrote(tmp_path, *pages[0])
    old = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    new = {file.name: data for file, data in render(pages[1], tmp_path, done=lambda _: None).items()}
    synced, fsync = [], os.fsync

    def fail(number: int) -> None:
        synced.append(number)
        if len(synced) == at:
            raise error
        fsync(number)

    monkeypatch.setattr(os, "fsync", fail)
    kind: Any = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else OutputError
    with pytest.raises(kind):
        wrote(tmp_path, *pages[1])
    found = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert set(found) == set(old)
    assert all(content in (old[name], new[name]) for name, content in found.items())
    assert sum(found[name] == new[name] for name in found) == at - 1


def test_pages_that_are_not_written_any_more_are_told(tmp_path: Path) -> None:
    (tmp_path / "theirs.md").write_text("# Theirs\n")
    wrote(tmp_path, made(name="one"), made(name="two"), made(name="own", target="nets.py:own"))
    assert list(leftovers(tmp_path, ["one", "two"])) == []
    assert list(leftovers(tmp_path, ["one"])) == [f"{tmp_path}/two.md: is not written any more: delete it"]


def test_pictures_that_no_page_shows_are_told(tmp_path: Path) -> None:
    wrote(tmp_path, made(name="one"), made(name="older"), made(name="own", target="nets.py:own"), svg=True)
    (tmp_path / "older.md").unlink()
    (tmp_path / "theirs.png").write_bytes(b"theirs")
    plotted = compare_picture(compare(ablation="nxn")).file()
    (tmp_path / "plot.png").write_bytes(plotted)
    assert list(leftovers(tmp_path, ["one"])) == [
        f"{tmp_path}/older_dots.png: is shown on no page any more: delete it",
        f"{tmp_path}/older_dots.svg: is shown on no page any more: delete it",
    ]


def test_a_picture_that_was_plotted_is_somebody_elses(tmp_path: Path) -> None:
    plotted = compare_picture(compare(ablation="nxn")).file()
    (tmp_path / "numbers_dots.png").write_bytes(plotted)
    with pytest.raises(OutputError, match=r"numbers_dots\.png was not written by costlab report"):
        wrote(tmp_path)
    assert (tmp_path / "numbers_dots.png").read_bytes() == plotted


@pytest.mark.parametrize("name", ["numbers.md", "numbers_dots.png"])
def test_a_file_without_end_is_not_read(tmp_path: Path, name: str) -> None:
    with (tmp_path / name).open("wb") as out:
        out.truncate(2**40)  # of holes: it takes no room, and no memory would hold it
    for act in (wrote, differences):
        with pytest.raises(OutputError, match=rf"{name} is larger than 67,108,864 bytes"):
            act(tmp_path)
    (tmp_path / name).unlink()

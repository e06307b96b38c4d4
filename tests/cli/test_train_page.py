"""The page that training ends with: costlab's own is written anew, what a user has put there stays."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from costlab.cli.train import _write_page
from costlab.report.evidence import page_of_run
from costlab.report.folder import of_others
from costlab.train.record import FILE
from tests.cli.conftest import Run
from tests.train.records import sample

NAMES = ("kernels.md", "kernels_accuracy.png", "kernels_curves.png", "kernels_steps.png")
Change = Callable[[bytes], bytes]
PAGES: dict[str, Change] = {
    "a line below": lambda page: page + b"mine\n",
    "an empty line below": lambda page: page + b"\n",
    "a line in between": lambda page: page.replace(b"\n## What was", b"\nmine\n\n## What was"),
    "a letter": lambda page: page.replace(b"variants", b"Variants", 1),
    "a line less": lambda page: page.replace(b"## How it was made\n", b""),
    "no seal": lambda page: page[: page.rindex(b"<!--")],
    "another seal": lambda page: (
        page[: page.rindex(b"<!--")] + b"<!-- 0123456789abcdef: the text above -->\n"
    ),
    "cut off": lambda page: page[: len(page) // 2],
    "other ends of lines": lambda page: page.replace(b"\n", b"\r\n"),
    "no mark": lambda page: page.partition(b"\n")[2],
    "a page of their own": lambda _: b"# Mine\n",
    "no text": lambda _: b"\xff\xfe\0",
}


def files_in(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The folder of a run, with its page."""
    made = tmp_path / "a run"
    made.mkdir()
    sample().save(made / FILE)
    _write_page(sample(), made)
    assert capsys.readouterr().out.splitlines() == [f"{made / name}" for name in NAMES]
    return made


def test_what_costlab_wrote_is_written_anew(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files_in(folder)
    _write_page(replace(sample(), title="Another title"), folder)
    said = capsys.readouterr()
    assert said.out.splitlines() == [f"{folder / name}" for name in NAMES]
    assert said.err == ""
    now = files_in(folder)
    assert all(now[name] != before[name] for name in NAMES)
    assert b"# Trained on generated images: Another title\n" in now["kernels.md"]
    (folder / "kernels.md").write_bytes(b"")
    (folder / "kernels_steps.png").unlink()
    _write_page(sample(), folder)
    assert files_in(folder) == before


@pytest.fixture(scope="module")
def page() -> bytes:
    (made,) = page_of_run(sample())
    return made.text.encode()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_was_changed_is_the_users(name: str, page: bytes, tmp_path: Path) -> None:
    file = tmp_path / "kernels.md"
    file.write_bytes(page)
    assert of_others([file]) == ()
    file.write_bytes(PAGES[name](page))
    assert of_others([file, tmp_path / "none.md"]) == (file,)


def test_what_is_the_users_stays_and_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = {"kernels_accuracy.png": b"\x89PNG\r\n\x1a\nmine", "kernels_steps.png": b"mine"}
    mine["kernels.md"] = (folder / "kernels.md").read_bytes() + b"mine\n"
    for name, content in mine.items():
        (folder / name).write_bytes(content)
    _write_page(replace(sample(), title="Another title"), folder)
    said = capsys.readouterr()
    assert mine.items() <= files_in(folder).items()
    assert said.out.splitlines() == [f"{folder / 'kernels_curves.png'}"]
    names = ", ".join(f"{folder / name}" for name in NAMES if name in mine)
    assert said.err == (
        f"not as costlab writes it, and left as it is: {names}; costlab report '{folder}' -o DIR writes the "
        "page elsewhere\n"
    )
    (folder / "kernels.md").unlink()
    (folder / "kernels.md").mkdir()
    _write_page(sample(), folder)
    assert f"{folder / 'kernels.md'}, " in capsys.readouterr().err
    assert (folder / "kernels.md").is_dir()


def test_report_writes_the_same_page_and_finds_it_as_it_was(run: Run, folder: Path) -> None:
    before = files_in(folder)
    assert run("report", str(folder), "--check").code == 1  # a training failed
    done = run("report", str(folder))
    assert done.out.count("(as it was)") == len(NAMES)
    assert files_in(folder) == before


def test_report_refuses_a_page_of_the_users_before_it_draws(run: Run, folder: Path) -> None:
    page = folder / "kernels.md"
    page.write_text("mine\n")
    refused = run("report", str(folder))
    assert (refused.code, refused.out, page.read_text()) == (2, "", "mine\n")
    assert refused.err == (
        f"costlab: error: {page} was not written by costlab report: name another folder, or give --force to "
        "replace it\n"
    )

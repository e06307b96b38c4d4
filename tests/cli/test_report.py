"""``costlab report``: pages of a network of one's own, and the evidence."""

from pathlib import Path
from typing import Any

import pytest

from costlab.cli.report_request import Request
from costlab.report.documents import KEPT
from costlab.report.evidence import names_with
from costlab.report.figure import digest_in
from costlab.report.page import page
from tests.cli.conftest import NETS, Run
from tests.cli.conftest import PAGE_FILES as FILES

PAGES = names_with()
MANY = len(PAGES)


def few(monkeypatch: pytest.MonkeyPatch, *problems: str) -> None:
    """Evidence that is made at once: a page each, and on one what does not hold."""

    def made(*_: object) -> Any:
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
    lines = done.err.splitlines()
    assert lines[1].startswith(f"out/{FILES[0]}: line ")
    assert lines[2:] == [
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


def test_the_evidence_goes_where_it_is_asked_for(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch)
    for args, folder in (([], "reports"), (["-o", "other/new"], "other/new"), (["-o", "third"], "third")):
        done = run("report", *args)
        assert done.code == 0
        assert done.out.splitlines()[-1] == f"{MANY} files in {folder}, {MANY} of them changed"
        assert {file.name for file in (here / folder).iterdir()} == {f"{name}.md" for name in PAGES}
        assert run("report", *args, "--check").out == (
            f"{folder}: all is as it would be written, {MANY} pages with pictures\n"
        )
    (here / "stem").mkdir()
    assert run("report", "stem").out.endswith(f"{MANY} files in stem, {MANY} of them changed\n")


def test_what_does_not_hold_is_told_and_the_pages_are_written(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, "budget-madds: moved")
    done = run("report")
    assert done.code == 1
    assert done.err.endswith("done: README.md\nbudget-madds: moved\n")
    assert len(list((here / "reports").iterdir())) == MANY
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
    assert done.err.splitlines()[MANY:] == [
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


def test_the_pages_of_the_documents_are_kept_along(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch)
    block = "```console\n$ costlab count stem -f csv | head -1\n```\n"
    for folder in ("docs", "reports"):
        (here / folder).mkdir()
    files = [here / "README.md", here / "docs" / "count.md", here / "docs" / "other.md"]
    for file in files:
        file.write_text(f"{KEPT}\n{block}")
    files[2].write_text(block)
    done = run("report", "--check")
    problem = "costlab count stem -f csv | head -1 prints something else"
    assert [line for line in done.err.splitlines() if problem in line] == [
        f"README.md: {problem}",
        f"docs/count.md: {problem}",
    ]
    assert done.err.count("done: README.md: costlab count stem") == 1
    assert "done: docs/count.md" not in done.err
    done = run("report")
    assert "README.md, the outputs in it\ndocs/count.md, the outputs in it\n" in done.out
    assert files[1].read_text() == files[0].read_text() != f"{KEPT}\n{block}"
    assert files[2].read_text() == block
    assert "docs/count.md, the outputs in it  (as it was)\n" in run("report").out
    assert run("report", "--check").code == 0


def test_how_many_steps_there_are(here: Path) -> None:
    assert Request(None, here / "reports", 1, "", svg=False).steps == len(PAGES)
    document = here / "README.md"
    document.write_text(
        f"{KEPT}\n"
        + "".join(f"```console\n$ costlab list -f {form}\n```\n" for form in ("csv", "json", "latex"))
    )
    assert Request(None, here / "reports", 1, "", svg=False).steps == len(PAGES) + 3

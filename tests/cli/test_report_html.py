"""``costlab report --html``: one page, written whole, checked, and nothing of somebody else's replaced."""

import os
from pathlib import Path
from typing import Any

import pytest

from costlab.report.evidence import names_with, page_of_run
from costlab.report.page import page
from costlab.train.record import FILE
from tests.cli.conftest import NETS, Run
from tests.report.html.reading import Elements, data_of
from tests.train.records import sample


def test_a_network_is_written_and_checked(run: Run, here: Path) -> None:
    done = run("report", "nets.py:net", "--html", "net.html")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("net.html  (")
    text = (here / "net.html").read_text()
    network = data_of(text)["networks"][0]
    assert network["costs"]["multiply_adds"] == str(27 * 4 * 100 + 2000)
    assert network["target"] == "nets.py:net"
    assert str(here) not in text
    assert run("report", "nets.py:net", "--html", "net.html").out.endswith(", as it was)\n")
    checked = run("report", "nets.py:net", "--html", "net.html", "--check")
    assert (checked.code, checked.out) == (0, "net.html: all is as it would be written\n")
    (here / "nets.py").write_text(NETS.replace("= 4", "= 5"))
    checked = run("report", "nets.py:net", "--html", "net.html", "--check")
    assert (checked.code, checked.out) == (1, "")
    assert checked.err.splitlines() == [
        "net.html: is not as it would be written",
        "the same command without --check writes it anew",
    ]
    assert [*here.glob("*.html")] == [here / "net.html"]


def test_options_of_a_target(run: Run, here: Path) -> None:
    args = ("nets.py:net:filters=8", "-i", "3x20x20", "-b", "2", "-d", "0", "--convention", "flops")
    assert run("report", *args, "--html", "net.html").code == 0
    text = (here / "net.html").read_text()
    assert text.splitlines()[1].startswith(
        "<!-- Written by costlab report nets.py:net:filters=8 -i 3x20x20 -b 2 -d 0 --convention flops: "
    )
    data = data_of(text)
    assert (data["convention"], data["depth"]) == ("flops", 0)
    assert data["networks"][0]["costs"]["flops"] == str(2 * 2 * (27 * 8 * 18**2 + 5 * 8 * 18**2))
    done = run("report", str(here / "nets.py") + ":net", "--html", "other.html", "--backward")
    assert done.code == 0
    assert str(here) not in (here / "other.html").read_text()
    assert data_of((here / "other.html").read_text())["networks"][0]["training_step"]


def test_networks_beside_each_other(run: Run, here: Path) -> None:
    args = ("nets.py:net", "--beside", "nets.py:net:filters=8", "--beside", f"{here}/nets.py:net:filters=2")
    assert run("report", *args, "--html", "both.html").code == 0
    text = (here / "both.html").read_text()
    data = data_of(text)
    assert [each["target"].rpartition("=")[2] for each in data["networks"]] == ["nets.py:net", "8", "2"]
    assert all(data["differences"])
    assert str(here) not in text
    assert run("report", *args, "--html", "both.html", "--check").code == 0


def test_a_set_of_networks(run: Run, sets: Path) -> None:
    assert run("report", "sets.py:mine", "--html", "set.html").code == 0
    data = data_of((sets / "set.html").read_text())
    assert [each["target"] for each in data["networks"]] == ["five", "three"]


def test_it_is_printed(run: Run, here: Path) -> None:
    done = run("report", "nets.py:net", "--html", "-")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("<!doctype html>\n<!-- Written by costlab report nets.py:net: ")
    assert done.out.endswith("</html>\n")
    assert [*here.iterdir()] == [here / "nets.py"] or not [*here.glob("*.html")]


def test_the_evidence(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def made(_: object, records: Any) -> Any:
        asked.extend(records)
        for name in names_with(records):
            yield page(
                name, name, f"See [it](claims.md) of {name}.", (), ["moved"] if name == "claims" else ()
            )

    monkeypatch.setattr("costlab.report.evidence.evidence", made)
    (here / "out" / "runs").mkdir(parents=True)
    (here / "out" / "runs" / "a.json").write_text("{}")
    done = run("report", "out", "--html", "all.html")
    assert done.code == 1
    assert done.err.endswith("done: README\nmoved\n")
    assert [file.name for file in asked] == ["a.json"]
    text = (here / "all.html").read_text()
    found = Elements(text)
    assert {*names_with(), "trained_a"} <= {*found.values("id")}
    assert "The 1 record of training runs" in text
    assert run("report", "out", "--html", "all.html", "--check").err.endswith("done: README\nmoved\n")
    assert run("report", "--html", "none.html").code == 1
    assert "record of training runs" not in (here / "none.html").read_text()


def test_a_run(run: Run, here: Path) -> None:
    (here / "run").mkdir()
    sample().save(here / "run" / FILE)
    (markdown,) = page_of_run(sample())
    done = run("report", "run", "--html", "run.html")
    assert (done.code, done.err.splitlines()[1:]) == (1, [*markdown.problems])
    text = (here / "run.html").read_text()
    found = Elements(text)
    assert found.tags.count("img") == 3
    assert "Written by costlab report of a run: " in text
    assert f"{sample().title}" in "".join(found.text)
    assert run("report", "run", "--html", "run.html", "--check").err == done.err
    assert [each.name for each in (here / "run").iterdir()] == [FILE]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["stem", "--html", "x"], "x: a page is HTML: let its name end in .html"),
        (
            ["stem", "--html", "x.html", "-o", "out"],
            "--html names the one file that is written: leave -o out",
        ),
        (["stem", "--beside", "stem", "-o", "out"], "--beside goes with --html"),
        (["stem", "--backward", "-o", "out"], "--backward and --partial go with --html"),
        (["--html", "x.html", "--beside", "stem"], "--beside, --backward and --partial go with a TARGET"),
        (["--html", "x.html", "-b", "2"], "--input, --batch, --depth and --convention go with a TARGET"),
        (["stem", "--html", "x.html", "--beside", "stem", "--backward"], "--backward is for the page of one"),
        (["stem", "--html", "-", "--check"], "--check compares a file: name it with --html"),
        (["stem", "--html", "x.html", "--svg"], "--svg goes with the evidence or a RUN"),
        (["nothing", "--html", "x.html"], "there is no definition 'nothing'"),
        (["stem", "--html", "x.html", "--beside", "nothing"], "there is no definition 'nothing'"),
        (["stem", "--html", "x.html", "--beside", "inception_a"], "the inputs differ: "),
        (["stem", "--html", "no/x.html"], "no/x.html cannot be written: there is no folder no"),
        (["stem", "--html", "folder.html"], "folder.html is a folder: name a file"),
        (["stem", "--html", "mine.html"], "mine.html was not written by costlab report: give --force"),
        (
            ["stem", "--html", "net.html"],
            "net.html is the page of another command, 'costlab report nets.py:net'",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line(run: Run, here: Path, args: list[str], message: str) -> None:
    (here / "mine.html").write_text("<!doctype html>\nmine")
    (here / "folder.html").mkdir()
    run("report", "nets.py:net", "--html", "net.html")
    before = {file: file.read_bytes() for file in here.glob("*.html") if file.is_file()}
    done = run("report", *args)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"costlab: error: {message}")
    assert done.err.count("\n") == 1
    assert {file: file.read_bytes() for file in here.glob("*.html") if file.is_file()} == before


def test_force_replaces_what_somebody_else_wrote(run: Run, here: Path) -> None:
    (here / "mine.html").write_text("mine")
    assert run("report", "stem", "--html", "mine.html", "--force").code == 0
    assert (here / "mine.html").read_text().startswith("<!doctype html>")


def test_a_missing_file_and_another_one_are_told(run: Run, here: Path) -> None:
    done = run("report", "stem", "--html", "x.html", "--check")
    assert (done.code, done.err.splitlines()[0]) == (1, "x.html: is missing")
    (here / "x.html").write_text("mine")
    done = run("report", "stem", "--html", "x.html", "--check")
    assert (done.code, done.err.splitlines()[0]) == (1, "x.html: is no page of costlab report")


def test_a_full_disk_is_one_line_and_the_old_page_stays(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("report", "nets.py:net", "--html", "x.html")
    before = (here / "x.html").read_bytes()
    (here / "nets.py").write_text(NETS.replace("= 4", "= 5"))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = run("report", "nets.py:net", "--html", "x.html")
    assert (done.code, done.out) == (2, "")
    assert done.err == "costlab: error: x.html cannot be written: No space left on device\n"
    assert (here / "x.html").read_bytes() == before
    assert not [*here.glob(".costlab-*")]

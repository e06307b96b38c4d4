"""The folder of a run that somebody else made: nothing outside of it is written, none of its code runs."""

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from costlab.decode import decode
from costlab.errors import OutputError, RunError
from costlab.files import refuse_traps
from costlab.train import cache, plan, record
from costlab.train.plan import Plan
from costlab.train.prepare import RunRequest, make_plan, save_plan
from costlab.train.run import STUDY
from tests.cli.conftest import Run
from tests.train.records import sample

Change = Callable[[dict[str, Any]], object]
RUN_FIELDS: dict[str, Change] = {
    "a name that leads out": lambda it: it.update(name="../../../pwned"),
    "an absolute name": lambda it: it.update(name="/pwned"),
    "a name of two lines": lambda it: it.update(name="a\nb"),
    "no name": lambda it: it.update(name=""),
    "a long name": lambda it: it.update(name="a" * 300),
    "a name of many bytes": lambda it: it.update(name="\u5b57" * 100),
    "a title with escape codes": lambda it: it.update(title="\x1b[2J"),
    "a title that turns around": lambda it: it.update(title="\u202eelttit"),
    "a rate beyond all": lambda it: it["recipe"].update(learning_rate=10**4000),
    "epochs without end": lambda it: it["recipe"].update(epochs=10**12),
    "a long title": lambda it: it.update(title="a" * 2**20),
    "no arms": lambda it: it.update(arms=[]),
    "arms without end": lambda it: it.update(
        arms=[it["arms"][0] | {"label": str(i)} for i in range(2000)], claims=[]
    ),
    "one arm": lambda it: it.update(arms=it["arms"][:1]),
    "two arms of one label": lambda it: it["arms"].append(it["arms"][0]),
    "no recipe": lambda it: it.update(recipe={}),
    "a recipe of nothing": lambda it: it.update(recipe=dict.fromkeys(it["recipe"])),
    "a recipe of no epochs": lambda it: it["recipe"].update(epochs=0),
    "a recipe of an arm": lambda it: it["arms"][1].update(recipe={"learning_rate": -1.0}),
    "a setting that is none": lambda it: it["recipe"].update(password="x"),
    "less than no seeds": lambda it: it.update(seeds=-1),
    "seeds without end": lambda it: it.update(seeds=10**12),
    "a number beyond all": lambda it: it["arms"][0].update(multiply_adds=10**100),
    "a side below all": lambda it: it["arms"][0].update(side=0),
    "a side without end": lambda it: it["arms"][0].update(side=10**9),
    "no classes": lambda it: it["data"].update(classes=0),
    "less than no images": lambda it: it["data"].update(train=-5),
    "a claim of nobody": lambda it: it["claims"].append(dict.fromkeys(it["claims"][0], "x")),
    "fields that are lists": lambda it: it.update({name: [[]] for name in it}),
    "fields that are null": lambda it: it.update(dict.fromkeys(it)),
}
RECORD_FIELDS: dict[str, Change] = {
    "a loss that is no number": lambda it: it["trials"][0]["epochs"][0].update(loss=float("nan")),
    "a loss without end": lambda it: it["trials"][0]["epochs"][0].update(loss=float("inf")),
    "epochs in no order": lambda it: it["trials"][0]["epochs"].reverse(),
    "a trial twice": lambda it: it["trials"].append(it["trials"][0]),
    "a trial of no seed": lambda it: it["trials"][0].update(seed=99),
    "a trial of nobody": lambda it: it["trials"][0].update(arm="nobody"),
    "a version that only equals": lambda it: it.update(version=True),
    "a time of nothing": lambda it: it["arms"][0]["timing"].update(seconds=0),
    "a failure with escape codes": lambda it: it["trials"][0].update(failure="\x1b]0;mine\x07"),
}
PLAN_FIELDS: dict[str, Change] = {
    "an unknown preset": lambda it: it.update(preset="huge"),
    "no width": lambda it: it.update(width=0),
    "a width that is no number": lambda it: it.update(width=float("nan")),
    "less than no images": lambda it: it.update(images=-1),
}
BYTES: dict[str, bytes] = {
    "emptied": b"",
    "cut off": b'{"version": 1, "name": "a',
    "nested": b"[" * 10**6,
    "nested objects": b'{"a":' * 10**5,
    "null": b"null",
    "no text": b"\x00\xff\xfe",
    "a number of many digits": b'{"version": ' + b"9" * 10**5 + b"}",
}


def files_in(folder: Path) -> dict[str, bytes]:
    """What is in a folder."""
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder deep enough that three folders up is still in the test's own."""
    made = tmp_path / "a" / "b" / "c"
    made.mkdir(parents=True)
    monkeypatch.chdir(made)
    return made


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A plan of a run, as its file holds it."""
    made, _ = make_plan(RunRequest("large_5x5", "smoke", "synthetic", 1, images=128), lambda _: None)
    return json.loads(json.dumps(asdict(made)))  # type: ignore[no-any-return]  # of one that was a dictionary


def assert_refused(done: Any, tmp_path: Path, before: dict[str, bytes]) -> None:
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert "bug" not in done.err
    assert len(done.err) < 600
    assert done.err[:-1].isprintable()
    assert files_in(tmp_path) == before


@pytest.mark.parametrize("name", RUN_FIELDS | RECORD_FIELDS)
def test_a_page_of_a_record(run: Run, tmp_path: Path, home: Path, name: str) -> None:
    content = json.loads(json.dumps({"version": record.VERSION, **asdict(sample())}))
    (RUN_FIELDS | RECORD_FIELDS)[name](content)
    (home / "run").mkdir()
    (home / "run" / record.FILE).write_text(json.dumps(content))
    before = files_in(tmp_path)
    assert_refused(run("report", "run"), tmp_path, before)
    assert_refused(run("report", "run", "-o", "elsewhere"), tmp_path, before)


@pytest.mark.parametrize("name", RUN_FIELDS | PLAN_FIELDS)
def test_a_run_to_resume(run: Run, tmp_path: Path, home: Path, planned: Any, name: str) -> None:
    content = json.loads(json.dumps(planned))
    (RUN_FIELDS | PLAN_FIELDS)[name](content)
    (home / "run" / "data").mkdir(parents=True)
    (home / "run" / plan.FILE).write_text(json.dumps(content))
    (home / "run" / "data" / "images-48.pt").write_bytes(b"somebody's")
    assert_refused(run("train", "--resume", "run"), tmp_path, files_in(tmp_path))
    assert_refused(run("report", "run"), tmp_path, files_in(tmp_path))


@pytest.mark.parametrize("name", BYTES)
def test_files_that_are_no_json(run: Run, tmp_path: Path, home: Path, name: str) -> None:
    for folder, file in (("record", record.FILE), ("plan", plan.FILE)):
        (home / folder).mkdir()
        (home / folder / file).write_bytes(BYTES[name])
    before = files_in(tmp_path)
    assert_refused(run("report", "record"), tmp_path, before)
    assert_refused(run("report", "plan"), tmp_path, before)
    assert_refused(run("train", "--resume", "plan"), tmp_path, before)


@pytest.mark.parametrize("name", [record.FILE, plan.FILE])
@pytest.mark.parametrize("kind", ["a pipe", "a folder", "a link to nothing", "a device"])
def test_a_record_that_is_no_file(run: Run, tmp_path: Path, home: Path, name: str, kind: str) -> None:
    file = home / "run" / name
    file.parent.mkdir()
    if kind == "a pipe":
        os.mkfifo(file)
    elif kind == "a folder":
        file.mkdir()
    else:
        file.symlink_to("nothing" if kind == "a link to nothing" else "/dev/zero")
    before = files_in(tmp_path)
    assert_refused(run("report", "run"), tmp_path, before)
    assert_refused(run("train", "--resume", "run"), tmp_path, before)


def somebodys(file: Path) -> None:
    """A database that is none of a study."""
    with closing(sqlite3.connect(file)) as base:
        base.execute("create table mine (note text)")


BESIDE: dict[str, Callable[[Path], object]] = {
    "no database": lambda folder: (folder / STUDY).write_bytes(b"text" * 1000),
    "a database that is cut off": lambda folder: (folder / STUDY).write_bytes(
        b"SQLite format 3\0" + bytes(50)
    ),
    "somebody's database": lambda folder: somebodys(folder / STUDY),
    "a folder for a database": lambda folder: (folder / STUDY).mkdir(),
    "a folder for the record": lambda folder: (folder / record.FILE).mkdir(),
    "a file for the trials": lambda folder: (folder / plan.TRIALS).write_text("mine"),
    "a file for the images": lambda folder: (folder / "data").write_text("mine"),
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_lies_beside_a_plan(run: Run, tmp_path: Path, home: Path, planned: Any, name: str) -> None:
    (home / "run").mkdir()
    (home / "run" / plan.FILE).write_text(json.dumps(planned))
    BESIDE[name](home / "run")
    assert_refused(run("train", "--resume", "run"), tmp_path, files_in(tmp_path))


CODE = """
from pathlib import Path
Path({mark!r}).touch()
from blocks import mini
from costlab.train import Experiment, arm
mine = Experiment("mine", "Mine", {{"a": arm(mini, width=0.125), "b": arm(mini, width=0.25)}})
"""


def test_code_that_a_folder_names_runs_only_where_it_is_named_again(
    run: Run, tmp_path: Path, home: Path
) -> None:
    mark = tmp_path / "ran"
    (home / "theirs.py").write_text(CODE.format(mark=str(mark)))
    made, dataset = make_plan(
        RunRequest("theirs.py:mine", "smoke", "synthetic", 1, ("batch_size=16",), images=48), lambda _: None
    )
    folder = home / "run"
    folder.mkdir()
    save_plan(made, dataset, folder)
    mark.unlink()
    before = files_in(tmp_path)
    done = run("train", "--resume", "run")
    assert_refused(done, tmp_path, before)
    assert "code that would run: if you trust it, costlab train theirs.py:mine --resume run" in done.err
    done = run("train", "large_5x5", "--resume", "run")
    assert_refused(done, tmp_path, before)
    assert "this run is of 'theirs.py:mine', not of 'large_5x5'" in done.err
    assert_refused(run("report", "run"), tmp_path, before)
    assert not mark.exists()


def test_the_name_that_is_given_again_is_what_runs(tmp_path: Path, planned: Any) -> None:
    for code in ("nets:mine", "their.nets:mine", "nets.py:mine:width=2"):
        with pytest.raises(RunError, match="code that would run"):
            decode(Plan, {**planned, "ablation": code}).named_again(None, tmp_path)
    made: Plan = decode(Plan, {**planned, "ablation": "old/nets.py:mine"})
    assert made.named_again("new/nets.py:mine", tmp_path).ablation == "new/nets.py:mine"
    with pytest.raises(RunError, match=r"costlab train old/nets\.py:mine --resume"):
        made.named_again(None, tmp_path)
    listed: Plan = decode(Plan, planned)
    assert listed.named_again("large_5x5", tmp_path) == listed.named_again(None, tmp_path) == listed
    with pytest.raises(RunError, match=r"of 'large_5x5', not of 'nets\.py:mine'"):
        listed.named_again("nets.py:mine", tmp_path)


@pytest.mark.parametrize("name", ["kernels.md", "study.db", "trials", "results.json"])
def test_a_link_that_leads_out(run: Run, tmp_path: Path, home: Path, planned: Any, name: str) -> None:
    (tmp_path / "precious").write_text("mine")
    folder = home / "run"
    folder.mkdir()
    (folder / plan.FILE).write_text(json.dumps(planned))
    sample().save(folder / record.FILE)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(tmp_path if name == "trials" else tmp_path / "precious")
    before = files_in(tmp_path)
    for done in (run("train", "--resume", "run"), run("report", "run")):
        assert_refused(done, tmp_path, before)
        assert f"run/{name} is a link that leads out of run: remove it" in done.err


@pytest.mark.parametrize("name", [".lock", "trials", "data/images-48.pt", "study.db"])
def test_a_pipe_holds_up_nobody(run: Run, tmp_path: Path, home: Path, planned: Any, name: str) -> None:
    (home / "run" / "data").mkdir(parents=True)
    (home / "run" / plan.FILE).write_text(json.dumps(planned))
    os.mkfifo(home / "run" / name)
    done = run("train", "--resume", "run")
    assert_refused(done, tmp_path, files_in(tmp_path))
    assert f"run/{name} is no file and no folder" in done.err


def test_a_file_without_end_is_not_read(run: Run, home: Path) -> None:
    for folder, file in (("record", record.FILE), ("plan", plan.FILE)):
        (home / folder).mkdir()
        with (home / folder / file).open("wb") as out:
            out.truncate(2**36)
        done = run("report", folder)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "is larger than 268,435,456 bytes" in done.err


def test_images_that_are_something_else_are_made_anew(tmp_path: Path) -> None:
    made, dataset = make_plan(RunRequest("large_5x5", "smoke", "synthetic", 1, images=128), lambda _: None)
    save_plan(made, dataset, tmp_path)
    file = tmp_path / "data" / "images-48.pt"
    torch.save(torch.zeros(3), file)
    cache.prepare(tmp_path, [48], dataset.digest, lambda: dataset)
    assert len(cache.load(tmp_path, 48)[0].labels) == 128


def test_a_link_within_a_folder_is_none_that_leads_out(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    (tmp_path / "b").symlink_to("a")
    refuse_traps(tmp_path)
    (tmp_path / "c").symlink_to("../elsewhere")
    with pytest.raises(OutputError, match="c is a link"):
        refuse_traps(tmp_path)

"""``costlab train --space``: options that do not go together, and runs of members as a user sees them."""

import json
from pathlib import Path
from shlex import split
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.train.conftest import images_once, preloaded_workers  # noqa: F401  # fixtures

SPACE = "'mini width=0.05:0.2:0.05 large'"
SMALL = "--images 48 --set batch_size=16 --set epochs=1 --device cpu --workers 1"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (f"--space {SPACE}", "--space goes with --sample N: how many are trained"),
        (f"--space {SPACE} --sample 0", "--sample: 0 is no whole number from 1 to 1000"),
        (f"--space {SPACE} --sample 1001", "--sample: 1001 is no whole number from 1 to 1000"),
        (
            f"--space {SPACE} --sample 2 large_5x5",
            "--space says what is trained, and NAME too: --beside",
        ),
        (f"--space {SPACE} --sample 2 --within 5%", "--within and --of go together"),
        (f"--space {SPACE} --sample 2 --of 5e6", "--within and --of go together"),
        (f"--space {SPACE} --sample 2 --search --space {SPACE}", "--search goes over one --space"),
        (f"--space {SPACE} --sample 2 --search grid", "--search: 'grid' is not one of 'nsga2', 'tpe'"),
        (f"--space {SPACE} --sample 2 --seed -1", "--seed: -1 is no whole number of at least 0"),
        (f"--space {SPACE} --sample 2 --width 0.5", "--width is that of an experiment"),
        (f"--space {SPACE} --sample 2 -o full", "full holds something already"),
        (f"--space {SPACE} --sample 2 --set foo=1", "there is no foo"),
        (f"--space {SPACE} --sample 2 --data folder:nowhere", "--data folder:nowhere: "),
        (
            f"--space {SPACE} --sample 2 --within 1% --of 7",
            "--within 1% --of 7: 'mini width=0.05:0.2:0.05",
        ),
        (f"--space {SPACE} --sample 2 --images 48", "48 training images are fewer than batch_size=64"),
        ("--space nosuch.toml --sample 2", "there is no file nosuch.toml"),
        ("--space 'mini widht=1,2' --sample 2", "--space mini: widht: mini has no parameter 'widht'"),
        ("large_5x5 --sample 2", "--sample goes with --space"),
        ("--sample 2", "--sample goes with --space"),
        ("large_5x5 --search", "--search goes with --space"),
        ("large_5x5 --beside paper", "--beside goes with --space"),
        ("large_5x5 --where width>1", "--where goes with --space"),
        ("--resume x --sample 2", "--resume goes on with a run as it was begun: --sample is settled"),
        ("--resume x --search", "--resume goes on with a run as it was begun: --search is settled"),
        (f"--resume x --space {SPACE}", "--resume x: there is no such folder"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    args: str, message: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    done = run("train", *split(args))
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.splitlines()[-1].startswith("costlab: error: ")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["mine.txt"]


@pytest.mark.usefixtures("images_once", "preloaded_workers")
def test_a_search_is_trained_and_gone_on_with(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("train", *split(f"--space {SPACE} --sample 4 --search --beside mini:width=0.3 {SMALL}"))
    assert done.code == 0, done.err
    record: dict[str, Any] = json.loads(Path("runs/mini_search/results.json").read_text())
    drawn = record["spaces"][0]["drawn"]
    assert [arm["label"] for arm in record["arms"]] == ["mini", "mini:width=0.3", *drawn]
    assert len(set(drawn)) == 4
    assert record["seeds"] == 1
    assert (record["search"]["sampler"], record["search"]["first"]) == ("nsga2", 2)
    assert record["command"] == (
        f"costlab train --space {SPACE} --sample 4 --beside mini:width=0.3 --search nsga2 --preset smoke "
        "--seeds 1 --images 48 --set batch_size=16 --set epochs=1"
    )
    counted = run("count", drawn[-1], "--input", "3x48x48", "--format", "json")
    (arm,) = [arm for arm in record["arms"] if arm["label"] == drawn[-1]]
    assert json.loads(counted.out)["total"]["multiply_adds"] == arm["multiply_adds"]
    other = run("train", "--resume", "runs/mini_search", "--space", "mini width=0.05:0.2:0.05 small")
    assert other.code == 2
    assert "this run is of the space 'mini width=0.05:0.2:0.05 large', not of" in other.err
    same = run("train", "--resume", "runs/mini_search", "--workers", "1", *split(f"--space {SPACE}"))
    assert same.code == 0, same.err
    assert json.loads(Path("runs/mini_search/results.json").read_text()) == record
    known = f"--known runs/mini_search/results.json -o again {SMALL}"
    again = run("train", *split(f"--space {SPACE} --sample 4 --search --beside mini:width=0.3 {known}"))
    assert again.code == 0, again.err
    assert "training: " not in again.err  # of later generations, too
    assert again.err.count("runs/mini_search/results.json has 4 of 4 trials") == 1
    assert json.loads(Path("again/results.json").read_text())["trials"] == record["trials"]
    none = run("train", "--resume", "runs/mini_search", "--preset", "full")
    assert none.code == 2

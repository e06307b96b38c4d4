"""``costlab explore`` about memory: what it lists and shows against `costlab.memory`, and what it refuses."""

import csv
import io
import json
from itertools import product
from pathlib import Path

import pytest

import costlab
from tests.cli.conftest import Run
from tests.cli.exploring import NET, NETS

AXES = ("--vary", "filters=2:9", "--vary", "n=1,3", "--vary", "deep")
LARGE = ("--vary", "filters=1:2000", "--vary", "width=0.5:1:0.001")
RUNNING = ("--train", "--optimizer", "adam", "-b", "4")


@pytest.fixture(autouse=True)
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def peaks() -> dict[tuple[int, int, bool], int]:
    """What each member holds at most, run by itself."""
    return {
        (filters, n, deep): int(
            costlab.memory(NET, batch=4, train=True, optimizer="adam", filters=filters, n=n, deep=deep).total
        )
        for filters, n, deep in product(range(2, 10), (1, 3), (False, True))
    }


def test_members_within_a_limit_are_those_that_hold_no_more(
    run: Run, peaks: dict[tuple[int, int, bool], int]
) -> None:
    limit = sorted(peaks.values())[11]
    for most in (("--max-peak-memory", f"{limit}"), ("--where", f"peak_memory <= {limit}")):
        code, out, err = run("explore", NET, *AXES, *RUNNING, *most, "--members", "-f", "csv")
        assert (code, err) == (0, "")
        found = {
            (int(row["filters"]), int(row["n"]), row["deep"] == "True"): int(row["peak_memory"])
            for row in csv.DictReader(io.StringIO(out))
        }
        assert found == {key: size for key, size in peaks.items() if size <= limit}


def test_the_largest_and_how_they_run_are_shown(run: Run, peaks: dict[tuple[int, int, bool], int]) -> None:
    words = ("explore", NET, *AXES, *RUNNING, "--top", "2", "--by", "peak_memory")
    rows = json.loads(run(*words, "-f", "json").out)
    assert [row["peak_memory"] for row in rows["rows"]] == sorted(peaks.values())[:-3:-1]
    how = {"train": True, "optimizer": "adam", "momentum": False, "average": False, "dtype": None}
    assert rows["running"] == how | {"batch": 4}
    shown = run(*words).out
    assert f"{max(peaks.values()):,}" in shown
    assert "peak memory: all that is held at once, in a step of training with adam, batch 4, float32" in shown


def test_a_survey_has_the_extremes_of_memory(run: Run) -> None:
    shown = run("explore", NET, *AXES, "--max-peak-memory", "1 MiB").out
    assert "peak_memory <= 1MiB" in shown
    most = max(
        int(costlab.memory(NET, filters=9, n=n, deep=deep).total) for n in (1, 3) for deep in (False, True)
    )
    assert f"most   {most:,}" in " ".join(shown.split()).replace("most ", "most   ")
    assert "in inference, batch 1, float32" in shown


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((*AXES, "--max-peak-memory", "16G"), "--max-peak-memory: '16G' is no number of bytes"),
        ((*AXES, "--max-peak-memory", "1.5"), "--max-peak-memory: '1.5' is no whole number"),
        ((*AXES, "--where", "parameters < 3MB"), "--where: units of bytes go with peak_memory"),
        ((*AXES, "--momentum"), "--momentum goes with --train"),
        ((*AXES, *RUNNING, "--momentum"), "optimizer=adam keeps averages of its own and has no momentum"),
        (("--train",), "--train is asked of a space: give its axes with --vary or --space"),
        ((*LARGE, "--by", "peak_memory", "--top", "1"), "--by: peak_memory is worked out for each"),
        ((*LARGE, "--max-peak-memory", "1MB"), "--max-peak-memory: peak_memory is worked out for each"),
        ((*LARGE, "--train"), "nets.py:net: peak_memory is worked out for each member, and 1,002,"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_in_a_line(run: Run, words: tuple[str, ...], why: str) -> None:
    code, out, err = run("explore", NET, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"costlab: error: {why}")

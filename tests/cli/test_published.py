"""What is counted beside what is reported, as people and programs see it."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from costlab.checking import cross_check
from costlab.checking.finding import Finding
from costlab.counting.compare import compare
from costlab.counting.count import Count
from costlab.report.tables.published import published_table
from tests.cli.conftest import Run
from tests.definitions.test_inference_budget import COUNTED, PUBLISHED


def test_counted_and_reported_are_never_in_one_column(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("compare", "-a", "inference_budget", "-f", "csv").out)))
    for row in rows:
        label = row["variant"]
        assert int(row["multiply_adds"]) == COUNTED[label]
        figures = (row["reported_top_1_error"], row["reported_top_5_error"], row["reported_billions"])
        assert tuple(value or None for value in figures) == PUBLISHED[label]
        assert row["reported_in"].startswith("Table ")
    table = published_table(compare(ablation="inference_budget"))
    titles = [column.title for column in table.columns if not column.machine_only]
    assert [title for title in titles if title.endswith("counted")] == ["multiply-adds, counted"]
    assert [title for title in titles if title.endswith("(counted / reported)")] == [
        "per top-1 point (counted / reported)",
        "per top-5 point (counted / reported)",
    ]
    assert [title for title in titles if "(reported)" in title] == [
        "billions (reported)",
        "top-1 error, % (reported)",
        "top-5 error, % (reported)",
    ]


def test_the_tables_that_people_see(run: Run) -> None:
    out = run("compare", "-a", "inference_budget").out
    assert "Counted multiply-adds beside what is reported" in out
    lines = out.splitlines()
    (at,) = [i for i, line in enumerate(lines) if line.startswith("Inception-v3, 12 ") and "Table 4" in line]
    assert lines[at + 1] == "crops"
    figures = lines[at].removeprefix("Inception-v3, 12 ").split()
    assert figures == [
        *("68,558,593,152", "Table", "4", "-", "19.47", "4.48"),
        *("Inception-v3", "36.33", "G", "56.11", "G"),
    ]
    assert len(re.findall(r"^PReLU-net C, 10 (?:.*\ncrops|crops .*\n)(?: ?\(\?\))$", out, re.MULTILINE)) == 2
    assert "left out: VGGNet, its errors (?)," in out
    assert "table 5 prints 3.58%, on the test set" in out
    content = json.loads(run("compare", "-a", "inference_budget", "-f", "json").out)
    assert len(content["notes"]) == 3
    assert content["rows"][-1]["unverified"] is True
    assert content["batch"] is None
    assert [row["batch"] for row in content["rows"]][-3:] == [144, 144, 10]
    plain = run("compare", "-a", "nxn").out
    assert "reported" not in plain


def test_the_set_is_listed_with_its_batches(run: Run) -> None:
    out = run("list", "--ablations", "inference_budget").out
    assert "inception_v3, input 3x299x299, batch 144\n" in out
    rows = json.loads(run("list", "inference_budget", "--ablations", "-f", "json").out)["rows"]
    assert [row["batch"] for row in rows if row["variant"].endswith("12 crops")] == [12]


CHECKED = """
from costlab import Ablation, variant

crops = Ablation("crops", "Crops", {
    "one": variant("conv_nxn", "64x9x9"),
    "many": variant("conv_nxn", "64x9x9", 12),
    "elsewhere": variant("conv_nxn", "64x5x5"),
})
"""


@pytest.mark.parametrize(("times", "ran"), [(1, [1, 1]), (3, [3, 3])])
def test_what_differs_by_its_batch_only_is_run_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int, ran: list[int]
) -> None:
    batches: list[object] = []

    def seen(counted: Count, **settings: Any) -> list[Finding]:
        batches.append(counted.batch)
        return check(counted, **settings)

    check = cross_check.check
    monkeypatch.setattr(cross_check, "check", seen)
    file = tmp_path / "sets.py"
    file.write_text(CHECKED)
    code, out, _ = run("compare", "-a", f"{file}:crops", "--check", "-b", str(times))
    assert code == 0
    assert batches == ran  # the third is another input
    assert f", 11 comparisons each, batch {times}:" in out
    assert [line.partition(":")[0] for line in out.splitlines() if ": agreed on" in line] == [
        "one",
        "many",
        "elsewhere",
    ]

"""``--partial``: the mark is in every form, and what is for the whole is refused in one line."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

MODELS = """
import torch
from torch import nn

class Post(nn.Module):
    def __init__(self):
        super().__init__()
        self.refine = nn.Linear(4, 4)
    def forward(self, boxes):
        return self.refine(boxes[boxes[:, 0] > 0.5])

class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.box, self.post = nn.Conv2d(8, 4, 1), Post()
    def forward(self, x):
        return self.post(self.box(x).flatten(2).mT.flatten(0, 1))

class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone, self.head = nn.Conv2d(3, 8, 3, padding=1), Head()
    def forward(self, x):
        return self.head(self.backbone(x))

class Wrong(nn.Module):
    def forward(self, x):
        raise ValueError("mine")

backbone = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1))
"""
DETECTOR = ("models.py:Detector", "-i", "3x8x8", "--partial")
MACS = 64 * 27 * 8 + 64 * 8 * 4
WHY = "what it does depends on the values of its data, which a count does not have ("
NOTE = f"models.py:Detector: counted in part: stopped at head.post: {WHY}"
HINT = "; costlab count --partial, partial=True in Python, counts what runs up to there\n"


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models.py").write_text(MODELS)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", ["count", "reconcile", "report"])
def test_the_hint_stands_at_the_end_of_the_error(run: Run, command: str) -> None:
    more = ("-o", "pages") if command == "report" else ()
    code, out, err = run(command, *DETECTOR[:-1], *more)
    assert (code, out) == (2, "")
    assert err.startswith(f"costlab: error: head.post: {WHY}")
    assert err.endswith(HINT)
    assert not Path("pages").exists()


@pytest.mark.parametrize("form", ["table", "markdown", "latex"])
@pytest.mark.parametrize("by", ["module", "kind"])
def test_forms_for_people(run: Run, form: str, by: str) -> None:
    code, out, err = run("count", *DETECTOR, "-f", form, "--by", by)
    assert code == 0
    assert err.startswith(NOTE)
    assert err.count("\n") == 1
    title, *_ = out.splitlines()
    assert "models.py:Detector (partial), input 1x3x8x8, stopped at head.post" in title
    assert "total (partial)" in out
    flat = " ".join(out.split())  # a long note is folded
    assert f"models.py:Detector (partial): only what ran until it stopped at head.post: {WHY}" in flat
    assert f"{MACS:,}" in out
    reached = out.replace(r"\_", "_")
    assert ("not_reached" in reached) is (by == "kind")
    assert "20 not reached" in out
    assert "unused" not in out


def test_forms_for_machines(run: Run, tmp_path: Path) -> None:
    content = json.loads(run("count", *DETECTOR, "-f", "json").out)
    assert content["partial"]["stopped_at"] == "head.post"
    assert content["partial"]["reason"].startswith(WHY)
    assert content["output"] is None
    assert content["total"]["multiply_adds"] == MACS
    assert content["total"]["module"] == "total (partial)"
    assert [row["partial"] for row in (*content["rows"], content["total"])] == [True] * 3
    assert [row["output"] for row in content["rows"]] == ["1x8x8x8", ""]
    for by in ("module", "kind"):
        rows = list(csv.DictReader(io.StringIO(run("count", *DETECTOR, "-f", "csv", "--by", by).out)))
        assert {row["partial"] for row in rows} == {"True"}
        assert sum(int(row["multiply_adds"]) for row in rows) == MACS
    netron = json.loads(run("count", *DETECTOR, "-f", "netron").out)
    assert {each["name"] for each in netron["metadata"]} == {"counted by costlab", "partial"}
    assert all("reached" not in each["target"] for each in netron["metrics"])
    file = tmp_path / "out.csv"
    code, out, err = run("count", *DETECTOR, "-o", str(file))
    assert (code, out) == (0, "")
    assert err.startswith(NOTE)
    assert "True" in file.read_text()


def test_a_model_that_runs_through_has_no_mark(run: Run) -> None:
    words = ("count", "models.py:backbone", "-i", "3x8x8")
    for form in ("table", "csv", "json", "markdown", "latex", "netron"):
        plain, partial = run(*words, "-f", form), run(*words, "-f", form, "--partial")
        assert plain == partial
        assert (plain.code, plain.err) == (0, "")
    assert json.loads(run(*words, "-f", "json").out)["partial"] is None
    assert run("count", "stem", "--partial") == run("count", "stem")
    code, out, _ = run(*words, "--partial", "--check")
    assert code == 0
    assert "agreed on" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("count", *DETECTOR, "--check"),
            "models.py:Detector is counted in part, and --check is for the whole: ",
        ),
        (("count", *DETECTOR, "--backward"), f"head.post: {WHY}"),
        (("count", "stem", "--partial", "--symbolic"), "--partial is for modules, and --symbolic is not"),
        (("count", "models.py:Wrong", "-i", "2x4", "--partial"), "Wrong: ValueError: mine\n"),
        (("count", "models.py:Detector", "-i", "4x8x8", "--partial"), "backbone: RuntimeError: "),
        (
            ("compare", "models.py:backbone", *DETECTOR, "--check"),
            "models.py:Detector is counted in part, and --c",
        ),
        (
            ("compare", "models.py:backbone", *DETECTOR, "--diff"),
            "models.py:Detector is counted in part, and what",
        ),
        (
            ("compare", "models.py:backbone", *DETECTOR, "--plot", "a.png"),
            "models.py:Detector is counted in part",
        ),
        (("compare", "models.py:backbone", *DETECTOR[:-1]), f"head.post: {WHY}"),
        (
            ("compare", "stem", "stem", "--partial", "--symbolic"),
            "--partial is for modules, and --symbolic is not",
        ),
    ],
)
def test_what_is_for_the_whole_is_refused(run: Run, words: tuple[str, ...], message: str) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith(f"costlab: error: {message}")
    assert err.count("\n") == 1
    assert not list(Path().glob("*.png"))


def test_a_comparison_has_no_ratio_of_a_part(run: Run) -> None:
    words = ("compare", "models.py:backbone", *DETECTOR)
    code, out, err = run(*words)
    assert code == 0
    assert err.startswith(NOTE)
    (row,) = (line for line in out.splitlines() if line.startswith("models.py:Detector (partial)  "))
    assert f"{MACS:,}" in row
    assert row.split()[3:5] == ["-", "-"]
    assert "models.py:Detector (partial): only what ran until it stopped at head.post" in out
    content = json.loads(run(*words, "-f", "json").out)
    assert content["partial"].keys() == {"models.py:Detector"}
    whole, part = content["rows"]
    assert (whole["variant"], whole["partial"]) == ("models.py:backbone", False)
    assert (part["variant"], part["partial"]) == ("models.py:Detector", True)
    assert part["multiply_adds"] == MACS
    assert part["multiply_adds_ratio"] is None
    assert part["activations_saving"] is None
    assert part["parameters_ratio"] == "5/4"  # 280 of the whole detector, to 224
    turned = json.loads(run("compare", *DETECTOR, "models.py:backbone", "-f", "json").out)
    assert [row["multiply_adds_ratio"] for row in turned["rows"]] == [None, None]


def test_the_help_says_what_it_is(run: Run) -> None:
    out = " ".join(run("count", "--help").out.split())
    assert (
        "--partial Where a module stops because of its data, count what ran up to there, and mark it." in out
    )

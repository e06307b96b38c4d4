"""``costlab lint``: a list for people, rows for machines, what is silenced and where, exits, and mistakes."""

import csv
import io
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from costlab.cli.main import cli
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "lint.md").read_text("utf-8")
CONV_FIRST = "inception_v3:reductions=conv+pool"
TABLE = "[tool.costlab.lint]\n"
HEAD = re.compile(r"^(\S+): (warning|note): ([a-z-]+): ", re.MULTILINE)
MODEL = """
from torch import nn

def net():
    return nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3))

def odd():
    model = nn.Sequential()
    model.add_module("a\\x1b[31mb", nn.Conv2d(3, 8, 5))
    return model
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder below one with a project, the working one."""
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    return tmp_path


def project(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(text)


def rows(run: Run, *words: str) -> list[dict[str, str]]:
    code, out, err = run("lint", *words, "-f", "csv")
    assert (code, err) == (0, "")
    return list(csv.DictReader(io.StringIO(out)))


def test_a_list_for_people(run: Run) -> None:
    code, out, err = run("lint", "inception_v3")
    assert (code, err) == (0, "")
    found = HEAD.findall(out)
    assert [(path, rule) for path, severity, rule in found if severity == "warning"] == [
        ("stem.pool_3a", "pinch"),
        ("stem.pool_5a", "pinch"),
        *((f"mixed_5{letter}.b5x5.1.conv", "large-kernel") for letter in "bcd"),
        ("mixed_7a", "pinch"),
    ]
    assert [path for path, severity, _ in found if severity == "note"] == [
        "stem.conv_2b.conv",
        "stem.conv_4a.conv",
    ]
    assert out.startswith("inception_v3, input 3x299x299\n\nstem.conv_2b.conv: note: ")
    shown = " ".join(out.split())
    elements = 64 * 147**2 / (64 * 73**2)
    assert f"{elements:.2f} times fewer elements" in shown
    assert "principle 1, section 2: avoid representational bottlenecks change: " in shown
    assert f"takes {35 * 35 * 64 * 48 * 25:,} multiply-adds" in shown
    assert out.splitlines()[-1] == "6 warnings, 2 notes"


def test_the_balance_is_reported(run: Run) -> None:
    out = run("lint", "alexnet").out
    assert "balance of width and depth (principle 4, section 2) and shares are reported, and never" in out
    told = json.loads(run("lint", "alexnet", "-f", "json").out)
    assert [(row["grid"], row["convolutions"], row["widest"]) for row in told["grids"]] == [
        ("55x55", 1, 96),
        ("27x27", 1, 256),
        ("13x13", 3, 384),
    ]
    first = 55 * 55 * 96 * 3 * 121
    assert told["grids"][0]["multiply_adds"] == first
    assert told["grids"][0]["share"] == first / told["total"]["multiply_adds"]
    assert told["grids"][2]["mean_width"] == pytest.approx((384 + 384 + 256) / 3)
    assert sum(row["multiply_adds"] for row in told["grids"]) == told["multiply_adds_of_convolutions"]
    assert sum(row["share"] for row in told["grids"]) == pytest.approx(1)


def test_machine_formats_have_plain_numbers(run: Run) -> None:
    found = {(row["module"], row["rule"]): row for row in rows(run, CONV_FIRST)}
    grid = found["mixed_6a.conv.conv", "convolution-before-pool"]
    assert grid["multiply_adds"] == str(35 * 35 * 768 * 288 * 9)
    assert (grid["from_grid"], grid["to_grid"], grid["channels"], grid["filters"]) == (
        *("35x35", "17x17"),
        *("288", "768"),
    )
    assert f"{100 * float(grid['share_of_convolutions']):.1f}" == "24.4"
    assert grid["ratio"] == ""
    pinch = found["stem.pool_3a", "pinch"]
    assert (pinch["from_elements"], pinch["to_elements"]) == (str(64 * 147**2), str(64 * 73**2))
    kernel = found["mixed_5b.b5x5.1.conv", "large-kernel"]
    assert (kernel["kernel"], kernel["to_grid"]) == ("5x5", "35x35")
    assert int(kernel["multiply_adds_as_1xn_nx1"]) < int(kernel["multiply_adds_as_3x3_pairs"])
    told = json.loads(run("lint", CONV_FIRST, "-f", "json").out)
    assert (told["warnings"], told["notes"], told["silenced"]) == (9, 2, [])
    assert [row["severity"] for row in told["rows"]].count("warning") == 9
    assert (told["traced"], told["configuration"], told["expensive_share"]) == (False, None, 0.2)


def test_a_column_that_both_tables_could_have_is_one_of_them(run: Run) -> None:
    columns = run("lint", "resnet50", "--columns", "grid,share").out
    assert columns.startswith("Convolutions by the grid of what they put out\n")
    shares = run("lint", "resnet50", "--columns", "module,share_of_convolutions").out
    assert "2.9%" in shares
    assert "112x112" not in shares


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_list_is_as_wide_as_the_terminal(run: Run, width: int) -> None:
    from costlab.advise.lint.lint import lint
    from costlab.report.tables.lint import lint_tables

    findings, grids = lint_tables(lint(CONV_FIRST))
    for table in (findings, grids):
        assert max(map(len, table.to_text(width).splitlines())) <= width
    plain, colored = findings.to_text(width), findings.to_text(width, color=True)
    assert re.sub(r"\x1b\[\d+m", "", colored) == plain
    assert colored.count("\x1b[33mwarning\x1b[0m:") == 9
    assert len(re.findall(r": (?:warning|note):", " ".join(plain.split()))) == 11


def test_what_is_silenced_is_said(run: Run, folder: Path) -> None:
    project(
        folder,
        f"{TABLE}ignore = ['large-kernel']\nexpensive-share = '10%'\n"
        "per-module-ignores = { 'stem.pool_*' = ['pinch'] }\n",
    )
    out = run("lint", "inception_v3").out
    assert out.endswith("\n2 warnings, 1 note; 5 silenced\n")
    assert HEAD.findall(out) == [
        ("stem.conv_2b.conv", "note", "convolution-before-pool"),
        ("stem.conv_4a.conv", "warning", "convolution-before-pool"),
        ("mixed_7a", "warning", "pinch"),
    ]
    told = json.loads(run("lint", "inception_v3", "-f", "json").out)
    assert told["configuration"] == str(folder / "pyproject.toml")
    assert {"module": "stem.pool_3a", "rule": "pinch"} in told["silenced"]
    assert len(told["silenced"]) == 5


def test_what_is_typed_wins(run: Run, folder: Path) -> None:
    project(folder, f"{TABLE}ignore = ['large-kernel']\nselect = ['large-kernel', 'pinch']")
    assert [row["rule"] for row in rows(run, "inception_v3")] == ["pinch"] * 3
    assert [row["rule"] for row in rows(run, "inception_v3", "--select", "large-kernel")] == [
        "large-kernel"
    ] * 3
    assert rows(run, "inception_v3", "--ignore", "pinch") == []
    assert len(rows(run, "inception_v3", "--select", "ALL", "--ignore", "pinch,large-kernel")) == 2
    (folder / "other.toml").write_text(f"{TABLE}select = ['convolution-before-pool']")
    assert len(rows(run, "inception_v3", "--config", str(folder / "other.toml"))) == 2
    nothing = run("lint", "inception_v3", "--strict", "--ignore", "ALL")
    assert (nothing.code, nothing.out.splitlines()[-1]) == (0, "nothing found; 8 silenced")


def test_strict_fails_where_a_warning_is_heard(run: Run, folder: Path) -> None:
    assert run("lint", "resnet50", "--strict").code == 1
    assert run("lint", "resnet50", "--strict").err == ""  # it stands in the list
    code, out, err = run("lint", "resnet50", "--strict", "-f", "markdown")
    assert code == 1
    assert "| pool_1 | warning | pinch |" in out
    assert [line.split(" ")[:3] for line in err.splitlines()] == [
        ["conv_1.conv:", "warning:", "large-kernel:"],
        ["pool_1:", "warning:", "pinch:"],
    ]
    assert run("lint", "resnet50", "--strict", "-o", "found.json").code == 1
    assert json.loads(Path("found.json").read_text())["warnings"] == 2
    assert run("lint", "resnet50", "--strict", "--ignore", "pinch,large-kernel").code == 0
    notes = run("lint", "inception_v3", "--strict", "--select", "convolution-before-pool")
    assert (notes.code, notes.out.splitlines()[-1]) == (0, "2 notes; 6 silenced")


def test_a_model_of_pytorch_is_traced(run: Run, folder: Path) -> None:
    Path("mine.py").write_text(MODEL)
    told = json.loads(run("lint", "mine.py:net", "-i", "2x3x20x20", "-f", "json").out)
    found = {row["rule"]: row for row in told["rows"]}
    assert told["traced"] is True
    assert found["large-kernel"]["module"] == "0"
    assert found["large-kernel"]["multiply_adds"] == 2 * 16 * 16 * 8 * 3 * 25
    assert (found["pinch"]["module"], found["pinch"]["from_elements"]) == ("2", 2 * 8 * 16 * 16)
    assert found["pool-before-expansion"]["convolution"] == "3"
    odd = run("lint", "mine.py:odd", "-i", "3x20x20").out
    assert "\x1b" not in odd
    assert "ab: warning: large-kernel" in odd
    linear = run("lint", "torch.nn:Linear:in_features=3,out_features=4", "-i", "3")
    assert (linear.code, linear.out.splitlines()[-1]) == (0, "nothing found")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--select", "pich"), "--select: there is no rule 'pich'; did you mean pinch?"),
        (
            ("--ignore", "large_kernel"),
            "--ignore: there is no rule 'large_kernel'; did you mean large-kernel?",
        ),
        (("--ignore", "pinch,"), "--ignore: 'pinch,' has an empty name in it"),
        (("--select", "pinch,pinch"), "--select: pinch is named twice"),
        (("--config", "nosuch.toml"), "nosuch.toml: there is no such file"),
        (("--config", "."), ". is no file: name a TOML file with [tool.costlab.lint]"),
        (("-i", "3x8x8"), "stem"),
        (
            ("--columns", "finding"),
            "--columns: there is no column 'finding'; there is module, severity, rule",
        ),
    ],
)
def test_mistakes_are_told_in_one_line(run: Run, folder: Path, words: tuple[str, ...], message: str) -> None:
    code, out, err = run("lint", "inception_v3", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_a_mistake_in_the_file_is_told_with_its_key(run: Run, folder: Path) -> None:
    project(folder, f"{TABLE}ignore = ['pich']")
    code, out, err = run("lint", "stem")
    assert (code, out) == (2, "")
    assert err == (
        f"costlab: error: {folder / 'pyproject.toml'}: tool.costlab.lint.ignore: there is no rule 'pich'; "
        "did you mean pinch?\n"
    )


def shown(language: str, start: str) -> str:
    """The block of the page that begins so."""
    (block,) = re.findall(rf"```{language}\n({re.escape(start)}(?:.*\n)*?)```", PAGE)
    return str(block)


def test_the_table_and_the_model_that_are_written_there_go_together(run: Run, folder: Path) -> None:
    Path("model.py").write_text(shown("python", "# model.py"))
    alone = run("lint", "model.py:Net", "-i", "3x32x32", "--strict")
    assert (alone.code, alone.out.splitlines()[-1]) == (1, "3 warnings")
    project(folder, shown("toml", "# pyproject.toml"))
    code, out, _ = run("lint", "model.py:Net", "-i", "3x32x32", "--strict")
    assert (code, out.splitlines()[-1]) == (0, "1 note; 2 silenced")
    assert HEAD.findall(out) == [("features.0", "note", "convolution-before-pool")]


def test_the_hook_that_is_written_there_is_one_of_ours(folder: Path) -> None:
    manifest: Any = import_module("pre_commit.clientlib").load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))
    example = import_module("yaml").safe_load(shown("yaml", "# .pre-commit-config.yaml"))
    (used,) = example["repos"][0]["hooks"]
    (hook,) = [each for each in manifest if each["id"] == used["id"]]
    words = hook["entry"].split()
    assert (words[:2], hook["pass_filenames"]) == (["costlab", "lint"], False)
    Path("model.py").write_text(shown("python", "# model.py"))
    given = cli.commands["lint"].make_context("lint", [*words[2:], *used["args"]]).params
    assert (given["target"], given["input_"], given["strict"]) == ("model.py:Net", ("3x32x32",), True)

"""``costlab budget``: verdicts and exits, every format, the project's table, and what is refused."""

import csv
import io
import json
import os
from pathlib import Path

import pytest

import costlab
from tests.cli.conftest import Run

MULTIPLY_ADDS, PARAMETERS, ACTIVATIONS = 5_713_216_096, 23_834_568, 8_968_488
"""Those of Inception v3."""


def test_within_is_0_and_over_is_1(run: Run) -> None:
    words = ("budget", "inception_v3", "--max-parameters", f"{PARAMETERS}", "--max-multiply-adds")
    code, out, err = run(*words, "5,713,216,096")
    assert (code, err) == (0, "")
    assert out.startswith("inception_v3, input 3x299x299, batch 1: within budget\n")
    code, out, err = run(*words, "5_713_216_095")
    assert (code, err) == (1, "")
    assert "inception_v3, input 3x299x299, batch 1: over budget" in out
    assert "5,713,216,095   5,713,216,096         -1   over" in out
    modules = out.partition("What is responsible")[2]
    assert [line.split()[2] for line in modules.splitlines()[4:9]] == [
        *("stem", "mixed_6e", "mixed_6c", "mixed_6d", "mixed_6a")
    ]


@pytest.mark.parametrize(
    ("option", "size"),
    [
        ("--max-multiply-adds", MULTIPLY_ADDS),
        ("--max-bias-adds", 1_000),
        ("--max-weights", PARAMETERS - 2 * 17_216 - 1_000),
        ("--max-parameters", PARAMETERS),
        ("--max-activations", ACTIVATIONS),
        ("--max-scalings", ACTIVATIONS - 1_000),
    ],
)
def test_each_quantity_has_a_limit(run: Run, option: str, size: int) -> None:
    assert run("budget", "inception_v3", option, f"{size}").code == 0
    assert run("budget", "inception_v3", option, f"{size - 1}").code == 1


def test_a_convention_has_a_limit_of_its_own(run: Run) -> None:
    words = ("budget", "inception_v3", "--convention", "fvcore", "--max-cost")
    assert run(*words, "5731282144").code == 0
    code, out, err = run(*words, "5.731282143e9", "-f", "csv")
    assert code == 1
    assert "fvcore_cost" in out
    assert err.startswith("inception_v3: fvcore-cost 5,731,282,144, 1 over 5,731,282,143 (maximum): stem ")


def test_a_reference_that_was_written_before(run: Run, tmp_path: Path) -> None:
    file = str(tmp_path / "reference.json")
    assert run("count", "inception_v3", "-o", file).code == 0
    for reference in (file, "inception_v3"):
        words = ("budget", "--against", reference, "--max-increase")
        assert run(*words, "0%", "inception_v3").code == 0
        code, out, _ = run(*words, "20%", "inception_v3:width=1.1", "-f", "json")
        content = json.loads(out)
        assert (code, content["within"]) == (1, False)
        wider = costlab.count("inception_v3", width=1.1)
        sizes = [wider.multiply_adds, wider.parameters, wider.activations]
        assert [row["used"] for row in content["rows"]] == sizes
        assert [row["reference"] for row in content["rows"]] == [MULTIPLY_ADDS, PARAMETERS, ACTIVATIONS]
        assert [row["limit"] for row in content["rows"]] == [6_855_859_315, 28_601_481, 10_762_185]
        assert [row["verdict"] for row in content["rows"]] == ["over", "within", "within"]
        grew = sum(each["module_change"] for each in content["responsible"])
        assert grew == int(wider.multiply_adds) - MULTIPLY_ADDS


def test_every_format_holds_the_same(run: Run) -> None:
    words = ("budget", "inception_v3", "--max-parameters", "1M", "--max-activations", "9M", "-f")
    code, out, err = run(*words, "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 1
    over = [row for row in rows if row["quantity"] == "parameters"]
    assert sum(int(row["module_used"]) for row in over) == PARAMETERS
    assert [row["module"] for row in rows if row["quantity"] == "activations"] == [""]
    told = "inception_v3: parameters 23,834,568, 22,834,568 over 1,000,000 (maximum): mixed_7c 6,076,800; "
    assert err.startswith(told)
    markdown = run(*words, "markdown").out
    assert "| parameters | maximum | 1,000,000 | 23,834,568 | -22,834,568 | over |" in markdown
    assert "| parameters | maximum | mixed_7c | 6,076,800 | 25.5% |" in markdown
    assert markdown.count("| parameters | maximum |") == 1 + 5
    content = json.loads(run(*words, "json").out)
    assert sum(each["module_used"] for each in content["responsible"]) == PARAMETERS
    assert content["budgets"][0]["input"] == [3, 299, 299]
    assert "22,834,568" in run(*words, "latex").out


def test_a_file_gets_the_tables_and_the_terminal_what_is_over(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    code, out, err = run("budget", "stem", "--max-weights", "3", "-o", str(file))
    assert (code, out) == (1, "")
    assert err.startswith("stem: weights ")
    assert file.read_text().startswith("**stem, input 3x299x299, batch 1: over budget**")


NETS = """
from costlab import Linear, block, seq

@block(input="10")
def net(width: int = 7):
    return Linear(width)

@block(input="10", unverified=True)
def unsure():
    return seq(fc=Linear(3))
"""
BUDGETS = """
[tool.costlab.budget.fits]
target = "nets.py:net"
max-parameters = 77

[tool.costlab.budget.unsure]
target = "nets.py:unsure"
max-parameters = 77
"""
OVER = """
[tool.costlab.budget.over]
target = "nets.py:net:width=8"
against = "nets.py:net"
max-increase = "1%"
"""
BROKEN = """
[tool.costlab.budget.broken]
target = "nets.py:net"
input = "3x8x8x8x8x8"
max-parameters = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    return tmp_path


def test_all_of_a_project_are_held(run: Run, folder: Path) -> None:
    (folder / "pyproject.toml").write_text(BUDGETS)
    code, out, err = run("budget")
    assert (code, err) == (0, "")
    assert out.startswith("2 budgets of pyproject.toml: all within\n")
    assert "unsure (?)" in out
    (folder / "pyproject.toml").write_text(BUDGETS + OVER)
    code, out, err = run("budget", "-o", "summary.md")
    assert (code, out) == (1, "")
    summary = (folder / "below" / "summary.md").read_text()
    assert summary.startswith("**3 budgets of pyproject.toml: 1 over**")
    assert "| over | multiply-adds | +1% | 70 | +14.29% | 70 | 80 | -10 | over |" in summary
    assert [line.partition(" (")[0] for line in err.splitlines()] == [
        "over: multiply-adds 80, 10 over 70",
        "over: parameters 88, 11 over 77",
        "over: activations 8, 1 over 7",
    ]


def test_what_cannot_be_counted_is_named_after_the_others_were_held(run: Run, folder: Path) -> None:
    (folder / "pyproject.toml").write_text(BROKEN + BUDGETS + OVER)
    code, out, err = run("budget", "-f", "json")
    content = json.loads(out)
    assert code == 2
    assert [(each["budget"], each["within"]) for each in content["budgets"]] == [
        *(("broken", None), ("fits", True), ("unsure", True), ("over", False))
    ]
    assert content["rows"][0]["verdict"] == "not counted"
    *lines, last = err.splitlines()
    assert len(lines) == 3
    assert last.startswith("costlab: error: broken: ")
    code, out, _ = run("budget")
    assert code == 2
    assert out.startswith("4 budgets of pyproject.toml: 1 over, 1 not counted\n")
    assert "broken: not counted: " in out
    (folder / "pyproject.toml").write_text(
        BROKEN + BROKEN.replace("broken", "gone").replace(":net", ":nosuch")
    )
    first, second, last = run("budget", "-f", "csv").err.splitlines()
    assert first.startswith("broken: ")
    assert second == "gone: nets.py has no 'nosuch'; there is Linear, block, seq, net, unsure"
    assert last == "costlab: error: 2 could not be counted: broken, gone"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("inception_a",),
            "there is no limit: give --max-multiply-adds, --max-parameters, --max-activations",
        ),
        (("inception_a", "--max-weights", "-1"), "--max-weights: '-1' must be at least 0"),
        (("inception_a", "--max-weights", "6.5"), "--max-weights: '6.5' is no whole number"),
        (("inception_a", "--max-weights", "many"), "--max-weights: 'many' is no number, such as"),
        (("inception_a", "--max-wieghts", "3"), "No such option '--max-wieghts'"),
        (
            ("inception_a", "--max-cost", "3"),
            "--max-cost needs --convention, whose cost it limits; --max-multi",
        ),
        (("inception_a", "--max-increase", "1%"), "--max-increase needs --against"),
        (("inception_a", "--against", "stem"), "--against needs --max-increase, such as 1%"),
        (("inception_a", "--against", "stem", "--max-increase", "1"), "--max-increase: '1' is no percentage"),
        (("inception_a", "--against", ".", "--max-increase", "1%"), ". is no file: name one that costlab"),
        (
            ("inception_a", "--against", "nosuch.json", "--max-increase", "1%"),
            "nosuch.json: there is no such",
        ),
        (
            ("inception_a", "--against", "stem", "--max-increase", "1%"),
            "stem was counted at 1x3x299x299 (batch",
        ),
        (("nosuch", "--max-weights", "3"), "there is no definition 'nosuch'"),
        (
            ("--max-weights", "3"),
            "give a TARGET with these options; without one, the limits are those of pypro",
        ),
        (("-b", "1"), "give a TARGET with these options"),
        (("--convention", "multiply_adds"), "give a TARGET with these options"),
        ((), "no pyproject.toml here or above has budgets"),
    ],
)
def test_mistakes_are_one_line(run: Run, folder: Path, words: tuple[str, ...], message: str) -> None:
    code, out, err = run("budget", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"costlab: error: {message}")
    assert sorted(each.name for each in folder.iterdir()) == ["below", "nets.py"]


@pytest.mark.parametrize(
    "words", [("budget",), ("count", "nosuch.module:net"), ("budget", "nosuch:it", "--max-weights", "3")]
)
def test_a_folder_that_is_gone_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path)  # where the test goes back to
    os.chdir("gone")
    (tmp_path / "gone").rmdir()
    code, out, err = run(*words)
    os.chdir(tmp_path)
    assert (code, out) == (2, "")
    assert err == "costlab: error: the folder where you are is not there any more: go to another\n"


def test_two_branches_are_held_against_each_other_with_what_lies_beside_them(run: Run, folder: Path) -> None:
    code = "from costlab import Linear, block\nfrom layers import WIDTH\n\n"
    code += "@block(input='10')\ndef net():\n    from late import MORE\n    return Linear(WIDTH + MORE)\n"
    for name, width, more in (("main", 3, 4), ("change", 5, 6)):
        (folder / name).mkdir()
        (folder / name / "nets.py").write_text(code)
        (folder / name / "layers.py").write_text(f"WIDTH = {width}\n")
        (folder / name / "late.py").write_text(f"MORE = {more}\n")
    (folder / "change" / "pyproject.toml").write_text(
        "[tool.costlab.budget.net]\ntarget = 'nets.py:net'\nagainst = '../main/nets.py:net'\n"
        "max-increase = '57.142857%'\n"
    )
    os.chdir(folder / "change")
    code_, out, _ = run("budget", "-f", "json")
    assert (code_, [row["limit"] for row in json.loads(out)["rows"]]) == (1, [109, 120, 10])
    assert [row["used"] for row in json.loads(out)["rows"]] == [110, 121, 11]

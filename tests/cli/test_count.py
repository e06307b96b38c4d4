"""``costlab count``: the table in every form, and one clear line for every mistake."""

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from costlab.cli.main import cli
from tests.cli.conftest import Run

BROKEN = "from costlab.algebra import *\nnet = seq(a=Conv2d(4, 3), b=concat(c=MaxPool2d(2), d=ReLU()))\n"


def test_the_default_table(run: Run) -> None:
    code, out, err = run("count", "inception_v3")
    assert (code, err) == (0, "")
    for text in (
        "5,713,216,096",
        "23,834,568",
        "5.71 G multiply-adds (11.43 GFLOP at two each)",
        "mixed_7c",
        "█",
    ):
        assert text in out
    assert max(map(len, out.splitlines())) < 120
    assert "\x1b" not in out


def test_json(run: Run) -> None:
    content = json.loads(run("count", "inception_v3", "--format", "json").out)
    assert content["input"] == [3, 299, 299]
    assert content["output"] == [1000]
    assert content["total"]["multiply_adds"] == 5_713_216_096
    assert sum(row["parameters"] for row in content["rows"]) == 23_834_568
    assert [row["module"] for row in content["rows"]][:2] == ["stem", "mixed_5b"]


def test_csv_at_full_depth(run: Run) -> None:
    out = run("count", "inception_v3", "-d", "9", "-f", "csv").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 314
    assert sum(int(row["multiply_adds"]) for row in rows) == 5_713_216_096
    assert rows[0]["module"] == "stem.conv_1a.conv"


def test_by_kind_sorted(run: Run) -> None:
    content = json.loads(
        run("count", "inception_v3", "--by", "kind", "--sort", "parameters", "-f", "json").out
    )
    assert [row["kind"] for row in content["rows"]][:3] == ["conv2d", "linear", "batch_norm2d"]
    assert content["rows"][0]["operations"] == 94


def test_batch_input_and_settings(run: Run) -> None:
    one = json.loads(run("count", "inception_v3:width=0.5", "-i", "3x75x75", "-f", "json").out)
    four = json.loads(run("count", "inception_v3:width=0.5", "-i", "3x75x75", "-b", "4", "-f", "json").out)
    assert four["total"]["multiply_adds"] == 4 * one["total"]["multiply_adds"]
    assert four["total"]["parameters"] == one["total"]["parameters"]


def test_the_auxiliary_head(run: Run) -> None:
    out = run("count", "inception_v3:aux=true").out
    assert "5,718,899,296" in out
    assert "27,161,264" in out
    assert "auxiliary_classifier (training only)" in out
    assert "training only: aux; in inference 5,713,216,096 multiply-adds, 23,834,568 parameters" in out
    without = json.loads(run("count", "inception_v3:aux=true", "--inference", "-f", "json").out)
    assert without["total"]["multiply_adds"] == 5_713_216_096
    assert without["auxiliary_heads"] is False
    title = run("count", "inception_v3:aux=true", "--inference").out.splitlines()[0]
    assert title == "inception_v3:aux=true, input 3x299x299, batch 1, without auxiliary heads"


def test_check_agrees(run: Run) -> None:
    code, out, err = run("count", "inception_e:width=0.1", "--check")
    assert code == 0
    assert out.count("agreed on 43 modules") == 11
    assert "checking: fvcore FlopCountAnalysis" in err


@pytest.mark.parametrize("form", ["json", "csv", "markdown"])
def test_check_keeps_other_forms_clean(run: Run, form: str) -> None:
    code, out, err = run("count", "inception_e:width=0.1", "--check", "-f", form)
    assert code == 0
    assert out == run("count", "inception_e:width=0.1", "-f", form).out
    assert err.count("agreed on 43 modules") == 11


def test_check_prints_where_it_is_free_to(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("count", "inception_e:width=0.1", "--check", "-o", str(tmp_path / "a.csv"))
    assert code == 0
    assert out.count("agreed on 43 modules") == 11


def test_check_exits_1_on_a_difference(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from costlab.algebra import Conv2d

    right = Conv2d.work

    def wrong(self: Conv2d, x: Any, y: Any) -> Any:
        return right(self, x, y)._replace(multiply_adds=7)

    monkeypatch.setattr(Conv2d, "work", wrong)
    code, out, _ = run("count", "inception_e:width=0.1", "--check")
    assert code == 1
    assert "DIFFERS at b1x1.conv: counted 7, reported 2,621,440" in out


def test_output_goes_to_a_file_in_the_form_of_its_ending(run: Run, tmp_path: Path) -> None:
    for name, first in (("a.csv", "module,"), ("a.json", "{"), ("a.md", "**stem"), ("a.txt", "stem, input")):
        file = tmp_path / name
        assert run("count", "stem", "-o", str(file)) == (0, "", "")
        assert file.read_text("utf-8").startswith(first)
    assert run("count", "stem", "-o", "-").out.startswith("stem, input")


def test_an_existing_file_is_kept_unless_forced(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.md"
    file.write_text("mine")
    code, out, err = run("count", "stem", "-o", str(file))
    assert (code, out) == (2, "")
    assert err == f"costlab: error: {file} exists: give --force to replace it\n"
    assert file.read_text() == "mine"
    assert run("count", "stem", "-o", str(file), "--force").code == 0
    assert "stem" in file.read_text()


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["inception_v4"], "there is no definition 'inception_v4'; did you mean inception_v3"),
        (["inception_v3:depth=3"], "inception_v3 has no parameter 'depth'; did you mean width?"),
        (["inception_v3:width=big"], "inception_v3: width=big must be a number"),
        (["inception_v3:width=-1"], "inception_v3: width=-1.0 must be a positive number"),
        (["inception_v3:num_classes=0"], "inception_v3: num_classes=0 must be at least 1"),
        (["inception_v3:modules_17=-1"], "inception_v3: modules_17=-1 must be at least 0"),
        (["inception_v3", "--input", "3x64x64"], "mixed_7a.b3x3.1.conv: kernel=3x3 does not fit height=2"),
        (["inception_v3", "--input", "3x0x299"], "input height=0 must be at least 1"),
        (["inception_v3", "--input", "3x-5x299"], "input='3x-5x299' must be channels x height x width"),
        (["inception_v3", "--input", "299"], "stem.conv_1a.conv: conv2d needs a feature map"),
        (
            ["inception_v3", "--batch", "0"],
            "--batch: 0 is no whole number of at least 1 (see",
        ),
        (
            ["inception_v3", "--depth", "-1"],
            "--depth: -1 is no whole number of at least 0",
        ),
        (["inception_v3", "--depth", "1", "--by", "kind"], "--depth goes with --by module"),
        (["inception_v3", "--format", "xml"], "--format: 'xml' is not one of"),
        (["inception_v3", "--sort", "size"], "--sort: 'size' is not one of"),
        (["inception_v3", "--colour"], "No such option '--colour'"),
        (["inception_v3", "stem"], "Got unexpected extra argument (stem)"),
        (
            ["inception_v3", "-o", "missing/out.csv"],
            "missing/out.csv cannot be written: No such file or directory",
        ),
        (["inception_v3", "-o", "."], ". is a folder: name a file"),
        (["inception_v3", "-o", "a.xlsx"], "a.xlsx: the ending .xlsx names no format; give --format as well"),
        (["inception_v3", "-i", "9" * 5000 + "x2x2"], "input='999"),
        (["inception_v3", "-i", "3x99999999999x9"], "input height=99999999999 must be below 2**31"),
        (["inception_v3", "-b", "9" * 400], "batch=about 2**1328 must be below 2**31"),
        (["symbolic.py:net", "-i", "3x8x8"], "symbolic.py:net: multiply_adds=972*c is no single number"),
        (["nested.py:net", "-i", "3x8x8"], "nested.py:net: blocks are nested too deeply"),
        (["groups.txt:net"], "groups.txt is no Python file: its name must end in .py"),
        (["net.py:net", "-i", "2x8x8"], "b: branches do not join: c gives 4x3x3, d gives 4x6x6"),
        (["raises.py:net"], "raises.py: RuntimeError: no (raises.py, line 1)"),
        (["groups.py:net", "-i", "3x8x8"], "x: channels=3 must be divisible by groups=2"),
    ],
)
def test_mistakes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(BROKEN)
    Path("raises.py").write_text("raise RuntimeError('no')")
    Path("groups.py").write_text("from costlab.algebra import *\nnet = seq(x=Conv2d(4, 1, groups=2))")
    Path("groups.txt").write_text("")
    Path("symbolic.py").write_text("from costlab.algebra import *\nnet = Conv2d(symbols('c'), 3, bias=False)")
    Path("nested.py").write_text(
        "from costlab.algebra import *\nnet = ReLU()\nfor _ in range(5000):\n    net = seq(net)"
    )
    before = sorted(tmp_path.iterdir())
    code, out, err = run("count", *args)
    assert code == 2
    assert out == ""
    assert err.startswith(f"costlab: error: {complaint}")
    assert err.count("\n") == 1
    assert [p for p in sorted(tmp_path.iterdir()) if p.name != "__pycache__"] == before


def test_no_command_is_help(run: Run) -> None:
    code, out, err = run()
    assert (code, out) == (2, "")
    assert err.startswith("Usage: costlab")
    code, _, err = run("cuont")
    assert code == 2
    assert err.startswith("costlab: error: No such command 'cuont'")


def test_debug_shows_the_traceback_and_ends_as_without(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = run("--debug", "count", "inception_v4")
    assert code == 2
    assert err.startswith("Traceback")
    assert err.splitlines()[-1].startswith("costlab: error: there is no definition 'inception_v4'")
    assert "Traceback" not in run("count", "inception_v4", "-i", "--debug").err

    def broken(*_: object, **__: object) -> None:
        raise KeyError("deep")

    monkeypatch.setattr(sys.modules["costlab.cli.count"], "count_table", broken)
    assert run("--debug", "count", "stem").code == 70


def test_a_bug_is_told_in_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("deep\ninside")

    monkeypatch.setattr(sys.modules["costlab.cli.count"], "count_table", broken)
    code, out, err = run("count", "stem")
    assert (code, out) == (70, "")
    assert err.startswith("costlab: error: a bug in costlab: KeyError")
    assert err.count("\n") == 1


def test_a_bug_below_a_definition_is_a_bug_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("deep")

    monkeypatch.setattr(sys.modules["costlab.algebra.combine"].Sequence, "_thread", broken)
    assert run("count", "stem").code == 70
    monkeypatch.undo()
    monkeypatch.setattr(sys.modules["blocks.layers"], "Conv2d", broken)
    assert run("count", "stem").code == 70


@pytest.mark.parametrize("target", ["a" * 300 + ".py:net", "a" * 300 + ":net"])
def test_names_too_long_for_files_are_told(run: Run, target: str) -> None:
    code, _, err = run("count", target)
    assert code == 2
    assert "File name too long" in err or "No module named" in err


def test_an_interrupt_is_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["costlab.cli.count"], "count_table", interrupted)
    assert run("count", "stem").code == 130


def test_help_and_version(run: Run) -> None:
    from costlab import __version__

    assert __version__ in run("--version").out
    for args in (["--help"], ["count", "-h"], ["list", "--help"]):
        code, out, _ = run(*args)
        assert code == 0
        assert "Usage: costlab" in out


def test_every_option_says_what_it_does() -> None:
    for command in cli.commands.values():
        assert command.help
        assert command.short_help
        for option in command.params:
            if option.param_type_name == "option":
                assert getattr(option, "help", None), (command.name, option.name)

"""Commands with graphs of ONNX as targets."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from costlab.cli.main import main
from tests.onnx.graphs import parsed

TEXT = """agraph (float[N,3,8,8] x) => (float[N,5,4,4] y) {
    c = Conv <pads = [1,1,1,1]> (x, w)
    r = Relu (c)
    y = MaxPool <kernel_shape = [2,2], strides = [2,2]> (r)
}"""
COST = 5 * 27 * 64


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    onnx.save(parsed(TEXT, w=np.ones((5, 3, 3, 3), np.float32)), "model.onnx")
    open_text = (
        "agraph (float[1,3] x) => (float[A,B] y) { p = NonZero (x) f = Cast <to = 1> (p) y = MatMul (f, v) }"
    )
    onnx.save(parsed(TEXT.replace("N,", "4,"), w=np.ones((5, 3, 3, 3), np.float32)), "four.onnx")
    onnx.save(parsed(open_text, v=np.ones((3, 5), np.float32)), "open.onnx")


def ran(*words: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("count model.onnx --backward", "a step of training needs a module of PyTorch"),
        ("count model.onnx --check", "--check needs a module of PyTorch"),
        ("count model.onnx --symbolic", "a closed form is for definitions"),
        ("memory model.onnx", "what is alive in memory needs a module of PyTorch"),
        ("measure model.onnx", "measuring needs a module of PyTorch"),
        ("factorize model.onnx", "factorizing needs a module of PyTorch"),
        ("training-cost model.onnx --images 9 --epochs 1", "a step of training needs a module of PyTorch"),
        ("scale model.onnx --to 1e9", "is a graph of ONNX, which has no axes to scale"),
        ("explore model.onnx", "is made already, and has no axes"),
        ("train model.onnx", "what is in such a file is not trained"),
        ("list model.onnx", "is made already, and has no parameters"),
        ("count model.onnx:width=3", "is a model, made already, and takes no settings"),
        ("count nosuch.onnx", "there is no such file"),
        ("report model.onnx", "is a target: say with --html FILE or -o DIR where its page goes"),
        (
            "compare model.onnx four.onnx",
            "model.onnx takes 3x8x8, four.onnx takes 4x3x8x8; give one",
        ),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    words: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(*words.split()) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith("costlab: error: ")
    assert told in line
    assert "\n" not in line


def test_counts_compare_and_are_budgeted(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("count", "model.onnx", "-f", "json", "-b", "3") == 0
    assert json.loads(capsys.readouterr().out)["total"]["multiply_adds"] == 3 * COST
    assert ran("compare", "model.onnx", "model.onnx", "-f", "csv") == 0
    assert str(COST) in capsys.readouterr().out
    assert ran("budget", "model.onnx", "--max-multiply-adds", str(COST - 1)) == 1
    assert ran("budget", "model.onnx", "--max-multiply-adds", str(COST)) == 0
    assert ran("roofline", "model.onnx", "--device", "h200", "--dtype", "float32") == 0
    capsys.readouterr()


def test_what_comes_out_is_left_out_where_its_sizes_are_in_the_data(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ran("count", "open.onnx", "-f", "json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["module"], row["output"]) for row in rows] == [("NonZero", ""), ("MatMul", "2x5")]


def test_an_image_is_compared_with_a_definition_at_its_own_input(capsys: pytest.CaptureFixture[str]) -> None:
    Path("nets.py").write_text(
        "from costlab import Conv2d, block\n"
        "@block(input=(3, 8, 8))\ndef net():\n    return Conv2d(5, (3, 3), padding=(1, 1), bias=False)\n"
    )
    assert ran("compare", "nets.py:net", "model.onnx", "-f", "json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["multiply_adds"] for row in rows] == [COST, COST]


def test_strict_tells_what_has_no_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("count", "open.onnx") == 0
    assert (
        "NOT COUNTED, for their sizes are in the data, or come from the first of these: "
        in capsys.readouterr().out
    )
    assert ran("count", "open.onnx", "--strict", "-f", "json") == 1
    out, err = capsys.readouterr()
    assert "MatMul" in json.loads(out)["not_counted"]
    assert err.splitlines()[-1].startswith("open.onnx: without sizes: ")


def test_files_of_different_batches_are_compared_at_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("compare", "model.onnx", "four.onnx", "--input", "4x3x8x8") == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[0] == "four.onnx beside model.onnx, input 4x3x8x8"
    assert shown.count(f"{4 * COST:,}") == 2

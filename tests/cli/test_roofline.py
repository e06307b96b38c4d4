"""``costlab roofline``."""

import json
from pathlib import Path

import pytest

from costlab.counting.count import count
from costlab.hardware.device import device
from costlab.hardware.roofline import roofline
from costlab.report.figure import digest_in
from costlab.report.pictures.roofline import roofline_picture
from costlab.report.tables.roofline import roofline_table
from tests.cli.conftest import Run


def test_the_table_and_its_notes(run: Run) -> None:
    words = ("inception_v3:aux=true", "--device", "H200", "--dtype", "bfloat16", "-b", "32", "--fused")
    code, out, err = run("roofline", *words)
    assert (code, err) == (0, "")
    assert "batch 32, without auxiliary heads, on h200 in bfloat16, fused" in out
    assert "at least 645 us" in out
    assert "a lower bound, no prediction" in out
    assert "below 206.1 FLOP per byte memory bounds: 68 of 124 operations" in out
    assert "move nothing of their own" in out
    assert "with --fused" in run("roofline", "inception_a", "--device", "h200").out


def test_machine_formats_hold_whole_numbers(run: Run) -> None:
    made = json.loads(run("roofline", "inception_a", "--device", "b200", "-f", "json").out)
    expected = roofline("inception_a", "b200")
    assert (made["device"], made["dtype"], made["is_lower_bound"]) == ("b200", "float32", True)
    assert (made["peak"], made["bandwidth"]) == (device("b200").peak("float32"), device("b200").bandwidth)
    assert [row["bytes"] for row in made["rows"]] == [row.bytes for row in expected.modules()]
    assert made["total"]["multiply_adds"] == count("inception_a").multiply_adds
    assert made["total"]["flop"] == 2 * made["total"]["multiply_adds"]
    assert made["total"]["seconds"] == expected.seconds
    assert made["rows"][0]["unverified"] is True
    lines = run("roofline", "inception_a", "--device", "k40", "--by", "operation", "-f", "csv").out.split(
        "\n"
    )
    assert len(lines) == len(expected.operations) + 2
    assert "b1x1.conv,conv2d,1," in "\n".join(lines)


def test_rows_by_kind_and_depth(run: Run) -> None:
    by_kind = run("roofline", "inception_a", "--device", "k40", "--by", "kind").out
    assert "batch-norm2d" in by_kind or "batch_norm2d" in by_kind
    assert "(root)" in run("roofline", "inception_a", "--device", "k40", "--depth", "0").out
    assert "b5x5.0" in run("roofline", "inception_a", "--device", "k40", "-d", "2").out


def test_predictions_have_a_column() -> None:
    bounded = roofline("inception_a", "k40")
    assert "predicted" not in roofline_table(bounded).to_text()
    beside = roofline_table(bounded.beside([2.0] * len(bounded.operations)))
    assert f"{2 * len(bounded.operations)}.0 s" in beside.to_text()


def test_a_narrow_terminal_keeps_the_bound() -> None:
    table = roofline_table(roofline("inception_v3", "h200", "bfloat16", batch=32), 1)
    for width in (140, 80, 60, 40):
        text = table.to_text(width)
        assert max(map(len, text.split("\n"))) <= width
        assert "at least" in text
        assert "bound by" in text


def test_the_picture(run: Run, tmp_path: Path) -> None:
    plot = tmp_path / "roof.png"
    assert run("roofline", "inception_a", "--device", "k40", "--plot", str(plot)).code == 0
    assert digest_in(plot.read_bytes(), "png") == roofline_picture(roofline("inception_a", "k40")).digest
    again = run("roofline", "inception_a", "--device", "k40", "--plot", str(plot))
    assert (again.code, again.out, "exists" in again.err) == (2, "", True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("inception_a",), "give a --device"),
        (("--device", "k40"), "TARGET"),
        (("inception_a", "--device", "k41"), "there is no device 'k41'; did you mean k40?"),
        (("inception_a", "--device", "k40", "--dtype", "bfloat16"), "k40 has no bfloat16 peak"),
        (("inception_a", "--device", "k40", "--dtype", "half"), "'half' is not one of"),
        (("inception_a", "--device", "tpu-v2", "--dtype", "bfloat16"), "its memory bandwidth is not known"),
        (("inception_a", "--device", "k40", "--by", "kind", "-d", "1"), "--depth goes with --by module"),
        (("inception_a", "--device", "k40", "--plot", "x.jpg"), "let its name end in .png"),
        (("inception_a", "--device", "mine", "--devices-from", "nosuch.csv"), "there is no such file"),
        (("nosuch", "--device", "k40"), "nosuch"),
    ],
)
def test_mistakes_are_one_line(run: Run, words: tuple[str, ...], message: str) -> None:
    code, out, err = run("roofline", *words)
    assert (code, out, message in err) == (2, "", True), err
    assert err.count("\n") == 1

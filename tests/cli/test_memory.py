"""``costlab memory``: rows for people and machines, the batch as a symbol, verdicts and mistakes."""

import json
from pathlib import Path

import pytest
import sympy

from costlab.hardware.memory import memory
from costlab.report.figure import digest_in
from costlab.report.pictures.live_memory import live_memory_picture
from tests.cli.conftest import Run

PAPER = ("inception_v3:aux=true", "--train", "-b", "32", "--optimizer", "rmsprop", "--momentum", "--average")
MODEL = """
from torch import nn

def net():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 5))
"""


def test_a_table_for_people(run: Run) -> None:
    code, out, err = run("memory", "inception_v3")
    assert (code, err) == (0, "")
    shown = " ".join(out.split())
    assert "Memory of inception_v3, input 3x299x299, batch 1, float32, inference" in shown
    assert "weights 95,338,272 95.34 MB" in shown
    assert "allocated at most 13,829,760 13.83 MB stem.conv_2b.bn as PyTorch runs it" in shown
    assert "at most, by last use 11,063,808 11.06 MB stem.conv_2b.bn" in shown
    assert "at most, fused 8,297,856 8.30 MB stem.conv_2b.conv" in shown
    assert "no order of the operations lowers the peak by last use" in shown


def test_a_step_on_a_device(run: Run) -> None:
    shown = " ".join(run("memory", *PAPER, "--device", "K40").out.split())
    assert "optimizer's state 217,291,280 217.29 MB of rmsprop with momentum" in shown
    assert "kept for the way back 3,111,069,184" in shown
    assert "memory of k40 12,000,000,000 12.00 GB 30.2% of it are held" in shown
    assert "fits into k40, its system's own needs aside" in shown
    large = run("memory", "inception_v3", "--train", "-b", "128", "--device", "k40")
    assert large.code == 0
    assert "does not fit into k40" in large.out
    for by in ("module", "kind"):
        assert (
            "does not fit into k40" in run("memory", "stem", "-b", "2000", "--device", "k40", "--by", by).out
        )
    rows = run("memory", "stem", "--device", "k40", "--by", "kind", "-f", "json")
    assert (json.loads(rows.out)["device"], json.loads(rows.out)["fits"]) == ("k40", True)


def test_machine_formats_have_plain_integers(run: Run) -> None:
    told = json.loads(run("memory", *PAPER, "-f", "json").out)
    rows = {row["name"]: row for row in told["rows"]}
    held = memory(
        "inception_v3:aux=true", batch=32, train=True, optimizer="rmsprop", momentum=True, average=True
    )
    assert (told["training"], told["optimizer"], told["momentum"]) == (True, "rmsprop", True)
    assert (told["traced"], told["fits"]) == (False, None)
    assert rows["average"]["bytes"] == rows["weights"]["bytes"] == rows["gradients"]["bytes"] == 108_645_056
    peak = rows["peak"]
    assert (peak["module"], peak["phase"], peak["bytes"]) == held.peak
    stay = sum(rows[name]["bytes"] for name in ("weights", "buffers", "state", "average", "input"))
    assert rows["total"]["bytes"] == stay + rows["peak"]["bytes"] == held.total


def test_the_picture(run: Run, tmp_path: Path) -> None:
    plot = tmp_path / "live.png"
    assert run("memory", "inception_a", "--train", "--plot", str(plot)).code == 0
    drawn = live_memory_picture(memory("inception_a", train=True))
    assert digest_in(plot.read_bytes(), "png") == drawn.digest
    again = run("memory", "inception_a", "--train", "--plot", str(plot))
    assert (again.code, again.out, "exists" in again.err) == (2, "", True)


@pytest.mark.parametrize("by", ["module", "kind"])
def test_rows_add_up(run: Run, by: str) -> None:
    told = json.loads(run("memory", "inception_v3", "--train", "-b", "2", "--by", by, "-f", "json").out)
    for name in ("weights", "buffers", "kept"):
        assert sum(row[name] for row in told["rows"]) == told["total"][name]
    assert told["total"]["kept"] == 2 * 97_107_840 + 137_728
    if by == "module":
        assert max(row["live"] for row in told["rows"]) == told["total"]["live"]


def test_where_nothing_is_kept_nothing_has_a_share(run: Run) -> None:
    linear = "torch.nn:Linear:in_features=3,out_features=4"
    code, out, _ = run("memory", linear, "-i", "3", "--train", "--by", "kind", "-f", "json")
    assert (code, [row["share"] for row in json.loads(out)["rows"]]) == (0, [0.0])
    assert run("memory", linear, "-i", "3", "--train", "--by", "kind").code == 0


def test_modules_gain_by_the_order_of_their_branches(run: Run) -> None:
    told = json.loads(run("memory", "inception_v3", "--by", "module", "-f", "json").out)
    orders = {row["module"]: row for row in told["orders"]}
    assert orders["mixed_7c"]["best"] == 1_097_728 < orders["mixed_7c"]["given"] == 1_523_712
    assert all(row["exact"] for row in orders.values())


def test_the_batch_as_a_symbol_gives_what_each_batch_does(run: Run) -> None:
    rows = json.loads(run("memory", "inception_v3", "--train", "--symbolic", "batch", "-f", "json").out)[
        "rows"
    ]
    formula = {row["name"]: row["bytes"] for row in rows}
    assert formula["kept"] == "97107840*N + 137728"
    batch_of = {"N": sympy.Symbol("N")}
    peaks = [sympy.sympify(row["bytes"], locals=batch_of) for row in rows if row["name"] == "peak"]
    assert len(peaks) == 5
    for batch in (1, 2, 6, 7, 12, 38, 39, 500):
        assert max(int(each.subs("N", batch)) for each in peaks) == (
            memory("inception_v3", batch=batch, train=True).peak_bytes
        )
    shown = run("memory", "inception_v3", "--train", "--symbolic").out
    assert "allocated at most, N = 2 to 6" in shown
    assert "allocated at most, N from 39" in shown


def test_a_model_of_pytorch_is_traced(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MODEL)
    told = run("memory", f"{tmp_path}/mine.py:net", "-i", "4x3x8x8", "--train", "-f", "json")
    rows = {row["name"]: row["bytes"] for row in json.loads(told.out)["rows"]}
    assert rows["weights"] == 4 * (3 * 8 * 9 + 8 + 288 * 5 + 5)
    assert (rows["input"], rows["kept"]) == (4 * 4 * 3 * 64, 4 * 4 * 8 * 36)  # what ReLU puts out, once


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--optimizer", "adam"), "--optimizer is for --train"),
        (("--momentum",), "--momentum is for --train"),
        (("--average",), "--average is for --train"),
        (("--train", "--optimizer", "adam", "--momentum"), "optimizer=adam keeps averages of its own"),
        (("--depth", "2"), "--depth goes with --by module"),
        (("--by", "kind", "--depth", "2"), "--depth goes with --by module"),
        (("--device", "k41"), "there is no device 'k41'; did you mean k40?"),
        (("--devices-from", "x.csv"), "--devices-from is for --device"),
        (("--symbolic", "width"), "--symbolic width: the closed form is in the batch"),
        (("--symbolic", "batch", "-b", "2"), "leave --batch out"),
        (("--symbolic", "batch", "--dtype", "amp"), "--dtype amp is traced, and --symbolic is not"),
        (("--symbolic", "batch", "--by", "kind"), "--by does not go with --symbolic"),
        (("--symbolic", "batch", "--device", "k40"), "--device does not go with --symbolic"),
        (("--plot", "x.jpg"), "x.jpg: a picture is a PNG: let its name end in .png"),
        (("-b", "0"), "--batch: 0 is no whole number of at least 1"),
    ],
)
def test_mistakes_are_told_in_one_line(run: Run, args: tuple[str, ...], words: str) -> None:
    code, out, err = run("memory", "stem", *args)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_what_cannot_be_trained_is_told_with_its_place(run: Run) -> None:
    code, _, err = run("memory", "auxiliary_classifier", "--train")
    assert code == 2
    assert "auxiliary_classifier: conv_5x5.bn: batch norm cannot be trained on one value per channel" in err

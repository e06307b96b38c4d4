"""``costlab compression``: rows for people and machines, and mistakes."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

MODEL = """
import torch
from torch import nn
from torch.nn.utils import prune

def net():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8 * 36, 5))
    model[0].weight.data.fill_(1)
    prune.custom_from_mask(model[0], "weight", (torch.arange(8) > 1).view(8, 1, 1, 1).expand(8, 3, 3, 3))
    return model

def empty():
    return nn.Linear(3, 4, device="meta")
"""


@pytest.fixture
def mine(tmp_path: Path) -> str:
    (tmp_path / "mine.py").write_text(MODEL)
    return f"{tmp_path}/mine.py"


def test_tables_for_people(run: Run, mine: str) -> None:
    code, out, err = run("compression", f"{mine}:net", "-i", "2x3x8x8")
    assert (code, err) == (0, "")
    shown = " ".join(out.split())
    assert "0 15,552 11,664 224 170 2" in shown  # 2 * 36 * 216, six of eight filters
    assert "0 25.0% ██▌ 0.0% 0.0% 2 0.0% 0.0% 0.0% " in shown
    assert "in channels: in 2 filters, zero as a whole, which can be cut away" in shown
    assert "bits of weights x data bit operations effective bit operations bytes" in shown
    assert "0 32x32 15,925,248 11,943,936 1,760" in shown  # twice 216 and 8 biases
    assert "masks 864" in shown


def test_machine_formats_have_plain_integers(run: Run, mine: str) -> None:
    told = json.loads(run("compression", f"{mine}:net", "-i", "3x8x8", "-f", "json").out)
    assert (told["multiply_adds"], told["effective_multiply_adds"]) == (7776 + 1440, 5832 + 1440)
    assert (told["format"], told["not_known"]) == ("costlab compression", [])
    shares = [(row["in_channels"], row["in_pattern"], row["unstructured"]) for row in told["zeros"]]
    assert shares == [(0.25, 0, 0), (0, 0, 0)]
    rows = {row["module"]: row for row in told["rows"]}
    assert (rows["0"]["zeros_in_outputs"], rows["0"]["zero_outputs"], rows["0"]["zeros"]) == (54, 2, 54)
    for name in ("multiply_adds", "bit_operations", "parameters", "bytes"):
        assert sum(row[name] for row in told["rows"]) == told["total"][name] == told[name]
    assert sum(row["bytes"] for row in told["stored"]) == told["bytes"]
    assert {row["role"] for row in told["stored"]} == {"weights", "biases", "masks"}
    lines = list(
        csv.DictReader(io.StringIO(run("compression", f"{mine}:net", "-i", "3x8x8", "-f", "csv").out))
    )
    assert [int(row["effective_bit_operations"]) for row in lines] == [1024 * 5832, 1024 * 1440]
    whole = run(
        "compression", f"{mine}:net", "-i", "3x8x8", "-d", "0", "--columns", "module,bytes", "-f", "csv"
    )
    assert whole.out == f"module,bytes\n,{told['bytes']}\n"


def test_what_is_not_known_is_said(run: Run, mine: str) -> None:
    code, out, _ = run("compression", f"{mine}:empty", "-i", "2x3")
    shown = " ".join(out.split())
    assert code == 0
    assert "total 24 not known 16 not known" in shown
    assert "not known is what is zero in (root)" in shown
    assert "total 32x32 24,576 not known 64" in shown
    row = json.loads(run("compression", f"{mine}:empty", "-i", "2x3", "-f", "json").out)["rows"][0]
    assert (row["zeros"], row["effective_multiply_adds"], row["unstructured"]) == (None, None, None)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("stem",), "stem: it has no weights, so none of them is zero: build its module (costlab.build)"),
        (("torch.nn:Linear:in_features=3,out_features=4", "-i", "2x3", "-d", "-1"), "--depth"),
        (("torch.nn:Linear:in_features=3,out_features=4", "-i", "2x5"), "5"),
        (("torch.nn:Linear:in_features=3,out_features=4", "-i", "3", "-b", "0"), "--batch: 0"),
        (("nosuch",), "nosuch"),
    ],
)
def test_mistakes_are_told_in_one_line(run: Run, args: tuple[str, ...], words: str) -> None:
    code, out, err = run("compression", *args)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1

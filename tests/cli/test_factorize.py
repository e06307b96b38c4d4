"""``costlab factorize``: rows for people and machines, what is left, bounds, mistakes, files."""

import csv
import io
import json
from pathlib import Path

import pytest

import costlab
from costlab.report.tables.factorize import conv_in_words
from tests.cli.conftest import Run

NET = """
from torch import nn

def net():
    return nn.Sequential(
        nn.Conv2d(4, 6, 3, stride=2, padding=1),
        nn.Conv2d(6, 6, 3, padding=1, groups=6),
        nn.Conv2d(6, 8, 1),
        nn.ConvTranspose2d(8, 2, 2),
    )

def plain():
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
"""


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with modules, the working one."""
    (tmp_path / "nets.py").write_text(NET)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_table_for_people(run: Run) -> None:
    code, out, err = run("factorize", "resnet50")
    assert (code, err) == (0, "")
    shown = " ".join(out.split())
    assert (
        "conv_1.conv 7x7/2, 3 to 64 224x224 1x7 to 9, 7x1 9 118,013,952 55,319,040 -53.12% -55.13% +28.12%"
        in shown
    )
    assert "resnet50 with 17 of 53 convolutions replaced" in shown
    assert (
        "multiply-adds 4,089,184,256 3,101,645,312 4.09 G to 3.10 G -987,538,944 -24.15% "
        "parameters 25,557,032 19,377,125 25.56 M to 19.38 M -6,179,907 -24.18% "
        "activations 11,114,984 12,419,560 11.11 M to 12.42 M +1,304,576 +11.74%" in shown
    )
    assert "36 left: 1x1 (36 with 51.8% of all multiply-adds)" in shown
    assert "approximated are a start for fine-tuning, and no trained network" in shown


def test_what_is_exact_is_marked(run: Run) -> None:
    told = json.loads(run("factorize", "inception_a", "--full", "-f", "json").out)
    # 5x5, 48 to 64: the smaller of 48 * 5 and 64 * 5; 3x3, 64 to 96 and 96 to 96
    assert [(row["rank"], row["exact"]) for row in told["rows"]] == [(240, True), (192, True), (288, True)]
    shown = run("factorize", "inception_a", "--full").out
    assert "exact" in shown.splitlines()[2]
    assert "start for fine-tuning" not in shown
    assert "exact" not in run("factorize", "inception_a").out


def test_ranks_of_two_sides(run: Run) -> None:
    rows = json.loads(run("factorize", "inception_a", "--by", "tucker", "--rank", "50", "-f", "json").out)[
        "rows"
    ]
    assert [(row["rank"], row["rank_out"]) for row in rows] == [(48, 50), (50, 50), (50, 50)]
    assert rows[0]["replacement"] == "1x1 to 48, 5x5 to 50, 1x1"
    parts = 48 * 48 + 25 * 48 * 50 + 50 * 64
    assert rows[0]["multiply_adds_after"] == parts * 35 * 35
    assert rows[0]["parameters_after"] == parts


def test_machine_formats_have_plain_integers_and_what_is_left(run: Run, nets: Path) -> None:
    args = ("factorize", "nets.py:net", "-i", "2x4x10x10", "--rank", "5")
    code, out, err = run(*args, "-f", "json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    (row,) = told["rows"]
    assert (told["by"], told["replaced"], told["device"]) == ("1xn+nx1", 1, None)
    assert (row["module"], row["convolution"], row["grid"]) == ("0", "3x3/2, 4 to 6", "10x10")
    # two images; the first part keeps the 10 rows and moves along them by 2
    assert row["multiply_adds"] == 2 * 4 * 9 * 6 * 25
    assert row["multiply_adds_after"] == 2 * (4 * 3 * 5 * 50 + 5 * 3 * 6 * 25)
    assert (row["parameters"], row["parameters_after"]) == (4 * 9 * 6 + 6, 4 * 3 * 5 + 5 * 3 * 6 + 6)
    assert (row["activations"], row["activations_after"]) == (2 * 6 * 25, 2 * (5 * 50 + 6 * 25))
    assert row["activations_change"] == 500 / 300
    left = {each["module"]: (each["reason"], each["multiply_adds"]) for each in told["left"]}
    assert left["2"] == ("1x1", 2 * 6 * 8 * 25)
    assert left["3"][0] == "transposed"
    assert left.keys() == {"1", "2", "3"}
    whole = {each["quantity"]: each for each in told["whole"]}
    counted = costlab.count(f"{nets / 'nets.py'}:net", "2x4x10x10")
    for quantity in ("multiply_adds", "parameters", "activations"):
        assert whole[quantity]["before"] == counted.size(quantity)
        assert whole[quantity]["change"] == row[f"{quantity}_after"] - row[quantity]
    rows = list(csv.DictReader(io.StringIO(run(*args, "-f", "csv").out)))
    assert (rows[0]["module"], rows[0]["left"]) == ("0", "")
    assert {each["module"]: each["left"] for each in rows[1:]} == {name: left[name][0] for name in left}
    assert sum(int(each["multiply_adds"]) for each in rows) == counted.multiply_adds


def test_columns(run: Run) -> None:
    head, *lines = run("factorize", "inception_a", "--columns", "module,rank").out.splitlines()
    assert head == "inception_a, input 192x35x35, by 1xn+nx1"
    rows = [line.split() for line in lines if line and "─" not in line]
    assert rows == [["module", "rank"], ["b5x5.1.conv", "68"], ["b3x3.1.conv", "57"], ["b3x3.2.conv", "72"]]
    assert "1x1" in run("factorize", "inception_a", "--columns", "module,reason").out


@pytest.mark.parametrize("share", ["50%", "0.5", ".5", "50.0%"])
def test_a_share_is_a_percentage_or_a_number(run: Run, share: str) -> None:
    given = run("factorize", "inception_a", "--saving", share, "-f", "json")
    assert (
        json.loads(given.out)["rows"] == json.loads(run("factorize", "inception_a", "-f", "json").out)["rows"]
    )


def test_nothing_to_replace(run: Run, nets: Path) -> None:
    code, out, err = run("factorize", "resnet50", "--by", "3x3-pairs")
    assert (code, err) == (0, "")
    shown = " ".join(out.split())
    assert shown.startswith("resnet50, input 3x224x224, by 3x3-pairs: nothing to replace")
    assert "saves nothing (conv_1.conv with 2.9%)" in shown
    assert "parameters 25,557,032 25,557,032 25.56 M 0" in shown
    told = json.loads(run("factorize", "resnet50", "--by", "3x3-pairs", "-f", "json").out)
    assert (told["rows"], told["replaced"], len(told["left"])) == ([], 0, 53)


def test_what_was_not_verified_is_marked(run: Run) -> None:
    shown = run("factorize", "prelu_net_a").out
    assert shown.startswith("prelu_net_a (?), input 3x224x224, by 1xn+nx1\n")
    assert "prelu_net_a (?) with " in shown
    assert "\n(?): its layers were not verified against their source\n" in shown
    assert json.loads(run("factorize", "prelu_net_a", "-f", "json").out)["unverified"] is True
    assert json.loads(run("factorize", "inception_a", "-f", "json").out)["unverified"] is False


def test_fresh_weights_are_told(run: Run) -> None:
    shown = run("factorize", "inception_a", "--by", "separable").out
    assert "its convolutions begin with fresh weights" in shown
    assert "fine-tuning" not in shown
    assert "3x3 depthwise, 1x1" in shown


@pytest.mark.parametrize("target", [("stem",), ("nets.py:net", "-i", "4x40x40")])
def test_the_time_is_bounded_before_and_after(run: Run, nets: Path, target: tuple[str, ...]) -> None:
    told = json.loads(run("factorize", *target, "--device", "h200", "-f", "json").out)
    input_ = target[2] if len(target) > 1 else None
    plan = costlab.factorize(target[0], input_)
    before = costlab.roofline(target[0], "h200", input=input_)
    after = costlab.roofline(plan.variant, "h200")
    assert after.total.multiply_adds == plan.saving.after.multiply_adds
    assert (told["seconds_at_least"], told["seconds_at_least_after"]) == (before.seconds, after.seconds)
    assert before.seconds != after.seconds
    shown = " ".join(run("factorize", *target, "--device", "h200").out.split())
    assert "on h200 in float32" in shown
    assert "lower bounds, no predictions" in shown


MISTAKES = {
    "a rank above the largest": (("--rank", "9999"), "b5x5.1.conv: rank=9999 is above 240, the largest"),
    "a pattern of nothing": (("--only", "b5x5", "--only", "nosuch"), "only='nosuch' matches no convolution"),
    "rank and saving": (("--rank", "3", "--saving", "50%"), "--saving and --rank say the same"),
    "full and saving": (("--full", "--saving", "50%"), "--saving and --full say the same"),
    "full and rank": (("--full", "--rank", "3"), "--rank and --full say the same"),
    "a rank of none": (("--by", "separable", "--rank", "3"), "--rank does not go with --by separable"),
    "a full rank of none": (("--by", "3x3-pairs", "--full"), "--full does not go with --by 3x3-pairs"),
    "no such scheme": (("--by", "cp"), "--by: 'cp' is not one of"),
    "a share of all": (("--saving", "100%"), "--saving: 100% is no share between 0 and 1"),
    "a share without its sign": (("--saving", "50"), "--saving: 50 is no share between 0 and 1"),
    "rank 0": (("--rank", "0"), "--rank: 0 is no whole number of at least 1"),
    "weights of no rank": (
        ("--by", "separable", "--weights", "w"),
        "--weights does not go with --by separable",
    ),
    "save without weights": (("--save", "x.safetensors"), "--save goes with --weights"),
    "another kind of weights": (("--save", "x.pt"), "x.pt: weights are written as safetensors"),
    "another kind of code": (("--rewrite", "x.txt"), "x.txt: what is written is Python"),
    "devices of no device": (("--devices-from", "x.csv"), "--devices-from is for --device"),
    "no such device": (("--device", "k41"), "there is no device 'k41'; did you mean k40?"),
    "no such column": (("--columns", "nosuch"), "--columns: there is no column 'nosuch'"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told_in_one_line_and_nothing_is_written(run: Run, nets: Path, name: str) -> None:
    args, words = MISTAKES[name]
    rewrite = () if "--rewrite" in args else ("--rewrite", "rewritten.py")
    code, out, err = run("factorize", "inception_a", *rewrite, *args)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert [file.name for file in nets.iterdir()] == ["nets.py"]


def test_a_network_without_convolutions_is_a_mistake(run: Run, nets: Path) -> None:
    code, out, err = run("factorize", "nets.py:plain", "-i", "1x16", "--rewrite", "rewritten.py")
    assert (code, out) == (2, "")
    assert err == "costlab: error: nets.py:plain has no convolutions, and nothing else is factorized\n"
    assert not (nets / "rewritten.py").exists()


def test_convolutions_in_words() -> None:
    assert conv_in_words(costlab.Conv2d(8, 3), 4) == "3x3, 4 to 8"
    assert conv_in_words(costlab.Conv2d(8, (1, 7), 2), 4) == "1x7/2, 4 to 8"
    assert conv_in_words(costlab.Conv2d(8, 3, (2, 1), dilation=2), 4) == "3x3/2x1 dilated 2x2, 4 to 8"


def test_the_share_of_convnexts_depthwise_convolutions_is_what_the_documents_say() -> None:
    """ConvNeXt-T: blocks of a depthwise 7x7, and of two linear layers to four times the channels and back."""
    stages = ((96, 56, 3), (192, 28, 3), (384, 14, 9), (768, 7, 3))
    depthwise = sum(n * 49 * c * side**2 for c, side, n in stages)
    linear = sum(n * 8 * c * c * side**2 for c, side, n in stages)
    between = 16 * 3 * 96 * 56**2 + sum(4 * c * c // 2 * side**2 for c, side, _ in stages[1:])
    share = depthwise / (depthwise + linear + between + 768 * 1000)
    words = " ".join((Path(__file__).parents[2] / "docs" / "factorize.md").read_text("utf-8").split())
    assert f"depthwise, and {share:.1%} of its multiply-adds" in words

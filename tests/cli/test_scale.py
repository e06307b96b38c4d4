"""``costlab scale``: rows, machine formats, the command that it names, and what is told in one line."""

import csv
import io
import json
import shlex
from fractions import Fraction
from pathlib import Path

import pytest

import costlab
from tests.cli.conftest import Run

NETS = """
import math
from costlab import Conv2d, Dim, Linear, Ratio, block, scale, seq

@block(input="3x16x16")
def whole(width: Ratio = 1.0):
    return seq(Conv2d(max(1, int(64 * width)), 3), Conv2d(scale(30, width), 3))

@block(input="3x16x16")
def derived(width: Ratio = 1.0):
    return seq(Conv2d(scale(64, width / 2), 3))

@block(input="3x16x16")
def twice(width: Ratio = 1.0):
    return seq(Conv2d(scale(scale(64, width), width), 3))

@block(input="3x16x16")
def zigzag(width: Ratio = 1.0):
    return seq(Conv2d(scale(64, width) if width < 0.7 else scale(32, width), 3))

@block(input="3x16x16")
def odd(depth: int = 3):
    return seq(*(Conv2d(8, 3, padding=1) for _ in range(depth if depth % 2 else depth // 2)))

@block(input="3x16x16")
def falls(width: Ratio = 1.0):
    return seq(Conv2d(scale(64, 1 / width), 3))

@block(input=("channels", 8, 8))
def tied(channels: Dim = 8):
    return seq(Conv2d(channels, 3))

@block(input="3x16x16")
def plain(width: float = 1.0):
    return seq(Conv2d(int(64 * width), 3))

ready = seq(Conv2d(4, 3))
"""


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_table_names_the_command_that_counts_the_network(run: Run) -> None:
    code, out, err = run("scale", "inception_v3", "--to", "5G", "--axis", "width")
    assert (code, err) == (0, "")
    assert "[837/896, 299/320)" in out
    command = out.partition("counts it: ")[2].splitlines()[0]
    _, *words = shlex.split(command)
    counted = json.loads(run(*words, "-f", "json").out)
    assert counted["total"]["multiply_adds"] == 4_993_970_454


def test_machine_formats_hold_plain_numbers_and_fractions(run: Run) -> None:
    words = ("scale", "inception_e", "--to", "1e8", "--batch", "2", "--convention", "fvcore")
    document = json.loads(run(*words, "-f", "json").out)
    assert document["budget"] == 10**8
    assert (document["of"], document["batch"], document["convention"]) == ("fvcore_cost", 2, "fvcore")
    rows = list(csv.DictReader(io.StringIO(run(*words, "-f", "csv").out)))
    assert [row["axis"] for row in rows] == [row["axis"] for row in document["rows"]]
    assert rows[0]["axis"] == "width"
    for row, held in zip(rows, document["rows"], strict=True):
        if row["largest"]:
            _, *counting = shlex.split(row["command"])
            counted = json.loads(run(*counting, "-f", "json").out)
            assert counted["total"]["fvcore_cost"] == int(row["fvcore_cost"]) == held["fvcore_cost"] <= 10**8
            assert "--batch 2 --convention fvcore" in row["command"]
        else:
            assert row["reason"]
    assert Fraction(rows[0]["low"]) < Fraction(rows[0]["high"])


@pytest.mark.parametrize("form", ["markdown", "latex", "table"])
def test_every_format_has_every_axis(run: Run, form: str) -> None:
    code, out, _ = run("scale", "inception_a", "--to", "1e8", "-f", form)
    assert code == 0
    assert all(axis in out for axis in ("width", "pool", "input"))


def test_compound_scaling_says_where_its_coefficients_come_from(run: Run) -> None:
    code, out, _ = run("scale", "inception_v3", "--to", "9e9", "--compound")
    assert code == 0
    assert "alpha=1.2, beta=1.1, gamma=1.15: what Tan and Le (2019) found" in out
    assert "not searched for this network" in " ".join(out.split())
    own = run(
        "scale", "vgg16", "--to", "9e9", "--compound", "--alpha", "1", "--beta", "1.3", "-f", "json"
    ).out
    assert json.loads(own)["compound"] == {"alpha": 1.0, "beta": 1.3, "gamma": 1.15}
    assert (
        "given, and not those of EfficientNet"
        in run("scale", "vgg16", "--to", "9e9", "--compound", "--alpha", "1").out
    )


OTHERWISE = "width is used in other ways than scale(channels, width)"


@pytest.mark.parametrize(
    ("name", "budget", "high", "said"),
    [
        ("whole", "30k", Fraction(1, 16), OTHERWISE),
        # These look at thousands of networks.
        *(
            pytest.param(*each, marks=pytest.mark.slow)
            for each in (
                (
                    "derived",
                    "10k",
                    Fraction(3, 64),
                    OTHERWISE,
                ),
                ("twice", "30k", None, "the multiply-adds are taken to rise only"),
                ("falls", "300k", None, "do not only rise with width"),
            )
        ),
        ("zigzag", "200k", None, "do not only rise with width"),
    ],
)
def test_multipliers_that_are_used_in_other_ways(
    run: Run, nets: Path, name: str, budget: str, high: Fraction | None, said: str
) -> None:
    target = f"nets.py:{name}"
    code, out, _ = run("scale", target, "--to", budget)
    assert code == 0
    assert said in " ".join(out.split())
    row = json.loads(run("scale", target, "--to", budget, "-f", "json").out)["rows"][0]
    most = int(float(budget.replace("k", "e3")))
    best = 0
    for i in range(1, 200):  # up to 4
        total = int(costlab.count(target, width=i / 50).multiply_adds)
        best = max(best, total) if total <= most else best
    assert best <= row["multiply_adds"] <= most
    assert high is None or Fraction(row["high"]) == high


def test_whole_numbers_whose_cost_goes_up_and_down(run: Run, nets: Path) -> None:
    # 13 convolutions of odd depth cost more than 26 / 2 of an even one: 3 has 3, 4 has 2, 5 has 5, 6 has 3
    one, more = 27 * 8 * 256, 72 * 8 * 256
    words = ("scale", "nets.py:odd", "--axis", "depth", "--to", str(one + 2 * more), "-f", "json")
    row = json.loads(run(*words).out)["rows"][0]
    assert (row["largest"], row["multiply_adds"], row["falls"]) == ("6", one + 2 * more, True)


def test_a_parameter_that_is_a_size_of_the_input_takes_it_along(run: Run, nets: Path) -> None:
    for options in ((), ("-i", "8x8x8")):
        words = ("scale", "nets.py:tied", "--axis", "channels", "--to", "30k", *options, "-f", "json")
        row = json.loads(run(*words).out)["rows"][0]
        assert (row["axis"], row["largest"], row["multiply_adds"]) == ("channels", "9", 9 * 9 * 9 * 36)
        counted = json.loads(run(*shlex.split(row["command"])[1:], "-f", "json").out)
        assert counted["total"]["multiply_adds"] == row["multiply_adds"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("inception_v3",), "give a --to, such as 5e9 or 5G"),
        (("inception_v3", "--to", "5e9x"), "--to: '5e9x' is no number, such as 5e9"),
        (("inception_v3", "--to=-5"), "--to: '-5' must be at least 1"),
        (("inception_v3", "--to", "0"), "--to: '0' must be at least 1"),
        (("inception_v3", "--to", "5e9", "--of", "flops"), "--of: 'flops' is no quantity; there is "),
        (("inception_v3", "--to", "5e9", "--of", "paramters"), "did you mean parameters?"),
        (("inception_v3", "--to", "5e9", "--axis", "modules17"), "; did you mean modules_17"),
        (("inception_v3", "--to", "5e9", "--axis", "reductions"), "reductions takes parallel or "),
        (("inception_v3", "--to", "5e9", "--compound", "--axis", "n"), "--axis does not go with --compound"),
        (("inception_v3", "--to", "5e9", "--beta", "1.2"), "--beta is for --compound"),
        (("inception_v3", "--to", "5e9", "--compound", "--beta", "0.9"), "--beta: '0.9' must be at least 1"),
        (("inception_v3", "--to", "5e9", "--compound", "--beta", "20"), "beta=20.0 must be a number from"),
        (("inception_v3", "--to", "1M"), "even width=0.002, the lowest, has 1,358,772 multiply-adds"),
        (("inception_v3", "--to", "5e9", "-i", "3x20x20"), "does not fit"),
        (("nets.py:ready", "--to", "5e9"), "which has no axes to scale: write a definition"),
        (("nets.py:plain", "--to", "5e9", "--axis", "width"), "annotate it as Ratio"),
        (("torch.nn:Linear:in_features=3,out_features=2", "--to", "9"), "PyTorch, which has no axes"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_one_line(run: Run, nets: Path, words: tuple[str, ...], message: str) -> None:
    code, out, err = run("scale", *words)
    assert (code, out) == (2, "")
    assert err.startswith("costlab: error: ")
    assert err.count("\n") == 1
    assert message in err

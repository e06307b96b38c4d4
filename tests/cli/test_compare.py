"""``costlab compare``: tables, differences, checks, pictures, and one line for every mistake."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from costlab.targets.catalog import ablations
from tests.cli.conftest import Run


def test_the_first_target_is_the_baseline(run: Run) -> None:
    code, out, err = run("compare", "conv_nxn:n=5,bn=false", "conv_stack:bn=false")
    assert (code, err) == (0, "")
    assert out.startswith("conv_stack:bn=false beside conv_nxn:n=5,bn=false, input 64x35x35, batch 1\n")
    assert "0.720x" in out
    assert "28.00%" in out
    assert "18/25" not in out
    assert "ratio and saving: against conv_nxn:n=5,bn=false" in out
    exact = run("compare", "conv_nxn:n=5,bn=false", "conv_stack:bn=false", "--exact").out
    assert "18/25 (0.72)" in exact
    assert "28.00%" in exact


@pytest.mark.parametrize("form", ["csv", "json", "markdown", "latex"])
def test_every_other_format_is_exact_anyway(run: Run, form: str) -> None:
    words = ("compare", "conv_nxn:n=5,bn=false", "conv_stack:bn=false", "-f", form)
    out = run(*words).out
    assert (r"\frac{18}{25}" if form == "latex" else "18/25") in out
    assert run(*words, "--exact").out == out


@pytest.mark.parametrize("name", ablations())
def test_every_ablation_in_every_form(run: Run, name: str, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run("compare", "--ablation", name, "-f", "csv").out)))
    content = json.loads(run("compare", "-a", name, "-f", "json").out)
    assert content["ablation"] == name
    assert [row["variant"] for row in content["rows"]] == [row["variant"] for row in rows]
    assert content["baseline"] == rows[0]["variant"]
    assert content["rows"][1]["multiply_adds"] == int(rows[1]["multiply_adds"])
    file = tmp_path / "out.md"
    assert run("compare", "-a", name, "-o", str(file)).code == 0
    published = len(ablations()[name].published)
    assert file.read_text().count("\n| ") == len(rows) + 2 + (published and published + 2)
    assert r"\begin{tabular}" in run("compare", "-a", name, "-f", "latex").out
    assert max(map(len, run("compare", "-a", name, "--diff").out.splitlines())) <= 140


def test_the_released_network_and_its_variants(run: Run) -> None:
    out = run("compare", "--ablation", "inception_v3").out
    for number in ("5,713,216,096", "5,532,582,496", "9,703,025,248"):
        assert number in out


def test_differences(run: Run) -> None:
    out = run("compare", "--ablation", "inception_v3", "--diff").out
    assert "mixed_5b.b5x5.1.conv" in out
    assert "mixed_6e.b7x7dbl.2" in out
    content = json.loads(run("compare", "-a", "inception_v3", "--diff", "-d", "1", "-f", "json").out)
    plain = [d for d in content["differences"] if d["variant"] == "plain 7x7"]
    assert [d["module"] for d in plain] == [f"mixed_6{m}" for m in "bcde"] + ["mixed_7a"]
    assert sum(d["multiply_adds_change"] for d in plain) == 9_703_025_248 - 5_713_216_096
    rows = list(csv.DictReader(io.StringIO(run("compare", "-a", "inception_v3", "--diff", "-f", "csv").out)))
    assert [row["module"] for row in rows[:2]] == ["", "mixed_5b.b5x5.1.conv"]
    whole = csv.DictReader(io.StringIO(run("compare", "-a", "inception_v3", "-f", "csv").out))
    for variant in whole:  # nothing of the comparison is lost
        (own,) = {tuple(row[key] for key in variant) for row in rows if row["variant"] == variant["variant"]}
        assert own == tuple(variant.values())
    changes = [row for row in rows if row["variant"] == "plain 7x7"]
    assert sum(int(row["multiply_adds_change"]) for row in changes) == 9_703_025_248 - 5_713_216_096
    assert run("compare", "-a", "nxn", "--diff", "-f", "markdown").out.count("**") == 4
    assert run("compare", "-a", "nxn", "--diff", "-f", "latex").out.count(r"\begin{tabular}") == 2


def test_heads_and_batches(run: Run) -> None:
    targets = ("inception_v3:width=0.1", "inception_v3:width=0.1,aux=true")
    rows = json.loads(run("compare", *targets, "-b", "2", "-f", "json").out)["rows"]
    assert rows[1]["multiply_adds_ratio"] != "1"
    without = json.loads(run("compare", *targets, "--inference", "-f", "json").out)
    assert [row["multiply_adds_ratio"] for row in without["rows"]] == ["1", "1"]
    assert without["auxiliary_heads"] is False
    formed = json.loads(
        run("compare", "conv_nxn", "conv_nxn", "--inference", "--symbolic", "C", "-f", "json").out
    )
    assert formed["rows"][0]["closed_form"] == "11025*C**2"


def test_check_agrees_on_every_variant(run: Run) -> None:
    code, out, err = run("compare", "--ablation", "large_5x5", "--check")
    assert code == 0
    assert out.count(": agreed on ") == 5
    assert "fvcore FlopCountAnalysis" in out
    assert "torch FlopCounterMode" in out
    assert "11 comparisons each" in out
    assert err == "".join(
        f"checking: {label}\n"
        for label in [
            "5x5 (1 of 5)",
            "3x3+3x3 (2 of 5)",
            "3x3+3x3, linear between (3 of 5)",
            "3x3 (4 of 5)",
            "separable 5x5 (5 of 5)",
        ]
    )
    clean = run("compare", "--ablation", "nxn", "--check", "-f", "json")
    assert json.loads(clean.out)["ablation"] == "nxn"
    assert clean.err.count("agreed on") == 2


def test_check_exits_1_where_a_variant_differs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from costlab.algebra import Conv2d

    right = Conv2d.work

    def wrong(self: Conv2d, x: Any, y: Any) -> Any:
        work = right(self, x, y)
        return work._replace(parameters=7) if self.kernel == (1, 7) else work

    monkeypatch.setattr(Conv2d, "work", wrong)
    code, out, _ = run("compare", "--ablation", "nxn", "--check")
    assert code == 1
    assert (
        "1xn+nx1: fvcore parameter_count, parameters: DIFFERS at 0.conv: counted 7, reported 258,048" in out
    )
    assert "nxn: agreed on 3 modules" in out
    assert "1xn+nx1: agreed" not in out


def test_pictures(run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "picture.PNG"
    assert run("compare", "-a", "nxn", "--plot", str(picture)).code == 0
    first = picture.read_bytes()
    assert first.startswith(b"\x89PNG")
    code, out, err = run("compare", "-a", "small_3x3", "--plot", str(picture))
    assert (code, out) == (2, "")
    assert err == f"costlab: error: {picture} exists: give --force to replace it\n"
    assert picture.read_bytes() == first
    assert run("compare", "-a", "small_3x3", "--plot", str(picture), "--force").code == 0
    assert picture.read_bytes() != first


def test_nothing_is_written_unless_all_can_be(run: Run, tmp_path: Path) -> None:
    table, picture = tmp_path / "table.csv", tmp_path / "picture.png"
    table.write_text("mine")
    assert run("compare", "-a", "nxn", "--plot", str(picture), "-o", str(table)).code == 2
    assert not picture.exists()
    assert table.read_text() == "mine"
    for bad in (tmp_path / "no" / "t.csv", tmp_path):
        assert run("compare", "-a", "nxn", "--plot", str(picture), "-o", str(bad), "-f", "csv").code == 2
        assert not picture.exists()
    code, _, err = run(
        "compare", "-a", "nxn", "--plot", str(picture), "-o", str(picture), "-f", "csv", "--force"
    )
    assert (code, err) == (2, f"costlab: error: {picture} is named twice: name two files\n")
    assert not picture.exists()
    for name in ("x" * 300 + ".png", "loop.png"):
        (tmp_path / "loop.png").unlink(missing_ok=True)
        (tmp_path / "loop.png").symlink_to("loop.png")
        code, _, err = run("compare", "-a", "nxn", "--plot", str(tmp_path / name))
        assert (code, err.count("\n")) == (2, 1)
        assert "cannot be written: " in err


def test_a_set_of_ones_own(run: Run, sets: Path) -> None:
    code, out, err = run("compare", "--ablation", "sets.py:mine", "-f", "json")
    assert code == 0
    assert err == "loading the set\n"
    rows = json.loads(out)["rows"]
    assert [row["multiply_adds"] for row in rows] == [25 * 16 * 64, 9 * 16 * 64]
    code, out, err = run("compare", "--ablation", "sets:mine", "--symbolic", "C")
    assert "576*C**2" in out
    assert "conv2d 5x5" in run("compare", "--ablation", "sets.py:mine", "--diff").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("conv_nxn",), "a comparison needs two targets or more, a baseline first; one is given"),
        (("conv_nxn", "nonesuch"), "there is no definition 'nonesuch' (see costlab list)"),
        (
            ("conv_nxn", "stem"),
            "the inputs differ: conv_nxn takes 64x35x35, stem takes 3x299x299; give one with --input",
        ),
        (("conv_nxn", "stem", "-i", "4x9x9"), "pool_3a: kernel=3x3 does not fit height=2 with padding=0"),
        (("--ablation", "nn"), "there is no ablation 'nn'; did you mean nxn? (see costlab list --ablations)"),
        (("--ablation", "nxn", "conv_nxn"), "an ablation brings its own targets: give one or the other"),
        (("--ablation", "nxn:n=5"), "nxn:n=5: an ablation takes no settings"),
        (("--ablation", "conv_nxn"), "there is no ablation 'conv_nxn'"),
        (("large_5x5", "nxn"), "large_5x5 is an ablation: costlab compare --ablation large_5x5"),
        (("--ablation", "sets.py:made"), "sets.py:made is of type Definition, not an Ablation"),
        (("--ablation", "sets.py:number"), "sets.py:number is of type int, not an Ablation"),
        (("--ablation", "sets.py:mine:n=3"), "sets.py:mine:n=3: an ablation takes no settings"),
        (("--ablation", "sets.py:nothing"), "sets.py has no 'nothing'"),
        (("--ablation", "sets.py"), "sets.py: say which attribute of the file"),
        (("--ablation", "sets.py:broken"), "made: ValueError: no such network (sets.py, line 9)"),
        (
            ("sets.py:mine", "conv_nxn"),
            "sets.py:mine is an ablation: costlab compare --ablation sets.py:mine",
        ),
        (
            ("--ablation", "receptive_field", "-i", "3x299x299"),
            "receptive_field: the variants bring inputs of their own",
        ),
        (
            ("--ablation", "nxn", "--symbolic", "foo"),
            "'foo' is no numeric parameter and no size of the input",
        ),
        (
            ("conv_nxn", "conv_stack", "--symbolic", "foo"),
            "'foo' is no numeric parameter and no size of the input",
        ),
        (("--ablation", "nxn", "--symbolic", "bn"), "bn takes true or false, and no symbol in its place"),
        (
            ("--ablation", "large_5x5", "--symbolic", "n"),
            "n: the variants have 3 and 5 there: one symbol needs one number",
        ),
        (("--ablation", "nxn", "--symbolic", "--diff"), "--diff and --symbolic do not go together"),
        (("--ablation", "nxn", "--depth", "1"), "--depth goes with --diff"),
        (("--ablation", "nxn", "--plot", "x.jpg"), "x.jpg: a picture is a PNG: let its name end in .png"),
        (
            ("--ablation", "nxn", "--plot", "no/x.png"),
            "no/x.png cannot be written: there is no folder no",
        ),
        (
            ("--ablation", "nxn", "-i", "3x3"),
            "input=3x3 is for modules; a block takes channels x height x width",
        ),
        (
            ("conv_nxn:filters=3,alpha=2", "conv_nxn"),
            "filters=3 and alpha=2.0 both say what goes out: give one",
        ),
        (("conv_stack:parts=1,between=3", "conv_nxn"), "conv_stack: between=3 needs parts=2 or more"),
        (
            ("grid_reduction:filters=320", "grid_reduction"),
            "grid_reduction: filters - channels=0 must be at least 1",
        ),
        (
            ("conv_nxn:channels=32", "conv_nxn", "-i", "64x9x9"),
            "conv_nxn: channels=32 must be the input's, and that is 64x9x9",
        ),
    ],
)
def test_mistakes_are_told_in_one_line(run: Run, sets: Path, words: tuple[str, ...], message: str) -> None:
    code, out, err = run("compare", *words)
    lines = [line for line in err.splitlines() if line not in ("loading the set", "deriving closed forms")]
    assert code == 2
    assert out == ""
    assert len(lines) == 1
    assert lines[0].startswith("costlab: error: ")
    assert message in lines[0]


def test_the_named_sets_are_listed(run: Run) -> None:
    out = run("list", "--ablations").out
    assert "large_5x5  Section 3.1" in out
    assert "    3x3+3x3                   conv_stack:n=3,parts=2,bn=false\n" in out
    assert "inception_v3:stem_stride=1,stem_pool=false, input 3x79x79" in out
    rows = json.loads(run("list", "nxn", "--ablations", "-f", "json").out)["rows"]
    assert [(row["variant"], row["target"]) for row in rows] == [
        ("nxn", "conv_nxn:n=7,bn=false"),
        ("1xn+nx1", "conv_1xn_nx1:n=7,bn=false"),
    ]
    for row in json.loads(run("list", "--ablations", "-f", "json").out)["rows"]:
        assert run("count", row["target"], "-i", row["input"]).code == 0
    assert run("list", "nix", "--ablations").code == 2


@pytest.mark.parametrize("module", ["torch", "fvcore", "pandas", "matplotlib", "sympy", "numpy"])
def test_comparing_numbers_imports_nothing_heavy(module: str) -> None:
    code = (
        "import sys\nfrom costlab.cli.main import main\n"
        "try: main(['compare', '--ablation', 'inception_v3', '--diff'])\n"
        f"except SystemExit: pass\nsys.exit({module!r} in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

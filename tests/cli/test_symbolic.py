"""``--symbolic`` on the command line: closed forms of counts and comparisons."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
import sympy

from tests.cli.conftest import Run


@pytest.mark.parametrize(
    "words",
    [
        ("--ablation", "nxn", "--symbolic"),
        ("--symbolic", "--ablation", "nxn"),
        ("--ablation", "nxn", "--symbolic", "C,H,W,n"),
        ("--ablation", "nxn", "--symbolic=C,H,W,n"),
        ("--ablation", "nxn", "--symbolic", "C, H ,W,n,"),
        (
            "--symbolic",
            "conv_nxn:n=7,bn=false",
            "conv_1xn_nx1:bn=false",
            "-i",
            "192x17x17",
            "--symbolic",
            "C,H,W,n",
        ),
    ],
)
def test_symbols_may_be_named_or_not(run: Run, words: tuple[str, ...]) -> None:
    code, out, err = run("compare", *words)
    assert code == 0, err
    assert "2*C**2*H*W*n" in out
    assert "1 - 2/n" in out


def test_a_target_after_symbolic_is_a_target(run: Run, sets: Path) -> None:
    for targets in (
        ("conv_nxn", "conv_stack"),
        ("conv_nxn:n=5", "conv_stack"),
        ("sets.py:made", "sets.py:made"),
    ):
        code, out, err = run("compare", "--symbolic", *targets)
        assert code == 0, err
        assert "closed form" in out


def test_the_ratio_in_alpha_as_latex(run: Run) -> None:
    out = run("compare", "--ablation", "large_5x5", "--symbolic", "--format", "latex").out
    assert r"$\frac{9 \left(\alpha + 1\right)}{25 \sqrt{\alpha}}$" in out


def test_a_network_in_its_width_and_height(run: Run) -> None:
    code, out, err = run("count", "inception_v3", "--symbolic", "width")
    assert (code, err) == (0, "deriving the closed form\n"[:0])
    assert "5691986432*width**2 + 21229664*width" in out
    assert "multiple of 1/16" in out
    content = json.loads(run("count", "--symbolic", "height", "inception_v3", "-f", "json").out)
    formula = sympy.sympify(content["total"]["multiply_adds"])
    assert formula.subs("height", 299) == 5_713_216_096
    assert content["holds"] == ["where height % 32 = 11 and height is at least 75"]
    by_kind = json.loads(run("count", "stem", "--symbolic", "C", "--by", "kind", "-f", "json").out)
    assert by_kind["rows"][0]["kind"] == "conv2d"
    assert (
        run("count", "inception_v3:aux=true", "--symbolic", "N", "--inference", "-d", "0").out.count(
            "5713216096*N"
        )
        == 2
    )


def test_required_parameters_need_no_number_where_they_are_symbols(run: Run, sets: Path) -> None:
    Path("net.py").write_text(
        "from costlab.algebra import *\n"
        "@block(input='3x8x8')\ndef net(filters: Dim): return Conv2d(filters, 3)\n"
    )
    assert "972*filters" in run("count", "net.py:net", "--symbolic", "filters").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("stem", "--symbolic", "widht"),
            "'widht' is no numeric parameter and no size of the input; did you mean width?",
        ),
        (("stem", "--symbolic", "width", "--sort", "name"), "--sort does not go with --symbolic"),
        (("nothing", "--symbolic", "width"), "there is no definition 'nothing'"),
        (("stem", "--symbolic", "H,height"), "stem: H and height are one size: give one of them"),
    ],
)
def test_mistakes_with_symbols_of_a_count(run: Run, words: tuple[str, ...], message: str) -> None:
    code, out, err = run("count", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_heads_are_left_out_of_forms_too(run: Run) -> None:
    targets = ("inception_v3", "inception_v3:aux=true")
    forms = [
        json.loads(run("compare", *targets, "--symbolic", "N", *more, "-f", "json").out)["rows"][3]["ratio"]
        for more in ((), ("--inference",))
    ]
    assert forms == [str(Fraction(5_718_899_296, 5_713_216_096)), "1"]


def test_other_words_are_not_looked_up(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []
    monkeypatch.setattr("costlab.cli.inputs.is_listed", looked_up.append)
    assert run("count", "stem", "-d", "2", "-f", "csv").code == 0
    assert looked_up == []
    assert run("count", "stem", "--symbolic", "width").code == 0
    assert looked_up == ["width"]


@pytest.mark.parametrize("rounding", ["int", "round"])
def test_a_width_that_is_rounded_by_hand(rounding: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "from costlab import Conv2d, Ratio, block, seq\n"
        "@block(input='3x8x8')\n"
        f"def net(width: Ratio = 1.0):\n    return seq(Conv2d({rounding}(8 * width), 3))\n"
    )
    failed = run("count", f"{tmp_path}/net.py:net", "--symbolic", "width")
    assert (failed.code, failed.out) == (2, "")
    assert failed.err.endswith("(net.py, line 4): scale(channels, number) takes symbols\n")

"""What was not held against its source bears its mark wherever it is shown, and hands it on."""

import json
from pathlib import Path

import pytest

import costlab
from costlab.algebra import block, seq
from costlab.counting import closed_form, compare, count
from costlab.report.figure import bars_of
from tests.cli.conftest import Run

NET = "prelu_net_a:width=0.05"
NOTE = "(?): its layers were not verified against their source"


@pytest.mark.parametrize(
    "args",
    [
        ("count", NET),
        ("count", NET, "--by", "kind"),
        ("count", NET, "--symbolic", "width", "--depth", "0"),
        ("compare", "vgg16:width=0.05", NET),
        ("compare", NET, "vgg16:width=0.05"),
        ("compare", NET, "prelu_net_b:width=0.05", "--diff", "--depth", "1"),
        ("compare", NET, "prelu_net_b:width=0.05", "--symbolic", "num_classes"),
    ],
)
@pytest.mark.parametrize("form", ["table", "markdown", "latex"])
def test_people_see_the_mark_and_what_it_means(run: Run, args: tuple[str, ...], form: str) -> None:
    code, out, _ = run(*args, "-f", form)
    assert code == 0
    plain = out.replace("\\_", "_")
    assert f"{NET} (?)" in plain
    assert NOTE in plain


@pytest.mark.parametrize(
    "args", [("count", "vgg16"), ("compare", "vgg16", "vgg19", "--diff"), ("list", "vgg16")]
)
def test_what_was_held_against_its_source_bears_none(run: Run, args: tuple[str, ...]) -> None:
    assert "(?)" not in run(*args).out


def test_programs_are_told_in_a_field(run: Run) -> None:
    assert json.loads(run("count", NET, "-f", "json").out)["unverified"] is True
    assert json.loads(run("count", "stem", "-f", "json").out)["unverified"] is False
    rows = json.loads(run("compare", "vgg16", "prelu_net_a", "-f", "json").out)["rows"]
    assert [(row["variant"], row["unverified"]) for row in rows] == [("vgg16", False), ("prelu_net_a", True)]
    rows = json.loads(run("list", "-f", "json").out)["rows"]
    assert [row["name"] for row in rows if row["unverified"]] == ["prelu_net_a", "prelu_net_b", "prelu_net_c"]


def test_the_list_marks_it(run: Run) -> None:
    assert "\nprelu_net_c (?)  He et al." in run("list").out
    assert run("list", "prelu_net_c").out.startswith("prelu_net_c (?)  He et al.")
    assert "| prelu-net" not in run("list", "-f", "markdown").out
    assert "| prelu_net_c (?) |" in run("list", "-f", "markdown").out


def test_a_check_marks_it(run: Run) -> None:
    out = run("compare", NET, "vgg16:width=0.05", "--check").out
    assert f"{NET} (?): agreed on " in out
    assert "vgg16:width=0.05: agreed on " in out


def test_a_picture_marks_it() -> None:
    assert bars_of(compare("vgg16", "prelu_net_a")).variants == ("vgg16", "prelu_net_a (?)")
    assert bars_of(compare("prelu_net_a", "vgg16")).baseline == "prelu_net_a (?)"


def test_what_contains_it_is_unverified_too(tmp_path: Path) -> None:
    inside = seq(seq(costlab.catalog()["prelu_net_a"]()))
    assert count(inside, (3, 224, 224)).unverified
    assert not count("vgg16").unverified

    @block(input="3x64x64")
    def mine(depth: int = 1) -> costlab.Block:
        return seq(*(costlab.catalog()["prelu_net_a"](width=0.05) for _ in range(1)))

    assert count(mine).unverified
    assert closed_form(mine, "H").unverified
    assert count(mine).inference.unverified


def test_being_unverified_is_no_part_of_the_value() -> None:
    def plain() -> costlab.Block:
        return seq(costlab.catalog()["stem"]())

    marked, other = block(unverified=True)(plain), block()(plain)
    assert marked() == other()
    assert (marked.unverified, other.unverified) == (True, False)

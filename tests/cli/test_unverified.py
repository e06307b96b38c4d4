"""What was not held against its source bears its mark wherever it is shown, and hands it on."""

import csv
import io
import json
import pickle
from pathlib import Path

import pytest

import costlab
from costlab.algebra import Conv2d, Definition, block, seq
from costlab.counting.compare import compare
from costlab.counting.count import count
from costlab.report.pictures.bars import bars_of
from costlab.symbolic import closed_form
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


@pytest.mark.parametrize(
    "args", [("count", NET), ("count", NET, "--by", "kind"), ("count", NET, "--symbolic", "width")]
)
def test_every_csv_has_the_field(run: Run, args: tuple[str, ...]) -> None:
    rows = list(csv.DictReader(io.StringIO(run(*args, "-f", "csv").out)))
    assert {row["unverified"] for row in rows} == {"True"}
    assert json.loads(run(*args, "-f", "json").out)["unverified"] is True


def test_a_frame_has_the_field() -> None:
    assert count(NET).to_frame()["unverified"].all()
    assert not count("vgg16", width=0.05).to_frame()["unverified"].any()


def test_what_is_held_against_it_is_told(run: Run) -> None:
    out = run("compare", "prelu_net_a", "vgg16").out
    assert out.startswith("vgg16 beside prelu_net_a (?), input")
    assert "ratio and saving: against prelu_net_a (?)" in out
    assert json.loads(run("compare", "prelu_net_a", "vgg16", "-f", "json").out)["baseline_unverified"] is True
    out = run("compare", "vgg16", "prelu_net_a").out
    assert out.startswith("prelu_net_a (?) beside vgg16, input")


def test_sets_are_listed_with_it(run: Run) -> None:
    assert "    PReLU-net C, 10 crops (?)   prelu_net_c, " in run("list", "--ablations").out
    rows = json.loads(run("list", "inference_budget", "--ablations", "-f", "json").out)["rows"]
    assert [row["variant"] for row in rows if row["unverified"]] == ["PReLU-net C, 10 crops"]


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


def test_a_definition_around_it_hands_the_mark_on_as_it_is() -> None:
    def outer() -> costlab.Block:
        return costlab.catalog()["prelu_net_a"]()

    assert count(block()(outer), (3, 224, 224)).unverified


def test_a_form_that_is_interpolated_bears_it_too() -> None:
    @block(input="3x64x64")
    def mine(times: int = 2) -> costlab.Block:
        return seq(
            *(seq(conv=Conv2d(3, 1)) for _ in range(times)), costlab.catalog()["prelu_net_a"](width=0.05)
        )

    form = closed_form(mine, "times")
    assert form.ranges
    assert form.unverified
    assert form.shown == "mine (?)"


def test_a_pickle_keeps_it() -> None:
    made = Definition(_plain, unverified=True)
    assert pickle.loads(pickle.dumps(made)).unverified
    assert not pickle.loads(pickle.dumps(Definition(_plain))).unverified


def _plain() -> costlab.Block:
    return seq()


def test_a_leaf_cannot_bear_it() -> None:
    made = Definition(lambda: Conv2d(1, 1), unverified=True)
    with pytest.raises(
        costlab.DefinitionError, match=r"is unverified: put seq\(...\) around what it returns"
    ):
        made()


def test_being_unverified_is_no_part_of_the_value() -> None:
    def plain() -> costlab.Block:
        return seq(costlab.catalog()["stem"]())

    marked, other = block(unverified=True)(plain), block()(plain)
    assert marked() == other()
    assert (marked.unverified, other.unverified) == (True, False)

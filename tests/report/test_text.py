"""Tables in a terminal: no line is too long, no word is broken that has no joint, nothing is said amiss."""

import re

import pytest

from costlab.report.table import Table
from costlab.report.text import folded
from tests.report.test_latex import TABLES
from tests.sampling import one_in

WORD = r"[A-Za-z]{2,}"
SOME = {name: table for name, table in TABLES.items() if "deep" not in name}


@pytest.mark.parametrize("name", one_in(3, SOME))
@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_lines_fit_and_words_are_whole(name: str, width: int) -> None:
    table = SOME[name]
    text = table.to_text(width)
    assert max(map(len, text.splitlines())) <= width
    title, *_ = text.split("\n\n")
    assert " ".join(title.split()) == table.title
    known = set(re.findall(WORD, table.to_text() + table.to_markdown() + " ".join(_names(table))))
    assert set(re.findall(WORD, text)) <= known | {"no", "room", "for"}


def _names(table: Table) -> list[str]:
    """What columns are called where there is no room for them."""
    return [f"{column.title} {column.key.replace('_', ' ')}" for column in table.columns]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_a_sum_is_told_of_where_all_that_adds_up_is_shown(width: int) -> None:
    text = TABLES["reconcile"].to_text(width)
    left_out = " ".join(text.split()).partition("no room for: ")[2]
    terms = {"bias", "normalization", "pooling", "activation functions"}
    missing = terms & {name.strip() for name in left_out.split(",")}
    assert ("the sum of" in " ".join(text.split())) == (not missing)
    assert bool(missing) == (width < 120)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("inception_v3:branch_5x5=3x3,aux=true", 20, ["inception_v3:", "branch_5x5=3x3,", "aux=true"]),
        ("mixed_5b.b5x5.1.conv", 10, ["mixed_5b.", "b5x5.1.", "conv"]),
        ("FLOPs, two per multiply-add", 16, ["FLOPs, two per", "multiply-add"]),
        ("1,234,567,890 one", 6, ["1,234,567,890", "one"]),
        ("nothing", 3, ["nothing"]),
        ("short", 9, ["short"]),
    ],
)
def test_where_a_text_is_folded(text: str, width: int, lines: list[str]) -> None:
    assert folded(text, width) == lines


def test_a_word_without_joints_is_broken_where_nothing_else_helps() -> None:
    assert folded("nothing", 3, anywhere=True) == ["not", "hin", "g"]

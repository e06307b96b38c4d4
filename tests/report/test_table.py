"""Tables: exact in every form, and fitted to the terminal by whole columns."""

import csv
import io
import json

import pytest

from costlab.algebra import symbols
from costlab.counting.count import count
from costlab.errors import DefinitionError
from costlab.report.cell import Column, bar_of, human
from costlab.report.table import Table, inline
from costlab.report.tables.count import count_table

SIZE = 12_345_678_901_234_567_890  # more than int64 holds
TABLE = Table(
    title="a | title",
    columns=(
        Column("name", "name", empty="(root)"),
        Column("size", "size", "size"),
        Column("share", "share", "share", sacrifice=1),
        Column("more", "more", "size", sacrifice=2),
        Column("hidden", "hidden", machine_only=True),
    ),
    rows=(("a|b", SIZE, 0.25, 7, "x"), ("", 1, 1.0, 8, "y")),
    total=("total", SIZE + 1, 1.0, 15, None),
    notes=("a note",),
    facts=lambda: {"target": "t"},
)


def test_csv_holds_plain_integers_and_no_total() -> None:
    rows = list(csv.DictReader(io.StringIO(TABLE.to_csv())))
    assert [int(row["size"]) for row in rows] == [SIZE, 1]
    assert [row["name"] for row in rows] == ["a|b", ""]
    assert rows[0]["hidden"] == "x"


def test_json_holds_plain_integers_and_the_facts() -> None:
    content = json.loads(TABLE.to_json())
    assert content["target"] == "t"
    assert content["rows"][0] == {"name": "a|b", "size": SIZE, "share": 0.25, "more": 7, "hidden": "x"}
    assert content["total"]["size"] == SIZE + 1
    assert "hidden" not in content["total"]


def test_markdown() -> None:
    assert TABLE.to_markdown().splitlines() == [
        "**a \\| title**",
        "",
        "| name | size | share | more |",
        "| --- | ---: | ---: | ---: |",
        "| a\\|b | 12,345,678,901,234,567,890 | 25.0% | 7 |",
        "| (root) | 1 | 100.0% | 8 |",
        "| **total** | **12,345,678,901,234,567,891** | **100.0%** | **15** |",
        "",
        "a note",
    ]


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (None, {"name", "size", "share", "more", "█"}),
        (62, {"name", "size", "share", "more", "█"}),
        (61, {"name", "size", "share", "more"}),
        (48, {"name", "size", "share", "more"}),
        (47, {"name", "size", "share"}),
        (41, {"name", "size"}),
        (10, {"name", "size"}),
    ],
)
def test_a_narrow_terminal_loses_columns_and_no_digits(width: int | None, shown: set[str]) -> None:
    whole = TABLE.to_text(width)
    missing = " ".join(whole.split()).partition("no room for:")[2]
    text = whole.partition("no room")[0]
    assert {"share", "more"} - shown == {name.strip() for name in missing.split(",") if name.strip()}
    assert {mark for mark in ("name", "size", "share", "more", "█") if mark in text} == shown
    assert f"{SIZE:,}" in text
    assert f"{SIZE + 1:,}" in text
    assert all(len(line) <= max(width or 1000, 35) for line in text.splitlines())


def test_color_only_when_asked() -> None:
    assert "\x1b[" not in TABLE.to_text(80)
    assert "\x1b[1m" in TABLE.to_text(80, color=True)


def test_ascii_where_nothing_else_can_be_shown() -> None:
    text = TABLE.to_text(80, unicode=False)
    assert text.isascii()
    assert "##########" in text
    assert bar_of(0.25, unicode=False) == "##        "
    assert bar_of(0.26, unicode=False) == "###       "


@pytest.mark.parametrize(
    ("share", "bar"),
    [(0.0, ""), (1.0, "█" * 10), (0.5, "█" * 5), (0.25, "██▌"), (0.0125, "▏"), (0.001, "")],
)
def test_bars(share: float, bar: str) -> None:
    assert bar_of(share) == bar.ljust(10)
    assert len(bar_of(share, unicode=False)) == 10


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00 k"),
        (999_999, "1.00 M"),
        (5_713_216_096, "5.71 G"),
        (23_834_568, "23.83 M"),
        (999_994, "999.99 k"),
        (996_000, "996.00 k"),
        (995_500_000, "995.50 M"),
        (10**18, "1.00 E"),
        (10**29, "100,000.00 Y"),
    ],
)
def test_human_sizes(size: int, text: str) -> None:
    assert human(size) == text


def test_units_stand_behind_the_prefix() -> None:
    assert human(11_426_432_192, "FLOP") == "11.43 GFLOP"
    assert human(12, "FLOP") == "12 FLOP"


def test_markup_in_names_is_not_interpreted() -> None:
    table = Table("[bold]t[/bold]", (Column("n", "n"),), (("[red]x",), ("a[/]b",)))
    assert "[red]x" in table.to_text()
    assert "a[/]b" in table.to_text()
    assert "[bold]t[/bold]" in table.to_text()


def test_the_order_of_rows() -> None:
    counted = count("inception_v3")
    by_column = [column.key for column in count_table(counted).columns]
    parameters = [row[by_column.index("parameters")] for row in count_table(counted, sort="parameters").rows]
    assert parameters == sorted(parameters, reverse=True)
    names = [row[0] for row in count_table(counted, sort="name").rows]
    assert names == sorted(names)


def test_kinds_in_the_order_of_their_names() -> None:
    kinds = [row[0] for row in count_table(count("inception_v3"), by="kind", sort="name").rows]
    assert kinds == sorted(kinds)


def test_what_has_no_single_number_has_no_table() -> None:
    with pytest.raises(DefinitionError, match=r"stem: multiply_adds=.*b.* is no single number"):
        count_table(count("stem", batch=symbols("b")))


def test_a_network_that_costs_nothing_has_no_shares() -> None:
    from costlab.algebra import ReLU

    table = count_table(count(ReLU(), (1, 2, 2)))
    assert "0.0%" in table.to_text()


FOLDED = Table(
    title="t",
    columns=(
        Column("name", "name", fold=8),
        Column("size", "the size", "size"),
        Column("value", "value", "printed", sacrifice=1, fold=6, marked_by="odd"),
        Column("odd", "odd", machine_only=True),
    ),
    rows=(("one two three", 1_000, "12 (1/2)", True), ("x", 22, "", False)),
    total=("all of it", 1_022, "7", False),
)


def test_a_narrow_terminal_folds_cells_before_it_loses_columns() -> None:
    assert FOLDED.to_text(30).splitlines() == [
        "t",
        "",
        "name     the size  value",
        "─" * 24,
        "one two     1,000     12",
        "three              (1/2)",
        "                     (?)",
        "x              22",
        "─" * 24,
        "all of      1,022      7",
        "it",
    ]
    assert "no room for: value" in FOLDED.to_text(23)
    assert "one two three" in FOLDED.to_text()


LONG = "several words that stand beside each other " * 2


@pytest.mark.parametrize(
    ("texts", "fold", "most"),
    [
        ((LONG[:43], LONG[:44]), 9, 140),  # whole
        ((LONG[:68], LONG[:70]), 9, 140),  # whole, closer together
        ((LONG, LONG), 9, 140),
        (("x" * 100, LONG), 9, 140),  # a word is not broken
        (("x" * 100, "x" * 40), 9, 143),  # nor is anything lost that does not fit
        ((LONG, LONG), 0, 175),
    ],
)
def test_a_page_has_140_columns_and_loses_nothing(texts: tuple[str, str], fold: int, most: int) -> None:
    table = Table("t", (Column("a", "a", fold=fold), Column("b", "b", sacrifice=1, fold=fold)), (texts,))
    text = table.to_text()
    assert max(map(len, text.splitlines())) <= most
    assert "no room" not in text
    assert sorted(" ".join(text.splitlines()[4:]).split()) == sorted(" ".join(texts).split())


def test_a_page_has_less_room_between_columns_before_cells_are_folded() -> None:
    columns = (Column("a", "a", fold=9), Column("b", "b", fold=9))
    for second, gap in ((LONG[:67], "   "), (LONG[:68], "  ")):
        text = Table("t", columns, (("x " * 35, second),)).to_text()
        assert text.splitlines()[4] == "x " * 35 + gap + second.rstrip()


def test_a_note_is_wrapped_at_the_end_of_a_page() -> None:
    table = Table("t", (Column("a", "a"),), (("x",),), notes=("word " * 60,))
    *_, first, second, third = table.to_text().splitlines()
    assert (len(first), len(second), len(third)) == (139, 139, 19)


def test_nothing_is_lost_by_folding() -> None:
    for width in range(24, 60):
        words = FOLDED.to_text(width).split()
        for word in ("one", "two", "three", "1,000", "12", "(1/2)", "(?)", "1,022"):
            assert word in words


def test_a_number_is_never_broken() -> None:
    table = Table(
        "t", (Column("value", "value", "printed", fold=5),), (("1,234,567,890",), ("2 * 10**9 / 3",))
    )
    assert [line.strip() for line in table.to_text(6).splitlines()[4:]] == [
        "1,234,567,890",
        "2 *",
        "10**9",
        "/ 3",
    ]


def test_a_terminal_without_unicode() -> None:
    table = Table("t", (Column("stated", "stated", "printed"),), (("5 ±15%",),), notes=("behind ±",))
    assert "±" not in table.to_text(unicode=False)
    assert "5 +-15%" in table.to_text(unicode=False)
    assert "behind +-" in table.to_text(unicode=False)
    assert "5 ±15%" in table.to_text()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("inception_v3:branch_5x5=3x3", "inception_v3:branch_5x5=3x3"),
        ("__stem__", r"\_\_stem\_\_"),
        ("_mid_.conv_1", r"\_mid\_.conv_1"),
        ("a|b*c`d", r"a\|b\*c\`d"),
        ("x<y> and </z>", r"x\<y> and \</z>"),
        ("< 25 million", "< 25 million"),
        ("[a](http://x)", r"\[a](http://x)"),
        ("![a[b]](http://x)", r"!\[a\[b]](http://x)"),
        ("[a]: http://x", r"\[a]: http://x"),
        ("5 [sic]", "5 [sic]"),
        ("~~a~~ and ~b~", r"\~\~a\~\~ and \~b\~"),
        ("&lt;b&gt; &#60; R&D; Q & A", r"\&lt;b\&gt; \&#60; R\&D; Q & A"),
    ],
)
def test_names_are_no_marks_of_markdown(text: str, written: str) -> None:
    assert inline(text) == written


def test_multiply_adds_are_said_to_be_macs_once() -> None:
    columns = (
        Column("module", "module"),
        Column("multiply_adds", "multiply-adds", "size"),
        Column("change", "multiply-adds more", "size"),
    )
    table = Table("Sizes", columns, (("stem", 1_340_779_616, 5),))
    text = table.to_text().splitlines()
    assert text[2].split() == ["module", "multiply-adds", "multiply-adds", "more"]
    assert text[3].strip() == "(MACs)"
    assert text[3].index("(MACs)") + len("(MACs)") == text[2].index("multiply-adds") + len("multiply-adds")
    for form in (table.to_text(), table.to_markdown(), table.to_latex()):
        assert form.count("MACs") == 1
    assert "| module | multiply-adds (MACs) | multiply-adds more |" in table.to_markdown()
    assert "MACs" not in table.to_csv() + table.to_json()

"""Tables in LaTeX: as wide as a column of text, by the font itself, with all that is shown in them."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.ft2font import FT2Font

from costlab.counting.compare import compare
from costlab.counting.count import count
from costlab.counting.reconcile import account_of, explain, reconcile
from costlab.report.cell import Column
from costlab.report.latex import points
from costlab.report.table import Table
from costlab.report.tables.compare import compare_table, difference_table
from costlab.report.tables.conventions import conventions_table
from costlab.report.tables.count import count_table
from costlab.report.tables.published import published_table
from costlab.report.tables.reconcile import explain_table, reconcile_table
from costlab.targets.catalog import ablations
from tests.sampling import one_in

LINES = {10: (345, 1.0), 11: (360, 1.095), 12: (390, 1.175)}
"""Of an article at so many points, A4 or letter: the points of a line, its letters by those at 10 points."""
SCALES = {"": 1.0, r"\small": 0.925, r"\footnotesize": 0.85, r"\scriptsize": 0.8}
"""The width of the digits of each size by those of the text, as LaTeX sets them."""
SIGNS = {**{f"\\{sign}": sign for sign in "_&%#${}"}, "$": "", "``": '"'}


@cache
def font() -> FT2Font:
    """Computer Modern, which comes with matplotlib, at 10 points."""
    file = FT2Font(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "cmr10.ttf"))
    file.set_size(10, 72)
    return file


def width(text: str) -> float:
    """The points that a line of a cell takes in the font."""
    if match := re.fullmatch(r"\$-?\\frac\{(.*)\}\{(.*)\}\$", text):
        return 0.8 * max(map(width, match.groups())) + 3
    for sign, shown in SIGNS.items():
        text = text.replace(sign, shown)
    text = re.sub(r"\\(?:leq|geq|pm|allowbreak|textbackslash)(?:\{\})?|-\{\}", "=", text)
    assert "\\" not in text, text
    return sum(font().load_char(ord(sign)).linearHoriAdvance / 65536 for sign in text)


def cell_width(cell: str) -> float:
    """The points that a cell takes in the size of the text."""
    if match := re.fullmatch(r"\\parbox\[t\]\{([\d.]+)em\}\{.*\}", cell):
        return 10 * float(match[1])
    if match := re.fullmatch(r"\\shortstack\[[lr]\]\{(.*)\}", cell):
        return max(map(width, match[1].split(r"\\")))
    return width(cell)


def tabulars(latex: str) -> Iterator[tuple[float, float, list[list[str]]]]:
    """Of each table the scale of its print, the points between its columns, and its cells."""
    pattern = (
        r"(\\[a-z]*)?\\setlength\{\\tabcolsep\}\{([\d.]+)pt\}\n\\begin\{(tabular|longtable)\}(.*?)\\end\{\3\}"
    )
    for command, gap, _, body in re.findall(pattern, latex, re.DOTALL):
        lines = [line.removesuffix(r" \\") for line in body.splitlines()[1:] if line.endswith(r" \\")]
        rows = [re.split(r"(?<!\\) & ", line) for line in lines if not line.startswith(r"\caption")]
        assert len({len(row) for row in rows}) == 1
        yield SCALES[command], 2 * float(gap), rows


def widths(latex: str, letters: float = 1.0) -> list[float]:
    """How wide each table is, with letters so many times as large as those of 10 points."""
    found = []
    for scale, gap, rows in tabulars(latex):
        columns = [max(map(cell_width, column)) for column in zip(*rows, strict=True)]
        found.append(letters * scale * sum(columns) + gap * (len(columns) - 1))
    return found


def tables() -> Iterator[tuple[str, Table]]:
    network = count("inception_v3")
    for by in ("module", "kind"):
        yield f"count by {by}", count_table(network, by=by)
    for depth in (2, 9):
        yield f"count {depth} deep", count_table(network, depth)
    for convention in ("thop", "calflops_flops"):
        yield f"count under {convention}", count_table(network.under(convention))
    for name in ablations():
        compared = compare(ablation=name)
        yield f"compare {name}", compare_table(compared)
        yield f"compare {name} in decimals", compare_table(compared, exact=False)
        yield f"what differs in {name}", difference_table(compared)
        if compared.published:
            yield f"published of {name}", published_table(compared)
    accounts = reconcile(network)
    yield "reconcile", reconcile_table(network, accounts)
    first, second = (account_of(accounts, name) for name in ("fvcore", "thop"))
    yield "explain", explain_table(network, first, second, explain(network, first, second))
    yield "conventions", conventions_table()
    for name in ("fvcore", "thop"):
        yield f"convention {name}", conventions_table(name)


TABLES = dict(tables())


@pytest.mark.parametrize("name", one_in(4, TABLES))
def test_a_table_is_no_wider_than_a_column_of_text(name: str) -> None:
    table = TABLES[name]
    for line, letters in LINES.values():
        (own,) = widths(table.to_latex(), letters)
        assert 60 < own <= line
        (floating,) = widths(table.to_latex(label="tab:a"), letters)
        assert floating == own


@pytest.mark.parametrize("name", TABLES)
def test_every_row_is_there_and_what_is_left_out_is_named(name: str) -> None:
    table = TABLES[name]
    latex = table.to_latex()
    ((_, _, rows),) = tabulars(latex)
    assert len(rows) == 1 + len(table.rows) + (table.total is not None)
    missing = latex.partition("no room for: ")[2].partition(r"\par")[0]
    assert len(table.visible()) == len(rows[0]) + (missing.count(",") + 1 if missing else 0)


@pytest.mark.parametrize(
    ("text", "measured"),  # by \settowidth at 10 points
    [("5,713,216,096", 58.33), ("multiply-adds of convolutions", 129.0), ("a b", 13.89), ("WM%", 27.78)],
)
def test_widths_are_those_that_tex_measures(text: str, measured: float) -> None:
    assert points(text) == pytest.approx(measured, rel=0.05)
    assert width(text) == pytest.approx(measured, rel=0.01)


NARROW = Table("A title", (Column("a", "a"), Column("b", "b", "size")), (("x_1", 2), ("[y", 3)), ("*", 5))


def test_a_small_table_is_set_as_it_is() -> None:
    assert NARROW.to_latex().splitlines() == [
        r"{\raggedright\noindent A title\par\medskip}",
        "{",
        r"\raggedright\setlength{\parindent}{0pt}",
        "{",
        r"\setlength{\tabcolsep}{6pt}",
        r"\begin{tabular}{@{}lr@{}}",
        r"a & b \\",
        r"\hline",
        r"x\_1 & 2 \\",
        r"{}[y & 3 \\",
        r"\hline",
        r"{}* & 5 \\",
        r"\end{tabular}\par",
        "}",
        "}",
        r"\bigskip",
    ]


def test_a_caption_and_a_label_make_it_float() -> None:
    shown = NARROW.to_latex('Costs & "more": 5% of a_b, {x}', "tab:costs")
    assert shown.startswith(
        "\\begin{table}\n\\centering\n"
        r"\caption{Costs \& ``more'': 5\% of a\_b, \{x\}}" + "\n" + r"\label{tab:costs}"
    )
    assert shown.endswith("\\end{table}\n")
    assert "A title" not in shown
    assert r"\caption{A title}" in NARROW.to_latex(label="a")
    assert r"\label" not in NARROW.to_latex("a")


def test_a_table_that_is_longer_than_a_page_goes_on_over_it() -> None:
    latex = TABLES["count 9 deep"].to_latex("All", "tab:all")
    assert "% needs \\usepackage{longtable}" in latex
    assert latex.count(r"\endhead") == latex.count(r"\end{longtable}") == 1
    assert r"\caption{All}\label{tab:all} \\" in latex
    assert r"\begin{table}" not in latex
    assert "longtable" not in TABLES["count by module"].to_latex()


def test_chosen_columns_are_never_left_out() -> None:
    table = TABLES["compare inception_v3"]
    names = [column.key for column in table.visible()]
    latex = table.only(names).to_latex()
    ((_, _, rows),) = tabulars(latex)
    assert len(rows[0]) == len(names)
    assert "no room" not in latex


def test_the_fractions_of_a_column_are_all_in_one_form() -> None:
    short = TABLES["compare small_3x3"].only(["variant", "multiply_adds_ratio", "multiply_adds_saving"])
    assert r"1x3+3x1 & $\frac{2}{3}$ & 33.33\% \\" in short.to_latex()
    long = TABLES["compare inception_v3"].only(["multiply_adds_ratio", "multiply_adds_saving"])
    ((_, _, rows),) = tabulars(long.to_latex())
    assert all(re.fullmatch(r"[\d.]+", ratio) for ratio, _ in rows[1:])
    assert all(re.fullmatch(r"-?\d+\.\d\d\\%", saving) for _, saving in rows[1:])

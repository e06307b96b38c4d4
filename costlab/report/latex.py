"""A table as LaTeX, as wide as a column of text: in smaller print, folded, at last without some columns."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from costlab.report.cell import Column, Note, escaped, latex_of
from costlab.report.text import pieces

if TYPE_CHECKING:
    from costlab.report.table import Table

WIDTH, HEIGHT = 325, 480
"""How wide and high a table may be, in points: an article has 345 by 550, less of its letters at 11 or 12."""
POINTS = {
    2.78: " !',.:;[]`il|",
    3.06: "fj",
    3.33: "-",
    3.6: "I_",
    3.9: "()rst",
    4.44: "cez",
    5.28: "?kqvxyJ",
    5.56: "Sbdhnpu",
    6.4: "LZF",
    6.9: "BEP",
    7.5: "ACDGHNTUVXYw<>",
    7.78: "&+=@KOQ",
    8.34: "#%m",
    9.2: "M",
    10.3: "W",
}
"""The widths of characters of Computer Modern at 10 points; all others are taken for digits."""
WIDTHS = {character: width for width, characters in POINTS.items() for character in characters}
DIGIT = 5.0
PIECE, NAME = 12, 24
"""From how many characters on a word may be broken at a joint: in a cell that is folded, in a sentence."""
LEFT = r"\raggedright\setlength{\parindent}{0pt}"
SOFT = "\u00ad"
"""Where a word may be broken, until it is escaped."""


class Print(NamedTuple):
    """A size of print: its command, its scale, and the points between columns and from line to line."""

    command: str
    scale: float
    gap: int
    line: float


PLAIN, TINY = Print("", 1.0, 12, 12), Print(r"\scriptsize", 0.8, 6, 8)
PRINTS = (PLAIN, Print(r"\small", 0.925, 10, 11), Print(r"\footnotesize", 0.85, 8, 9.5))


class Layout(NamedTuple):
    """Columns, the print they are in, and to how many points its cells are folded, or 0."""

    columns: list[Column]
    size: Print
    folds: list[float]
    width: float
    height: float


def to_latex(table: "Table", caption: str | None = None, label: str | None = None) -> str:
    """The table for plain LaTeX; with a caption or a label, one that floats. A long one is a longtable."""
    layout = fit(table)
    kept = {column.key for column in layout.columns}
    notes = table.remarks(layout.columns, [column for column in table.visible() if column.key not in kept])
    heading = [rf"\caption{{{in_words(caption or table.title)}}}"] if caption or label else []
    heading += [rf"\label{{{label}}}"] if label else []
    title = [] if heading else [rf"{{\raggedright\noindent {in_words(table.title)}\par\medskip}}"]
    below = [rf"\medskip{LEFT}\footnotesize", *(rf"{in_words(note)}\par" for note in notes)] if notes else []
    if layout.height > HEIGHT:
        lines = [*title, "% needs \\usepackage{longtable}, for it is longer than a page", "{", LEFT]
        lines += ["{", *_style(layout), *_long(table, layout, heading), "}", *below, "}"]
    else:
        floating = [r"\begin{table}", r"\centering", *heading]
        first, last = (floating, r"\end{table}") if heading else (["{", LEFT], "}")
        lines = [*title, *first, "{", *_style(layout), *_short(table, layout), "}", *below, last]
    return "\n".join([*lines, *([] if heading else [r"\bigskip"]), ""])


def _style(layout: Layout) -> list[str]:
    gap = rf"\setlength{{\tabcolsep}}{{{layout.size.gap / 2:g}pt}}"
    return [layout.size.command + gap]


def _short(table: "Table", layout: Layout) -> list[str]:
    head, rows, total = _rows(table, layout)
    body = [head, r"\hline", *rows, *([r"\hline"] if total and rows else []), *total]
    return [rf"\begin{{tabular}}{{{_spec(layout)}}}", *body, r"\end{tabular}\par"]


def _long(table: "Table", layout: Layout, heading: Sequence[str]) -> list[str]:
    """A table over several pages, with the head on each."""
    head, rows, total = _rows(table, layout)
    first = ["".join(heading) + r" \\"] if heading else []
    body = [*first, head, r"\hline", r"\endhead", *rows, *([r"\hline"] if total else []), *total]
    return [rf"\begin{{longtable}}[l]{{{_spec(layout)}}}", *body, r"\end{longtable}"]


def _spec(layout: Layout) -> str:
    return f"@{{}}{''.join('r' if column.numeric else 'l' for column in layout.columns)}@{{}}"


def fit(table: "Table") -> Layout:
    """The layout that loses least: whole, then smaller, then folded, then without columns, then tiny."""
    columns = table.visible()
    while True:
        for size in PRINTS:
            layout = _layout(table, columns, size, folding=False)
            if layout.width <= WIDTH:
                return layout
        layout = _layout(table, columns, PRINTS[-1], folding=True)
        if layout.width <= WIDTH:
            return layout
        spare = max(columns, key=lambda column: column.sacrifice)
        if not spare.sacrifice:
            return _layout(table, columns, TINY, folding=True)
        columns = [column for column in columns if column != spare]


def _layout(table: "Table", columns: list[Column], size: Print, *, folding: bool) -> Layout:
    """The columns in that print; where they are to be folded, no more than it takes."""
    head, *rows = _shown(table, columns)
    cells = [[row[i] for row in rows] for i in range(len(columns))]
    widest, least = [], []
    for column, title, below in zip(columns, head, cells, strict=True):
        title_needs = max(map(points, title.split(" ")))
        widest.append(max(title_needs, *map(points, below), 0))
        words = [part for cell in below for word in cell.split(" ") for part in _parts(word)]
        folds = folding and column.kind in ("text", "name", "printed")
        least.append(max([title_needs, *map(points, words)]) if folds else widest[-1])
    room = (WIDTH - size.gap * (len(columns) - 1)) / size.scale
    widths = _shared(widest, least, room) if folding else widest
    folds_to = [width if width < most else 0.0 for width, most in zip(widths, widest, strict=True)]
    lines = [
        max((_lines(cell, fold) for cell, fold in zip(row, folds_to, strict=True)), default=1) for row in rows
    ]
    height = size.line * (sum(lines) + 3) + PLAIN.line * 4
    return Layout(columns, size, folds_to, sum(widths) * size.scale + size.gap * (len(widths) - 1), height)


def _shared(widest: Sequence[float], least: Sequence[float], room: float) -> list[float]:
    """The widths of columns that are folded to a common limit, the widest that fits; or the least of all."""
    widths = list(least)
    for limit in sorted({*widest, *least, *range(20, int(max(room, 21)), 2)}):
        tried = [max(low, min(high, limit)) for low, high in zip(least, widest, strict=True)]
        if sum(tried) > room:
            break
        widths = tried
    return widths


def _rows(table: "Table", layout: Layout) -> tuple[str, list[str], list[str]]:
    """The head, the rows and the total in LaTeX."""
    columns = layout.columns
    head, *read = _shown(table, columns)
    forms = {column.key: table.fractions_in(column) for column in columns}
    _, *cells = table.cells(columns, lambda column, value: column.latex(value, forms[column.key]))
    below = list(zip(*read, strict=True)) or [()] * len(head)
    lines = [[_stacked(*each) for each in zip(head, below, layout.folds, columns, strict=True)]]
    lines += [
        [_boxed(*each) for each in zip(row, texts, layout.folds, columns, strict=True)]
        for row, texts in zip(cells, read, strict=True)
    ]
    first, *rows = [" & ".join([re.sub(r"^(?=[\[*])", "{}", line[0]), *line[1:]]) + r" \\" for line in lines]
    ends = len(rows) - (table.total is not None)
    return first, rows[:ends], rows[ends:]


def _shown(table: "Table", columns: list[Column]) -> list[list[str]]:
    """Head, rows and total as they are read: what is measured."""
    forms = {column.key: table.fractions_in(column) for column in columns}

    def read(column: Column, value: object) -> str:
        return _read_formula(value) if column.kind == "formula" else column.show(value, forms[column.key])

    return table.cells(columns, read)


def _read_formula(value: object) -> str:
    """About what is seen of a formula: one sign for each command, no braces, more room around signs."""
    if value is None:
        return "-"
    latex = re.sub(r"\\(?:left|right|mathrm|operatorname)|[{}^\s]", "", latex_of(value).replace(r"\_", "_"))
    return re.sub(r"[-+]", "=\\g<0>", re.sub(r"\\[a-zA-Z]+", "m", latex)) or "0"


def _stacked(title: str, below: Sequence[str], fold: float, column: Column) -> str:
    """A title in as many lines as make its column no wider."""
    lines, width = [""], fold or max(map(points, below), default=0.0)
    for word in title.split(" "):
        joined = f"{lines[-1]} {word}".strip()
        if not lines[-1] or points(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    inside = r"\\".join(map(escaped, lines))
    return inside if len(lines) == 1 else rf"\shortstack[{'r' if column.numeric else 'l'}]{{{inside}}}"


def _boxed(cell: str, text: str, fold: float, column: Column) -> str:
    """A cell, folded if its text needs more points than that."""
    if not fold or points(text) <= fold:
        return cell
    side = r"\raggedleft" if column.numeric else r"\raggedright"
    return rf"\parbox[t]{{{fold / 10:.2f}em}}{{{side} {in_words(text, PIECE)}\strut}}"


def _lines(text: str, fold: float) -> int:
    """In how many lines a text is folded."""
    if not fold:
        return 1
    lines, used = 1, 0.0
    for word in text.split(" "):
        for i, part in enumerate(_parts(word)):
            needs = points(part) + (points(" ") if used and not i else 0)
            lines, used = (lines, used + needs) if used + needs <= fold else (lines + 1, points(part))
    return lines


def _parts(word: str) -> list[str]:
    return pieces(word, PIECE)


def points(text: str) -> float:
    """About how wide a text is in Computer Modern at 10 points."""
    return sum(WIDTHS.get(character, DIGIT) for character in text)


def in_words(text: str | Note, longest: int = NAME) -> str:
    """A sentence as LaTeX, in which longer words may be broken at their joints."""
    if isinstance(text, Note):
        return f"{in_words(text.text)} ${latex_of(text.formula)}$"
    broken = " ".join(SOFT.join(pieces(word, longest)) for word in text.split())
    return escaped(broken.replace(f"-{SOFT}", "-")).replace(SOFT, r"\allowbreak{}")

"""A table as text: for a terminal of some width, or for a page."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from costlab.report.cell import Column, bar_of
from costlab.report.table import MACS

if TYPE_CHECKING:
    from costlab.report.table import Table

PAGE = 140
"""How many characters a line has where there is no terminal, if the table can be laid out so."""
BREAKS = (r"(?<=:)(?=.)|(?<=,)(?!\d{3}|$)", r"(?<=[=+/])(?=\w)", r"(?<=\w-)(?=\w)", r"(?<=\w[._])(?=\w)")
"""Where a word that is too long is broken, what is best first."""


class Layout(NamedTuple):
    """How much room there is: for bars and long fractions, between columns, and in cells, 0 for no limit.

    A cell whose column asks for more room than ``fold`` is folded to that. Where nothing else helps, text is
    folded to ``narrow`` characters, and at last a word is broken that has no joint.
    """

    roomy: bool = True
    gap: str = "   "
    fold: int = 0
    narrow: int = 0
    anywhere: bool = False


TIGHT = Layout(roomy=False, gap="  ", fold=1)
NARROW = [TIGHT._replace(narrow=narrow) for narrow in (44, 32, 24, 20, 16, 12, 10, 8)]
LAST = [layout._replace(anywhere=True) for layout in NARROW]


def to_text(table: "Table", width: int | None, *, color: bool, unicode: bool) -> str:
    """The table for a terminal of that width, or for a page."""
    columns = table.visible()
    kept = columns
    if width:
        kept, lines = _fit(table, width, unicode)
    else:
        lines = _on_a_page(table, unicode)
    notes = table.remarks(kept, [column for column in columns if column not in kept])
    rule = ("─" if unicode else "-") * len(lines[0][0])
    head, *body = lines
    if table.total is not None and table.rows:
        body.insert(-1, [rule])
    above = [*folded(_plain(table.title, unicode), width or PAGE), "", *head]
    shown = [
        *(f"\x1b[1m{line}\x1b[0m" if color and line else line for line in above),
        rule,
        *(line for row in body for line in row),
        "",
        *(line for note in notes for line in folded(_plain(str(note), unicode), width or PAGE) if line),
    ]
    return "\n".join(line.rstrip() for line in shown).rstrip() + "\n"


def _fit(table: "Table", width: int, unicode: bool) -> tuple[list[Column], list[list[str]]]:
    """As many columns as fit; head, rows and total in lines."""
    kept = table.visible()
    while True:
        least = not any(column.sacrifice for column in kept)
        for layout in (Layout(), TIGHT, *([*NARROW, *LAST] if least else [])):
            lines = _lines(table, kept, unicode, layout)
            if len(lines[0][0]) <= width:
                return kept, lines
        if least:
            return kept, lines
        spare = max(kept, key=lambda column: column.sacrifice)
        kept.remove(spare)


def _on_a_page(table: "Table", unicode: bool) -> list[list[str]]:
    """Head, rows and total in lines; where they are too wide, with cells folded as little as will do."""
    columns = table.visible()

    def lines(layout: Layout) -> list[list[str]]:
        return _lines(table, columns, unicode, layout)

    whole = lines(Layout())
    if len(whole[0][0]) <= PAGE:
        return whole
    from bisect import bisect_right

    folds = [*range(1, PAGE), 0]
    has_fractions = any(column.kind == "ratio" for column in table.visible())
    # The second breaks words, and would show decimals in the place of fractions.
    for layout in (Layout(gap="  "), *(() if has_fractions else (TIGHT,))):
        forms = [layout._replace(fold=fold) for fold in folds]
        if fitting := bisect_right(forms, PAGE, key=lambda form: len(lines(form)[0][0])):
            return lines(forms[fitting - 1])
    return whole


def _lines(table: "Table", columns: Sequence[Column], unicode: bool, layout: Layout) -> list[list[str]]:
    """The lines of each row, all of one length."""
    roomy = layout.roomy
    forms = {column.key: "both" if roomy else table.fractions_in(column) for column in columns}
    rows = table.cells(columns, lambda column, value: _plain(column.show(value, forms[column.key]), unicode))
    drawn = []
    for column, cells in zip(columns, zip(*rows, strict=True), strict=True):
        fold = max(column.fold, layout.fold) if column.fold and layout.fold else 0
        if layout.narrow and column.kind in ("text", "name"):
            fold = min(fold or layout.narrow, layout.narrow)
        words = column.numeric or roomy  # which are not broken
        lines = [
            folded(cell, fold, joints=not words, anywhere=layout.anywhere and not words) for cell in cells
        ]
        widest = max((len(line) for cell in lines[1:] for line in cell), default=0)
        if MACS in cells[0] and len(cells[0]) > widest:  # they make no column wider
            lines[0] = cells[0].replace(f" {MACS}", f"\n{MACS}").split("\n")
        size = max(len(line) for cell in lines for line in cell)
        if not column.numeric:
            drawn.append([[line.ljust(size) for line in cell] for cell in lines])
            continue
        aligned = [[line.rjust(size) for line in cell] for cell in lines]
        if roomy and column.kind == "share":
            shares = [0.0, *table.values_in(column)[: len(table.rows)], *([0.0] * (table.total is not None))]
            aligned = [
                [f"{cell[0]} {bar_of(share or 0.0, unicode)}"]  # where there is none, there is no bar
                for cell, share in zip(aligned, shares, strict=True)
            ]
        drawn.append(aligned)
    return [_side_by_side(row, layout.gap) for row in zip(*drawn, strict=True)]


def folded(text: str, width: int, *, joints: bool = True, anywhere: bool = False) -> list[str]:
    """A text in lines of that width, 0 for one line; what cannot be broken is as long as it is.

    A word that is too long for a line is broken at its ``joints``, and ``anywhere`` if it has none.
    """
    if not width or len(text) <= width:
        return [text]
    lines = [""]
    for word in text.split():
        gap = " " if lines[-1] else ""
        for part in pieces(word, width, anywhere=anywhere) if joints else (word,):
            if len(lines[-1]) + len(gap) + len(part) <= width or not lines[-1]:
                lines[-1] += gap + part
            else:
                lines.append(part)
            gap = ""
    return lines


def pieces(word: str, width: int, *, anywhere: bool = False, breaks: Sequence[str] = BREAKS) -> list[str]:
    """A word in pieces that are no longer than that where it has joints, or where it may break anywhere."""
    if len(word) <= width:
        return [word]
    if not breaks:
        return [word[i : i + width] for i in range(0, len(word), width)] if anywhere else [word]
    parts = re.split(breaks[0], word)
    return [piece for part in parts for piece in pieces(part, width, anywhere=anywhere, breaks=breaks[1:])]


def _plain(text: str, unicode: bool) -> str:
    return text if unicode else text.replace("±", "+-")


def _side_by_side(cells: tuple[list[str], ...], gap: str) -> list[str]:
    """The lines of a row, from those of its cells; shorter cells are padded with blanks."""
    height = max(map(len, cells))
    filled = [cell + [" " * len(cell[0])] * (height - len(cell)) for cell in cells]
    return [gap.join(line) for line in zip(*filled, strict=True)]

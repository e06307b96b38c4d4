"""Tables that can be formatted as text, CSV, JSON, Markdown or LaTeX."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from costlab.algebra.combine import UNVERIFIED
from costlab.counting.marks import PARTIAL
from costlab.report.cell import Column, Note, bar_of, escaped, latex_of

PAGE = 140
"""How many characters a line has where there is no terminal, if the table can be laid out so."""
MULTIPLY_ADDS, MACS = "multiply-adds", "(MACs)"
MARKS = r"[\\`*|]|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?])|\[(?=[^\]]*\]\()"
"""What Markdown reads as more than a sign: an underscore only at the edge of a word, < only before a tag."""


class Table(NamedTuple):
    """Rows under columns, perhaps a total, and notes below. Values are plain; sizes exact ints.

    ``facts`` gives what goes at the head of the JSON form.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: tuple[Any, ...] | None = None
    notes: tuple[str | Note, ...] = ()
    facts: Callable[[], Mapping[str, Any]] = dict

    def to_csv(self) -> str:
        """A header and the rows, without the total: columns can be summed."""
        import csv
        import io

        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([column.key for column in self.columns])
        writer.writerows(self.rows)
        return out.getvalue()

    def to_json(self) -> str:
        """An object: the facts, ``rows``, and ``total`` where there is one."""
        import json

        content: dict[str, Any] = {**self.facts(), "rows": [self.record(row) for row in self.rows]}
        if self.total is not None:
            content["total"] = {
                key: value for key, value in self.record(self.total).items() if value is not None
            }
        return json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n"

    def to_markdown(self) -> str:
        """A pipe table with the title above and the notes below."""
        columns = self._visible()
        head, *cells = self._cells(columns, _in_markdown)
        lines = [f"**{inline(self.title)}**", ""]
        lines.append("| " + " | ".join(head) + " |")
        lines.append("|" + "|".join(" ---: " if column.numeric else " --- " for column in columns) + "|")
        if self.total is not None:
            cells[-1] = [f"**{cell}**" if cell else "" for cell in cells[-1]]
        lines += ["| " + " | ".join(line) + " |" for line in cells]
        for note in self.notes:
            formula = f" `{note.formula}`" if isinstance(note, Note) else ""
            lines += ["", inline(note.text if isinstance(note, Note) else note) + formula]
        return "\n".join(lines) + "\n"

    def to_latex(self) -> str:
        """A tabular with the title before and the notes after it, for plain LaTeX."""
        columns = self._visible()
        head, *cells = self._cells(columns, lambda column, value: column.latex(value))
        rows = [" & ".join(line) + r" \\" for line in cells]
        if self.total is not None and self.rows:
            rows.insert(-1, r"\hline")
        return "\n".join(
            [
                rf"\noindent {escaped(self.title)}",
                "",
                r"\medskip\noindent",
                rf"\begin{{tabular}}{{{''.join('r' if column.numeric else 'l' for column in columns)}}}",
                " & ".join(map(escaped, head)) + r" \\",
                r"\hline",
                *rows,
                r"\end{tabular}",
                *(f"\n{_in_latex(note)}" for note in self.notes),
                "",
            ]
        )

    def to_text(self, width: int | None = None, *, color: bool = False, unicode: bool = True) -> str:
        """The table for a terminal of that width, or else for a page of `PAGE` characters.

        A narrow terminal loses whole columns, never digits. On a page none is lost: long cells are folded,
        and what is too wide all the same is as wide as it needs.
        """
        table, left_out = self._fit(width, unicode) if width else (self._on_a_page(unicode), [])
        notes = [
            *(_plain(str(note), unicode) for note in self.notes),
            *([f"no room for: {', '.join(left_out)}"] if left_out else []),
        ]
        rule = ("─" if unicode else "-") * len(table[0][0])
        title = f"\x1b[1m{self.title}\x1b[0m" if color else self.title
        head, *body = table
        lines = [title, "", *(f"\x1b[1m{line}\x1b[0m" if color else line for line in head), rule]
        if self.total is not None and self.rows:
            body.insert(-1, [rule])
        lines += [
            *(line for row in body for line in row),
            "",
            *(line for note in notes for line in _folded(note, width or PAGE) if line),
        ]
        return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"

    def _fit(self, width: int, unicode: bool) -> tuple[list[list[str]], list[str]]:
        """Head, rows and total in lines, with as many columns as fit, and what the others are called."""
        kept = self._visible()
        while True:
            for roomy in (True, False):
                rows = self._lines(kept, unicode, Layout(roomy) if roomy else Layout(roomy, "  ", 1))
                if len(rows[0][0]) <= width:
                    return rows, _titles_of(self._visible(), kept)
            spare = max(kept, key=lambda column: column.sacrifice)
            if not spare.sacrifice:
                return rows, _titles_of(self._visible(), kept)
            kept.remove(spare)

    def _on_a_page(self, unicode: bool) -> list[list[str]]:
        """Head, rows and total in lines; where they are too wide, with cells folded as little as will do."""
        columns = self._visible()

        def lines(layout: Layout) -> list[list[str]]:
            return self._lines(columns, unicode, layout)

        whole = lines(Layout())
        if len(whole[0][0]) <= PAGE:
            return whole
        from bisect import bisect_right

        folds = [*range(1, PAGE), 0]
        fitting = bisect_right(folds, PAGE, key=lambda fold: len(lines(Layout(gap="  ", fold=fold))[0][0]))
        return lines(Layout(gap="  ", fold=folds[fitting - 1])) if fitting else whole

    def _lines(self, columns: list[Column], unicode: bool, layout: "Layout") -> list[list[str]]:
        """The lines of each row, all of one length."""
        roomy = layout.roomy
        rows = self._cells(columns, lambda column, value: _plain(column.show(value, roomy), unicode))
        drawn = []
        for column, cells in zip(columns, zip(*rows, strict=True), strict=True):
            fold = max(column.fold, layout.fold) if column.fold and layout.fold else 0
            folded = [_folded(cell, fold, inside_words=not (column.numeric or roomy)) for cell in cells]
            widest = max((len(line) for cell in folded[1:] for line in cell), default=0)
            if MACS in cells[0] and len(cells[0]) > widest:  # they make no column wider
                folded[0] = cells[0].replace(f" {MACS}", f"\n{MACS}").split("\n")
            size = max(len(line) for cell in folded for line in cell)
            if not column.numeric:
                drawn.append([[line.ljust(size) for line in cell] for cell in folded])
                continue
            aligned = [[line.rjust(size) for line in cell] for cell in folded]
            if roomy and column.kind == "share":
                i = self.columns.index(column)
                shares = [0.0, *(row[i] for row in self.rows), *([0.0] * (self.total is not None))]
                aligned = [
                    [f"{cell[0]} {bar_of(share, unicode)}"]
                    for cell, share in zip(aligned, shares, strict=True)
                ]
            drawn.append(aligned)
        return [_side_by_side(row, layout.gap) for row in zip(*drawn, strict=True)]

    def _visible(self) -> list[Column]:
        return [column for column in self.columns if not column.machine_only]

    def _cells(self, columns: list[Column], show: Callable[[Column, Any], str]) -> list[list[str]]:
        """Head, rows and total, cell by cell."""
        lines = [_heads(columns)]
        places = [self.columns.index(column) for column in columns]
        keys = [column.key for column in self.columns]
        marks = [
            [
                (keys.index(key), mark)
                for key, mark in ((column.marked_by, UNVERIFIED), (column.partial_by, PARTIAL))
                if key
            ]
            for column in columns
        ]
        above: tuple[Any, ...] | None = None
        for row in (*self.rows, *(() if self.total is None else (self.total,))):
            lines.append(
                [
                    ""
                    if column.once and above is not None and above[i] == row[i]
                    else " ".join([show(column, row[i]), *(mark for at, mark in held if row[at])])
                    for column, i, held in zip(columns, places, marks, strict=True)
                ]
            )
            above = row
        return lines

    def record(self, row: tuple[Any, ...]) -> dict[str, Any]:
        """The values of a row by the keys of their columns."""
        return {column.key: value for column, value in zip(self.columns, row, strict=True)}


class Layout(NamedTuple):
    """How much room there is: for bars and long fractions, between columns, and in cells, 0 for no limit.

    A cell whose column asks for more room than ``fold`` is folded to that.
    """

    roomy: bool = True
    gap: str = "   "
    fold: int = 0


def _folded(text: str, width: int, inside_words: bool = True) -> list[str]:
    """A text in lines of that width, 0 for one line; a number is never broken, it is no word."""
    if not width or len(text) <= width:
        return [text]
    from textwrap import wrap

    return wrap(text, width, break_long_words=inside_words, break_on_hyphens=inside_words)


def _plain(text: str, unicode: bool) -> str:
    return text if unicode else text.replace("±", "+-")


def _side_by_side(cells: tuple[list[str], ...], gap: str) -> list[str]:
    """The lines of a row, from those of its cells; shorter cells are padded with blanks."""
    height = max(map(len, cells))
    filled = [cell + [" " * len(cell[0])] * (height - len(cell)) for cell in cells]
    return [gap.join(line) for line in zip(*filled, strict=True)]


def _heads(columns: list[Column]) -> list[str]:
    """The titles; the first that names multiply-adds says what others call them."""
    heads = [column.title for column in columns]
    for i, title in enumerate(heads):
        if MULTIPLY_ADDS in title:
            heads[i] = title.replace(MULTIPLY_ADDS, f"{MULTIPLY_ADDS} {MACS}")
            break
    return heads


def _titles_of(columns: list[Column], kept: list[Column]) -> list[str]:
    """The titles of the columns that are not kept; the keys of those whose title is not unique."""
    gone = [column for column in columns if column not in kept]
    titles = [column.title for column in columns]
    return [c.title if titles.count(c.title) == 1 else c.key.replace("_", " ") for c in gone]


def _in_markdown(column: Column, value: Any) -> str:
    shown = column.show(value)
    return f"`{shown}`" if column.kind == "formula" and shown else inline(shown)


def _in_latex(note: str | Note) -> str:
    return f"{escaped(note.text)} ${latex_of(note.formula)}$" if isinstance(note, Note) else escaped(note)


def inline(text: str) -> str:
    """Text escaped for Markdown."""
    return re.sub(MARKS, r"\\\g<0>", text)

"""Tables that can be formatted as text, CSV, JSON, Markdown or LaTeX."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from costlab.algebra.combine import UNVERIFIED
from costlab.counting.marks import PARTIAL
from costlab.report.cell import SHORT, Column, Fractions, Note, Remark

MULTIPLY_ADDS, MACS = "multiply-adds", "(MACs)"
MARKS = r"[\\`*|~]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?])|\[(?=.*\][(:])"
"""What Markdown reads as more than a sign: _ at the edge of a word, < before a tag, & before a name."""


class Table(NamedTuple):
    """Rows under columns, perhaps a total, and notes below. Values are plain; sizes exact ints.

    ``facts`` gives what goes at the head of the JSON form; ``chosen`` are the keys of the columns that were
    asked for, ``name`` stands for ``rows`` in the JSON form of another table.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: tuple[Any, ...] | None = None
    notes: tuple[str | Note | Remark, ...] = ()
    facts: Callable[[], Mapping[str, Any]] = dict
    chosen: tuple[str, ...] | None = None
    name: str = ""

    def to_csv(self) -> str:
        """A header and the rows, without the total: columns can be summed."""
        import csv
        import io

        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.keys)
        writer.writerows(self.record(row).values() for row in self.rows)
        return out.getvalue()

    def to_json(self, shown: "Sequence[Table] | None" = None) -> str:
        """An object: the facts, ``rows``, and ``total`` where there is one.

        ``shown`` are the tables whose rows are in it: this one, perhaps with chosen columns, and others.
        """
        import json

        content: dict[str, Any] = dict(self.facts())
        for table in (self,) if shown is None else shown:
            content[table.name or "rows"] = [table.record(row) for row in table.rows]
            if table.total is not None and "total" not in content:
                whole = table.record(table.total).items()
                content["total"] = {key: value for key, value in whole if value is not None}
        return json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n"

    def to_markdown(self) -> str:
        """A pipe table with the title above and the notes below."""
        columns = self.visible()
        head, *cells = self.cells(columns, _in_markdown)
        lines = [f"**{inline(self.title)}**", ""]
        lines.append("| " + " | ".join(head) + " |")
        lines.append("|" + "|".join(" ---: " if column.numeric else " --- " for column in columns) + "|")
        if self.total is not None:
            cells[-1] = [f"**{cell}**" if cell else "" for cell in cells[-1]]
        lines += ["| " + " | ".join(line) + " |" for line in cells]
        for note in self.remarks(columns):
            formula = f" `{note.formula}`" if isinstance(note, Note) else ""
            lines += ["", inline(note.text if isinstance(note, Note) else note) + formula]
        return "\n".join(lines) + "\n"

    def to_latex(self, caption: str | None = None, label: str | None = None) -> str:
        """A tabular as wide as a column of text, for plain LaTeX; with a caption or a label, one that floats.

        What there is no room for, even in small print, is left out and named below.
        """
        from costlab.report.latex import to_latex

        return to_latex(self, caption, label)

    def to_text(self, width: int | None = None, *, color: bool = False, unicode: bool = True) -> str:
        """The table for a terminal of that width, or else for a page of 140 characters.

        A narrow terminal loses whole columns, never digits. On a page none is lost: long cells are folded,
        and what is too wide all the same is as wide as it needs.
        """
        from costlab.report.text import to_text

        return to_text(self, width, color=color, unicode=unicode)

    def only(self, names: Sequence[str]) -> "Table":
        """The table with the columns of these keys alone, in this order, none of which is left out."""
        return self._replace(chosen=tuple(names))

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the columns in machine formats: all of them, or those that were chosen."""
        return tuple(column.key for column in self.columns) if self.chosen is None else self.chosen

    def visible(self) -> list[Column]:
        """The columns that people are shown."""
        if self.chosen is not None:
            known = {column.key: column for column in self.columns}
            return [known[key]._replace(machine_only=False, sacrifice=0) for key in self.chosen]
        return [column for column in self.columns if not column.machine_only]

    def remarks(self, columns: Sequence[Column], left_out: Sequence[Column] = ()) -> list[str | Note]:
        """What is said below these columns: what holds of them, and which there is no room for."""
        shown = {column.key for column in columns}
        said = [note for note in self.notes if not isinstance(note, Remark) or note.holds(shown)]
        lines: list[str | Note] = [note.text if isinstance(note, Remark) else note for note in said]
        if left_out:
            lines.append(f"no room for: {', '.join(self._names_of(left_out))}")
        return lines

    def fractions_in(self, column: Column) -> Fractions:
        """How a column shows its fractions where there is little room: all alike."""
        if column.kind != "ratio":
            return "both"
        values = (value for value in self.values_in(column) if value is not None)
        return "fraction" if all(len(str(value)) <= SHORT for value in values) else "decimal"

    def values_in(self, column: Column) -> list[Any]:
        """The values of a column, the total's last."""
        place = self._places()[column.key]
        return [row[place] for row in (*self.rows, *(() if self.total is None else (self.total,)))]

    def cells(self, columns: Sequence[Column], show: Callable[[Column, Any], str]) -> list[list[str]]:
        """Head, rows and total, cell by cell."""
        lines = [_heads(columns)]
        place_of = self._places()
        places = [place_of[column.key] for column in columns]
        marks = [
            [
                (place_of[key], mark)
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
        place_of = self._places()
        return {key: row[place_of[key]] for key in self.keys}

    def _places(self) -> dict[str, int]:
        return {column.key: place for place, column in enumerate(self.columns)}

    def _names_of(self, columns: Sequence[Column]) -> list[str]:
        """The titles of some columns; the keys of those whose title is not unique."""
        titles = [column.title for column in self.visible()]
        return [c.title if titles.count(c.title) == 1 else c.key.replace("_", " ") for c in columns]


def _heads(columns: Sequence[Column]) -> list[str]:
    """The titles; the first that names multiply-adds says what others call them."""
    heads = [column.title for column in columns]
    for i, title in enumerate(heads):
        if MULTIPLY_ADDS in title:
            heads[i] = title.replace(MULTIPLY_ADDS, f"{MULTIPLY_ADDS} {MACS}")
            break
    return heads


def _in_markdown(column: Column, value: Any) -> str:
    shown = column.show(value)
    return f"`{shown}`" if column.kind == "formula" and shown else inline(shown)


def inline(text: str) -> str:
    """Text escaped for Markdown."""
    return re.sub(MARKS, r"\\\g<0>", text)

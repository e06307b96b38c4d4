"""Tables: one value that prints as text, CSV, JSON or Markdown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any, Literal, NamedTuple

BAR_WIDTH = 10
UNBOUNDED = 10_000


class Column(NamedTuple):
    """One column.

    ``sacrifice`` says how soon a narrow terminal does without it, 0 never; ``empty`` what people are
    shown for no value.
    """

    key: str
    title: str
    kind: Literal["text", "size", "share"] = "text"
    sacrifice: int = 0
    machine_only: bool = False
    empty: str = ""

    def show(self, value: Any) -> str:
        """A value for people: sizes with thousands separators, shares in percent."""
        if value is None or value == "":
            return self.empty
        if self.kind == "size":
            return f"{value:,}"
        return f"{value:.1%}" if self.kind == "share" else str(value)


@dataclass(frozen=True)
class Table:
    """Rows under columns, perhaps a total, and notes below. Values are plain; sizes exact ints.

    ``facts`` go at the head of the JSON form.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: tuple[Any, ...] | None = None
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

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

        content: dict[str, Any] = {**self.facts, "rows": [self._record(row) for row in self.rows]}
        if self.total is not None:
            content["total"] = {
                key: value for key, value in self._record(self.total).items() if value is not None
            }
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        """A pipe table with the title above and the notes below."""
        kept = [i for i, column in enumerate(self.columns) if not column.machine_only]
        columns = [self.columns[i] for i in kept]
        lines = [f"**{_inline(self.title)}**", ""]
        lines.append("| " + " | ".join(column.title for column in columns) + " |")
        lines.append(
            "|" + "|".join(" --- " if column.kind == "text" else " ---: " for column in columns) + "|"
        )
        cells = [[_inline(self.columns[i].show(row[i])) for i in kept] for row in self.rows]
        if self.total is not None:
            shown = (_inline(self.columns[i].show(self.total[i])) for i in kept)
            cells.append([f"**{cell}**" if cell else "" for cell in shown])
        lines += ["| " + " | ".join(line) + " |" for line in cells]
        for note in self.notes:
            lines += ["", _inline(note)]
        return "\n".join(lines) + "\n"

    def to_text(self, width: int | None = None, *, color: bool = False, unicode: bool = True) -> str:
        """The table for a terminal of that width; for a file, as wide as it needs.

        A narrow terminal loses whole columns, never digits.
        """
        table = self._fit(width or UNBOUNDED, unicode)
        rule = ("─" if unicode else "-") * max(map(len, table))
        title = f"\x1b[1m{self.title}\x1b[0m" if color else self.title
        head, *body = table
        lines = [title, "", f"\x1b[1m{head}\x1b[0m" if color else head, rule]
        if self.total is not None:
            body.insert(-1, rule)
        lines += [*body, "", *(wrapped for note in self.notes for wrapped in wrap(note, width or UNBOUNDED))]
        return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"

    def _fit(self, width: int, unicode: bool) -> list[str]:
        """Head, rows and total, with as many columns as fit."""
        kept = [column for column in self.columns if not column.machine_only]
        while True:
            for bars in (True, False):
                lines = self._lines(kept, bars, unicode)
                if len(lines[0]) <= width:
                    return lines
            spare = max(kept, key=lambda column: column.sacrifice)
            if not spare.sacrifice:
                return lines
            kept.remove(spare)

    def _lines(self, columns: list[Column], bars: bool, unicode: bool) -> list[str]:
        """Every line of the table, all of one length."""
        rows = [*self.rows, *(() if self.total is None else (self.total,))]
        drawn = []
        for column in columns:
            i = self.columns.index(column)
            cells = [column.show(row[i]) for row in rows]
            size = max(map(len, (column.title, *cells)))
            if column.kind == "text":
                drawn.append([cell.ljust(size) for cell in (column.title, *cells)])
                continue
            cells = [cell.rjust(size) for cell in (column.title, *cells)]
            if bars and column.kind == "share":
                shares = [0.0, *(row[i] for row in self.rows), *([0.0] * (self.total is not None))]
                cells = [
                    f"{cell} {bar_of(share, unicode)}" for cell, share in zip(cells, shares, strict=True)
                ]
            drawn.append(cells)
        return ["   ".join(line) for line in zip(*drawn, strict=True)]

    def _record(self, row: tuple[Any, ...]) -> dict[str, Any]:
        return {column.key: value for column, value in zip(self.columns, row, strict=True)}


def bar_of(share: float, unicode: bool = True) -> str:
    """A bar of at most `BAR_WIDTH` cells for a share of 0 to 1, in eighths of a cell."""
    eighths = round(share * BAR_WIDTH * 8)
    if not unicode:
        return ("#" * round(eighths / 8)).ljust(BAR_WIDTH)
    return ("█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8]).strip()).ljust(BAR_WIDTH)


def human(size: int, unit: str = "") -> str:
    """A size in a few digits: 5,713,216,096 is 5.71 G, with a unit 5.71 GFLOP."""
    if size < 1000:
        return f"{size} {unit}".rstrip()
    one, prefix = 1, ""
    for larger in "kMGTPEZY":
        if 1000 * size < 999_995 * one:  # what would read 1000.00 goes on to the next
            break
        one, prefix = 1000 * one, larger
    return f"{size / one:,.2f} {prefix}{unit}"


def _inline(text: str) -> str:
    return text.replace("|", "\\|")

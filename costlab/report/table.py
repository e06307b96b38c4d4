"""Tables: one value that prints as text, CSV, JSON or Markdown."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

BAR_WIDTH = 10
UNBOUNDED = 10_000


@dataclass(frozen=True)
class Column:
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
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([column.key for column in self.columns])
        writer.writerows(self.rows)
        return out.getvalue()

    def to_json(self) -> str:
        """An object: the facts, ``rows``, and ``total`` where there is one."""
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
        from rich.console import Console

        def console(columns: int) -> Console:
            return Console(
                file=out,
                width=columns,
                force_terminal=color,
                no_color=not color,
                color_system="standard" if color else None,
                legacy_windows=False,
                highlight=False,
            )

        out = io.StringIO()
        table, needed = self._fit(width or UNBOUNDED, unicode, console(UNBOUNDED))
        console(needed).print(self.title, style="bold", markup=False, soft_wrap=True)
        console(needed).print(table)
        for note in self.notes:
            console(width or UNBOUNDED).print(note, markup=False)
        return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"

    def _fit(self, width: int, unicode: bool, console: "Console") -> "tuple[RichTable, int]":
        """The table with as many columns as fit, and the width that it then needs."""
        kept = [column for column in self.columns if not column.machine_only]
        while True:
            for bars in (True, False):
                table = self._rich(kept, bars, unicode)
                needed = console.measure(table).maximum
                if needed <= width:
                    return table, needed
            spare = max(kept, key=lambda column: column.sacrifice)
            if not spare.sacrifice:
                return table, needed
            kept.remove(spare)

    def _rich(self, columns: list[Column], bars: bool, unicode: bool) -> "RichTable":
        from rich import box
        from rich.markup import escape
        from rich.table import Table as RichTable

        table = RichTable(
            box=box.SIMPLE_HEAD if unicode else box.ASCII2, show_footer=self.total is not None, pad_edge=False
        )
        places = [self.columns.index(column) for column in columns]
        for i, column in zip(places, columns, strict=True):
            footer = "" if self.total is None else column.show(self.total[i])
            bar = " " * (BAR_WIDTH + 1) if bars and column.kind == "share" else ""
            table.add_column(
                column.title,
                footer=escape(footer) + bar,
                justify="left" if column.kind == "text" or bar else "right",
                no_wrap=True,
            )
        for row in self.rows:
            cells = [escape(column.show(row[i])) for i, column in zip(places, columns, strict=True)]
            for k, (i, column) in enumerate(zip(places, columns, strict=True)):
                if bars and column.kind == "share" and row[i] is not None:
                    cells[k] = f"{cells[k]:>6} {bar_of(row[i], unicode)}"
            table.add_row(*cells)
        return table

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
    for prefix, one in (("P", 10**15), ("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if size >= 1000 and round(size / one, 2) >= 1:
            return f"{size / one:.2f} {prefix}{unit}"
    return f"{size} {unit}".rstrip()


def _inline(text: str) -> str:
    return text.replace("|", "\\|")

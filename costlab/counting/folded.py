"""Results in a notebook: tables, and trees of lines that open, as HTML without scripts and style sheets.

What is folded is a ``<details>``, lines are text of one width in a ``<pre>``, so that columns stand below
each other wherever it is shown; colors are those of the page, in the light and in the dark.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from html import escape
from typing import NamedTuple, TypeVar
from unicodedata import east_asian_width

from costlab.counting.overview import MOST, WIDEST, few
from costlab.messages import harmless, shortened

MOST_BETWEEN = 200
"""The most lines of a level that a fold opens, of those between the first and the last."""
MOST_LINES = 1_000
"""The most lines of a tree, in whatever is folded: some 200 kB."""
DEEPEST = 40
"""The levels of a tree; browsers stop at some hundreds."""
WIDEST_CELL, WIDEST_SAID = 44, 160
"""The most characters of a cell in a tree, and of a line there that is a text."""
ASIDE = "tex2jax_ignore mathjax_ignore"
"""The classes by which notebooks leave a text alone that holds dollars."""
PLAIN = (
    "background:none;border:0;color:inherit;font-family:monospace,monospace;line-height:1.4;margin:0 0 1em;"
    "overflow-x:auto;padding:0 0 0 2ch;white-space:pre"
)
INSIDE = '<div style="margin-left:2ch">'
SUMMARY = '<summary style="display:list-item;list-style-position:outside">'
"""A line that opens: its mark hangs before it, so that its text begins where that of others does.

It is a list item by itself, but style sheets of notebooks make it a plain block, which has no mark.
"""
GAP = "  "
ROOT, ITSELF = "(root)", "(itself)"
"""The names of the whole, and of what a module does beside what is in it."""
R = TypeVar("R")


class Line(NamedTuple):
    """A line of a tree, by its cells, and the lines that it opens, which are made when they are shown.

    One that is ``said`` is no row, but a text that stands for others.
    """

    cells: Sequence[str]
    below: "Callable[[], Sequence[Line]] | None" = None
    said: bool = False


class Amount(NamedTuple):
    """A total: exactly, in a few digits, and of what it is an amount."""

    exact: str
    short: str
    unit: str


class _Shown(NamedTuple):
    """A line at its depth, and what is shown below it."""

    line: Line
    depth: int
    inside: "list[_Shown]"
    cut: list[bool]


def framed(title: str, *parts: str) -> str:
    """A result: what it is, and its parts."""
    return f'<div class="{ASIDE}">{said((title,))}{"".join(parts)}</div>'


def said(notes: Iterable[str]) -> str:
    """What is to be said of a result, each note a paragraph."""
    return "".join(f"<p>{_escaped(note)}</p>" for note in notes)


def amounts(rows: Sequence[Amount]) -> str:
    """Totals below each other, numbers to the right."""
    exact, short = (max((len(row[place]) for row in rows), default=0) for place in (0, 1))
    lines = (f"{row.exact:>{exact}}{GAP}{row.short:>{short}}{GAP}{row.unit}".rstrip() for row in rows)
    return f'<pre style="{PLAIN}">{escape(chr(10).join(lines))}</pre>'


def table(records: Sequence[Mapping[str, str]]) -> str:
    """Rows by the titles of their columns; of many the first and the last, and those between in a fold."""
    if not records:
        return ""
    if len(records) <= MOST:
        return _table(records)
    between, left = _between(records)
    first = next(iter(records[0]))
    shown = few(records, lambda more: {first: _more(more)})
    cut = f"<p>{left:,} of them are left out</p>" if left else ""
    opened = f"{SUMMARY}{_more(len(between) + left)}</summary>{_table(between)}{cut}"
    return f'{_table(shown)}<details style="margin-left:2ch">{opened}</details>'


def tree(titles: Sequence[str], lines: Sequence[Line], *, text: int, instead: str) -> str:
    """Lines that open, below the titles of their columns.

    The first ``text`` columns are words, the others numbers, to the right. What is too much to be shown is
    told in a line with ``instead``, which says how to see it.
    """
    shown, is_cut = _chosen(lines, instead)
    rows = [(each.depth, each.line.cells) for each in _all(shown) if not each.line.said]
    widths = [max(map(_width, [title, *_column(rows, place)])) for place, title in enumerate(titles)]
    written = _laid_out(titles, widths, text, 0)
    head = f'<span style="opacity:.7">{escape(written)}</span>\n'
    below = f"\n... stands for more than is shown here: {instead}" if is_cut else ""
    return f'<pre style="{PLAIN}">{head}{_written(shown, widths, text)}{escape(below)}</pre>'


def _few(lines: Sequence[Line], instead: str) -> Sequence[Line]:
    """The lines of one level; of many the first and the last, with a fold of those between."""

    def opened() -> Sequence[Line]:
        between, left = _between(lines)
        cut = [Line([f"... {left:,} are left out: {instead}"], said=True)] if left else []
        return [*between, *cut]

    return few(lines, lambda more: Line([_more(more)], opened, said=True))


def _between(rows: Sequence[R]) -> tuple[Sequence[R], int]:
    """What a fold opens of the rows between the first and the last, and how many it leaves out."""
    between = rows[MOST - 2 : -1]
    return between[:MOST_BETWEEN], max(0, len(between) - MOST_BETWEEN)


def _more(number: int) -> str:
    return f"... and {number:,} more"


def by_level(
    rows_at: Callable[[int], Sequence[R]], path: Callable[[R], str], cells: Callable[[str, R], Sequence[str]]
) -> list[Line]:
    """Modules that open, of what gives its rows at each depth below the root.

    ``cells`` are those of a row, by the name that is shown: the last part of its ``path``.
    """
    levels: dict[int, dict[str, list[R]]] = {}

    def level(depth: int) -> Mapping[str, Sequence[R]]:
        """The rows at a depth, by the path of what they are in; where paths end earlier, their own."""
        if depth not in levels:
            levels[depth] = {}
            for row in rows_at(depth):
                above = ".".join(path(row).split(".")[: depth - 1])
                levels[depth].setdefault(above, []).append(row)
        return levels[depth]

    def lines(depth: int, above: str) -> list[Line]:
        found = []
        for row in level(depth).get(above, ()):
            here = path(row)
            opens = here != above and any(path(each) != here for each in level(depth + 1).get(here, ()))
            name = (here.rpartition(".")[2] if here != above else ITSELF) if here else ROOT
            below = partial(lines, depth + 1, here) if opens else None
            found.append(Line(cells(name, row), below))
        return found

    return lines(1, "")


def spread(words: Sequence[str]) -> list[Line]:
    """Words behind each other, in lines that are easily read; of very many the first, and the last."""
    most = words if len(words) <= MOST_BETWEEN else [*words[: MOST_BETWEEN - 1], "...", words[-1]]
    lines = [""]
    for word in (f"{word}, " for word in most):
        if len(lines[-1]) + len(word) > WIDEST_SAID // 2:
            lines.append("")
        lines[-1] += word
    return [Line([line.removesuffix(", ")], said=True) for line in lines if line]


def _chosen(lines: Sequence[Line], instead: str) -> tuple[list[_Shown], bool]:
    """As many lines as are shown, upper levels first, and whether anything below them is not."""
    top = [_Shown(line, 0, [], []) for line in _few(lines, instead)]
    waiting, number, is_cut = deque(top), len(top), False
    while waiting:
        here = waiting.popleft()
        if here.line.below is None:
            continue
        below = here.line.below()
        # what a fold opens is no level of its own
        below = below if here.line.said else _few(below, instead)
        if number + len(below) > MOST_LINES or here.depth == DEEPEST:
            here.cut.append(True)
            is_cut = True
            continue
        here.inside.extend(_Shown(line, here.depth + 1, [], []) for line in below)
        number += len(below)
        waiting.extend(here.inside)
    return top, is_cut


def _all(shown: Iterable[_Shown]) -> Iterable[_Shown]:
    for each in shown:
        yield each
        yield from _all(each.inside)


def _column(rows: Iterable[tuple[int, Sequence[str]]], place: int) -> Iterable[str]:
    """The cells of a column; those of the first are further in the deeper they are."""
    return (f"{' ' * (0 if place else 2 * depth)}{_cell(cells[place])}" for depth, cells in rows)


def _written(shown: Sequence[_Shown], widths: Sequence[int], text: int) -> str:
    """The lines as HTML: what opens is a block of its own, what lies between two is parted by line ends."""
    pieces: list[str] = []
    flat = False
    for each in shown:
        line = each.line
        if line.said:
            written = _cell(line.cells[0], WIDEST_SAID)
        else:
            written = _laid_out(line.cells, widths, text, each.depth)
        if each.cut:
            written += f"{GAP}..."
        if each.inside:
            inside = _written(each.inside, widths, text)
            summary = f"{SUMMARY}{escape(written)}</summary>"
            pieces.append(f"<details>{summary}{INSIDE}{inside}</div></details>")
        else:
            pieces.append(f"{chr(10) if flat else ''}{escape(written)}")
        flat = not each.inside
    return "".join(pieces)


def _laid_out(cells: Sequence[str], widths: Sequence[int], text: int, depth: int) -> str:
    """Cells in their columns; the first is narrower the deeper the line is, which the page indents."""
    padded = []
    for place, (cell, width) in enumerate(zip(map(_cell, cells), widths, strict=True)):
        room = " " * (width - _width(cell) - (0 if place else 2 * depth))
        padded.append(f"{cell}{room}" if place < text else f"{room}{cell}")
    return GAP.join(padded).rstrip()


def _cell(text: str, widest: int = WIDEST_CELL) -> str:
    return shortened(" ".join(harmless(text).split()), widest)


def _width(text: str) -> int:
    """How many cells a text takes where all signs are of one width, but for those that take two."""
    return len(text) if text.isascii() else sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def _table(records: Sequence[Mapping[str, str]]) -> str:
    titles = list(dict.fromkeys(title for row in records for title in row))
    right = {title for title in titles if all(_is_number(row.get(title, "")) for row in records)}
    sides = {title: f' style="text-align:{"right" if title in right else "left"}"' for title in titles}
    head = "".join(f"<th{side}>{_escaped(title)}</th>" for title, side in sides.items())
    rows = (
        "".join(f"<td{side}>{_escaped(row.get(title, ''))}</td>" for title, side in sides.items())
        for row in records
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _is_number(cell: str) -> bool:
    return not cell or cell[0].isdigit() or (cell[0] in "-+" and cell[1:2].isdigit())


def _escaped(text: str) -> str:
    return escape(_cell(text, WIDEST))

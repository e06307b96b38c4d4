"""The page of a network, or of several beside each other: to open, to sort, to zoom into."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from costlab.algebra.inputs import Inputs
from costlab.counting.compare import Comparison
from costlab.counting.count import Count
from costlab.counting.row import DEFAULT
from costlab.report.cell import human
from costlab.report.html.data import difference_data, page_data
from costlab.report.html.document import FOLDER, document
from costlab.report.html.table import table_html
from costlab.report.html.text import escaped, isolated, json_block
from costlab.report.tables.compare import compare_table
from costlab.report.tables.count import NOT_VERIFIED, count_table, titles_of
from costlab.report.tables.published import published_table

DATA = "costlab-data"
"""The ``id`` of the block of data."""
SIDES = 2
"""The networks that are looked at side by side; of more, the table of all stays."""


def html_page(result: Count | Comparison, *, depth: int = 1) -> str:
    """A count or a comparison as one page of HTML that needs no other file and loads nothing.

    It holds the tree of modules, ``depth`` levels of it open, a picture of the cost, and what every
    convention charges; a comparison the first network beside the one that is chosen, by the paths of modules.
    Its data is described in the page "The page to look at" of the documents.

    Raises:
        DefinitionError: the count is for symbols or arrays.
    """
    if isinstance(result, Comparison):
        return comparison_document(result, depth=depth)
    return network_document(result, depth=depth)


def network_document(count: Count, *, depth: int = 1, target: str = "") -> str:
    """The page of a network, with its modules down to ``depth`` open; ``target`` is that of the command."""
    facts = [f"input {count.input}"]
    facts += [] if isinstance(count.input, Inputs) else [f"batch {count.batch}"]
    facts += ["a step of training"] if count.is_step else []
    table = table_html(count_table(count, max(depth, 1)))
    return _document(count.shown, facts, [count], [], table, depth, target)


def comparison_document(comparison: Comparison, *, depth: int = 1, target: str = "") -> str:
    """The page of networks beside the first of them.

    Where one was counted in part, nobody knows what differs, and it is not said.
    """
    whole = not any(count.partial for count in comparison.counts)
    plain = comparison.under(DEFAULT)
    differences = [difference_data(plain.differences(count)) if whole else None for count in plain.counts[1:]]
    tables = [compare_table(comparison, exact=False)]
    tables += [published_table(comparison)] if comparison.published else []
    facts = [comparison.headline.removeprefix(f"{comparison.title}, ")]
    static = "".join(map(table_html, tables))
    return _document(comparison.title, facts, comparison.counts, differences, static, depth, target)


def _document(
    title: str,
    facts: Sequence[str],
    counts: Sequence[Count],
    differences: Sequence[Any],
    static: str,
    depth: int,
    target: str,
) -> str:
    data = page_data(counts, differences, depth=depth)
    listed = "".join(f"<li>{isolated(note)}</li>" for note in _notes(data["networks"]))
    many = len(counts) > SIDES
    parts = (
        head(title, " · ".join(facts)),
        "<main>",
        f'<ul class="notes">{listed}</ul>' if listed else "",
        f'<dl class="totals" id="totals">{_totals(counts[0]) if len(counts) == 1 else ""}</dl>',
        '<p id="unit"></p>',
        static if many else "",
        (FOLDER / "controls.html").read_text("utf-8"),
        "" if many else f'<div class="static-only">{static}</div>',
        "</main>",
        json_block(DATA, data),
    )
    return document(title, "".join(parts), target=target, script=True)


def _notes(networks: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """What is to be known before the numbers; of several networks with the name of which it is said."""
    notes = [(entry["shown"], note) for entry in networks for note in entry["notes"]]
    return dict.fromkeys(
        note if len(networks) == 1 or note.startswith((NOT_VERIFIED, shown)) else f"{shown}: {note}"
        for shown, note in notes
    )


def head(title: str, facts: str) -> str:
    """The head of a page: its title, what is to be known of it, and the switch of its colors."""
    themes = "".join(
        f'<label><input type="radio" name="theme" id="theme-{name}"{checked}>{name}</label>'
        for name, checked in (("auto", " checked"), ("light", ""), ("dark", ""))
    )
    return (
        f'<header class="top"><div><p class="eyebrow">costlab report</p><h1>{isolated(title)}</h1>'
        f'<p class="facts">{escaped(facts)}</p></div>'
        f'<fieldset class="theme"><legend>Colors</legend>{themes}</fieldset></header>'
    )


def _totals(count: Count) -> str:
    sizes = zip(titles_of(count), count.whole.sizes(count.measures), strict=True)
    return "".join(
        f'<div><dt>{escaped(name)}</dt><dd class="few">{human(int(size))}</dd>'
        f'<dd class="exact">{size:,}</dd></div>'
        for name, size in sizes
    )

"""The page of a comparison: the variants of a set beside its baseline, and where each differs."""

from costlab.counting.compare import Comparison
from costlab.report.cell import plural
from costlab.report.page import Page, Part, page
from costlab.report.pictures.bars import compare_picture
from costlab.report.tables.compare import compare_table, difference_table
from costlab.report.tables.count import listed, titles_of
from costlab.report.tables.published import published_table

SHOWN_MAX = 24
"""The most variants that a picture has room for, and of which a page shows module by module what differs."""


def comparison_page(comparison: Comparison, name: str, *, target: str = "") -> Page:
    """The sizes of all variants, in a table and a picture, and the modules that differ."""
    baseline, *others = comparison.counts
    parts: list[Part] = [compare_table(comparison, exact=False)]
    few = len(comparison.counts) <= SHOWN_MAX
    if few and others:
        parts.append(compare_picture(comparison, f"{name}_sizes"))
    if comparison.published:
        parts.append(published_table(comparison))
    if few and others:
        parts += ["## Modules that differ", difference_table(comparison, 1)]
    elif others:
        parts.append(f"Which modules differ is shown of up to {SHOWN_MAX}: costlab compare shows it of any.")
    beside = plural(len(others), "variant") if others else "Nothing"
    summary = f"{beside} beside {baseline.shown}: {listed(titles_of(baseline))}."
    return page(name, comparison.headline, summary, parts, target=target)

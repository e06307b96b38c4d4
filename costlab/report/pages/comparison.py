"""The page of a comparison: the variants of a set beside its baseline, and where each differs."""

from costlab.counting.compare import Comparison
from costlab.report.page import Page, Part, page
from costlab.report.pictures.bars import compare_picture
from costlab.report.tables.compare import compare_table, difference_table
from costlab.report.tables.published import published_table

DRAWN_MAX = 24
"""The most variants that a picture has room for."""


def comparison_page(comparison: Comparison, name: str, *, target: str = "") -> Page:
    """The sizes of all variants, in a table and a picture, and the modules that differ."""
    baseline, *others = comparison.counts
    parts: list[Part] = [compare_table(comparison, exact=False)]
    if len(comparison.counts) <= DRAWN_MAX:
        parts.append(compare_picture(comparison, f"{name}_sizes"))
    if comparison.published:
        parts.append(published_table(comparison))
    if others:
        parts += ["## Modules that differ", difference_table(comparison, 1)]
    summary = f"{len(others)} beside {baseline.shown}: multiply-adds, parameters and activations."
    return page(name, comparison.headline, summary, parts, target=target)

"""The page of the paper's claims: the audit, with every derivation."""

from collections.abc import Sequence

from costlab.paper.audit import Audited
from costlab.report.page import Page, page
from costlab.report.pictures.verdicts import verdicts_picture
from costlab.report.tables.verify import derivation_table, summary_of, verify_table

NAME = "claims"
VERDICTS = (
    "A figure is **exact** where the recomputed value rounds to every stated digit, or is the stated "
    "formula; it **holds** where an inequality is satisfied; it is **close** within the tolerance "
    "behind ±, and so not verified; it **differs** where it is none of these; it is **not countable** "
    "where only training could show it. What follows from figures that the paper itself reports has a "
    "column of its own."
)


def claims_page(audited: Sequence[Audited]) -> Page:
    """Every figure with its verdict, and how each claim was recomputed."""
    moved = [f"{each.claim.id}: {line}" for each in audited for line in each.moved]
    summary = f"Recomputed from the definitions and judged by arithmetic: {summary_of(audited)}."
    return page(
        NAME,
        "The claims of the paper",
        summary,
        (
            VERDICTS,
            verdicts_picture(audited),
            verify_table(audited, verbose=True),
            "## Derivations",
            *(part for each in audited for part in (f"### {each.claim.id}", derivation_table(each))),
        ),
        moved,
    )

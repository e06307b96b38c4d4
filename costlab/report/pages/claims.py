"""The page of the paper's claims: the audit, with every derivation."""

from collections.abc import Sequence

from costlab.paper.audit import AuditedClaim
from costlab.report.page import Page, page
from costlab.report.pictures.verdicts import verdicts_picture
from costlab.report.tables.verify import derivation_table, figures_of, summary_of, verify_table

NAME = "claims"
VERDICTS = (
    "A figure is **exact** where the recomputed value rounds to every stated digit, or is the stated "
    "formula; it **holds** where an inequality is satisfied; it is **close** within the tolerance "
    "behind ±, and so not verified; it **differs** where it is none of these; it is **not countable** "
    "where only training could show it. What follows from figures that the paper itself reports has a "
    "column of its own."
)
DRAWN = (
    "The picture has a row for each figure, not for each claim, of which there is a quotient: those that are "
    "numbers, not exact, and not held against 0."
)


def claims_page(claims: Sequence[AuditedClaim]) -> Page:
    """Every figure with its verdict, and the derivation of each claim."""
    changes = [f"{audited.claim.id}: {line}" for audited in claims for line in audited.changes]
    counted = f"{summary_of(claims)}. These have {figures_of(claims)}"
    summary = f"Recomputed from the definitions and judged by arithmetic: {counted}."
    return page(
        NAME,
        "The claims of the paper",
        summary,
        (
            VERDICTS,
            DRAWN,
            verdicts_picture(claims),
            verify_table(claims, verbose=True),
            "## Derivations",
            *(part for audited in claims for part in (f"### {audited.claim.id}", derivation_table(audited))),
        ),
        changes,
    )

"""The index page: the main results and pictures, with links to the other pages."""

from collections.abc import Sequence

from costlab.counting.count import Count
from costlab.paper.audit import AuditedClaim
from costlab.paper.claims import MISSION
from costlab.report.page import Page, page, picture_in_markdown
from costlab.report.table import inline
from costlab.report.tables.verify import verify_table

NAME = "README"
SHOWN = (
    "inception_v3_modules",
    "savings",
    "claims",
    "lineage",
    "budget",
    "conventions",
    "neighbourhood",
    "training_hours",
    "replaceable",
)
"""The pictures of other pages that are shown on the index; of pages without one of these, their first."""


def index_page(pages: Sequence[Page], released: Count, claims: Sequence[AuditedClaim]) -> Page:
    """The main results, with links to the other pages."""
    mission = [audited for audited in claims if audited.claim.id in MISSION]
    parts = []
    for shown_page in pages:
        shown = [picture for picture in shown_page.pictures if picture.name in SHOWN]
        parts += [
            f"## {inline(shown_page.title)}",
            *map(picture_in_markdown, shown or shown_page.pictures[:1]),
            f"More: [{shown_page.file}]({shown_page.file})",
        ]
    return page(
        NAME,
        "Inception v3 against its paper",
        f"`costlab report` wrote these pages from the definitions, without running a network but for the "
        f"cross-check; `costlab report --check` recomputes them. What was trained is reckoned from the "
        f"records of the runs. The released network has {released.multiply_adds:,} multiply-adds and "
        f"{released.parameters:,} parameters.",
        (
            "\n".join(
                f"* [{inline(shown_page.title)}]({shown_page.file}): {shown_page.summary}"
                for shown_page in pages
            ),
            "## What costlab exists to check",
            verify_table(mission),
            *parts,
        ),
    )

"""The page of the paper's claims: the audit, with every derivation."""

from collections.abc import Iterator, Mapping, Sequence

from costlab.paper.audit import AuditedClaim
from costlab.paper.stated import Trained
from costlab.report.page import Page, page
from costlab.report.pages.run_parts import CLAIMED_ANCHOR
from costlab.report.pictures.verdicts import verdicts_picture
from costlab.report.table import inline
from costlab.report.tables.verify import (
    commands_of,
    derivation_table,
    figures_of,
    how_tried,
    marked_id,
    summary_of,
    trained_figures,
    verify_table,
)
from costlab.report.trained_on import images_of
from costlab.train.claimed import find_claim
from costlab.train.record import Run
from costlab.train.statistics import judge

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
TRIED = "## What only training could show"
NO_RECORD = "no training that did is recorded here"
WHAT_IT_IS_WORTH = (
    "What is tried below is a reduced network on small images, not the paper's network on ImageNet: a "
    "verdict there neither verifies what is stated nor refutes it. A link leads to the page of the training, "
    "which has the intervals."
)


def claims_page(claims: Sequence[AuditedClaim], runs: Mapping[str, Run]) -> Page:
    """Every figure with its verdict, what trainings say of those that cannot be counted, and each derivation.

    ``runs`` are the records by the names of their pages.
    """
    tried = [_tried(audited, stated, runs) for audited, stated in _trained(claims)]
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
            *([TRIED, WHAT_IT_IS_WORTH, "\n".join(tried)] if tried else []),
            "## Derivations",
            *(part for audited in claims for part in (f"### {audited.claim.id}", derivation_table(audited))),
        ),
        changes,
    )


def _trained(claims: Sequence[AuditedClaim]) -> Iterator[tuple[AuditedClaim, Trained]]:
    for audited in claims:
        for stated in trained_figures(audited):
            yield audited, stated


def _tried(audited: AuditedClaim, stated: Trained, runs: Mapping[str, Run]) -> str:
    """A figure, how to try it, and below it the claims of experiments with the verdicts of all records."""
    figure = f"{audited.claim.section}, {stated.name}: {stated.text}"
    links: dict[str, list[str]] = {}
    for key in stated.tried_as:
        for name, run in runs.items():
            if claim := find_claim(key, run.claims):
                verdict = f"on {inline(images_of(run))}: {judge(claim, run).verdict}"
                links.setdefault(claim.claim, []).append(f"[{verdict}]({name}.md#{CLAIMED_ANCHOR})")
    how = how_tried(stated)
    for command in commands_of(stated):
        how = how.replace(command, f"`{command}`")
    lines = [
        f"* **{inline(marked_id(audited))}** ({inline(figure)}): {how}",
        *(f"    * {inline(claim)}: {'; '.join(found)}" for claim, found in links.items()),
        *([f"    * {NO_RECORD}"] if stated.tried_as and not links else []),
    ]
    return "\n".join(lines)

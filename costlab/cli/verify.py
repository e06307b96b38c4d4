"""``costlab verify``."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from costlab.cli.lazy import completes
from costlab.cli.progress import progress
from costlab.cli.tables import Output, output_options

if TYPE_CHECKING:
    from costlab.paper import AuditedClaim


@click.command(short_help="Recompute the claims of the Inception-v3 paper, and say which hold.")
@click.argument("ids", metavar="[ID...]", nargs=-1, shell_complete=completes("claim"))
@click.option("-v", "--verbose", is_flag=True, help="Show how each was recomputed, with the numbers put in.")
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 1 unless the five stand that costlab exists to check: 2.78x, 28%, 33%, about 5 billion "
    "multiply-adds, fewer than 25 million parameters.",
)
@output_options
def verify(ids: tuple[str, ...], verbose: bool, strict: bool, out: Output) -> None:
    """Recompute every claim of the Inception-v3 paper, or those with these IDs, from the definitions.

    A figure is exact (the value rounds to every stated digit, or is the formula), holds (an inequality is
    satisfied), close (within the tolerance that the claim declares: it is not verified), differs (none of
    these), or is not countable (only training could show it).

    What follows from figures that the paper itself reports has a column of its own.

    The exit status is 1 if anything is not as it is recorded: then a definition has moved, or a claim.
    """
    # The claims load every definition, so they are imported only here.
    from costlab.paper.audit import mission_claims, orphaned_outcomes
    from costlab.paper.audit import verify as verify_claims
    from costlab.report.tables.verify import derivation_table, verify_table, with_steps

    with progress("recomputing") as (report, live):
        claims = verify_claims(*ids, progress=(lambda name: report(f"recomputing: {name}")) if live else None)
        five = mission_claims() if strict else ()
    tables = [verify_table(claims, verbose)]
    if verbose and out.format == "csv":
        tables = [with_steps(tables[0], claims)]
    elif verbose and out.format != "json":
        tables += map(derivation_table, claims)
    out.emit(*tables)
    problems = [
        f"{name}: recorded, but there is no such claim" for name in (() if ids else orphaned_outcomes())
    ]
    problems += _describe_changes(claims)
    if problems and not any(audited.problem for audited in claims):
        problems.append("if that is meant, make record records it; costlab verify ID --verbose derives it")
    fallen = [
        f"strict: {audited.claim.id} does not stand: {audited.verdict}"
        for audited in five
        if not audited.stands
    ]
    if strict and not fallen:
        verdicts = ", ".join(f"{audited.claim.id} {audited.verdict}" for audited in five)
        click.echo(f"strict: the five stand: {verdicts}", err=True)
    for line in (*problems, *fallen):
        click.echo(line, err=True)
    if problems or fallen:
        sys.exit(1)


def _describe_changes(claims: "Iterable[AuditedClaim]") -> list[str]:
    """The changes of outcomes, a line each; claims with the same change share a line."""
    from costlab.report.tables.verify import marked_id

    lines: dict[str, list[str]] = {}
    for audited in claims:
        for line in audited.changes:
            lines.setdefault(line, []).append(marked_id(audited))
    return [f"{', '.join(names)}: {line}" for line, names in lines.items()]

"""``costlab verify``."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from costlab.cli.output import chosen_format, emit, output_options
from costlab.cli.progress import progress

if TYPE_CHECKING:
    from costlab.paper import Audited


@click.command(short_help="Recompute the claims of the Inception-v3 paper, and say which hold.")
@click.argument("ids", metavar="[ID...]", nargs=-1)
@click.option("-v", "--verbose", is_flag=True, help="Show how each was recomputed, with the numbers put in.")
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 1 unless the five stand that costlab exists to check: 2.78x, 28%, 33%, about 5 billion "
    "multiply-adds, fewer than 25 million parameters.",
)
@output_options
def verify(
    ids: tuple[str, ...], verbose: bool, strict: bool, format_: str | None, file: Path | None, force: bool
) -> None:
    """Recompute every claim of the Inception-v3 paper, or those with these IDs, from the definitions.

    A figure is exact (the value rounds to every stated digit, or is the formula), holds (an inequality is
    satisfied), close (within the tolerance that the claim declares: it is not verified), differs (none of
    these), or is not countable (only training could show it).

    What follows from figures that the paper itself reports has a column of its own.

    The exit status is 1 if anything is not as it is recorded: then a definition has moved, or a claim.
    """
    form = chosen_format(format_, file)
    from costlab.paper.audit import mission, orphans  # the claims load every definition: wanted only here
    from costlab.paper.audit import verify as audit
    from costlab.report.tables.verify import derivation_table, steps_table, verify_table

    with progress("recomputing") as (tell, live):
        audited = audit(*ids, progress=(lambda name: tell(f"recomputing: {name}")) if live else None)
        five = mission() if strict else ()
    table, more = verify_table(audited, verbose), []
    if verbose and form == "csv":  # one table, and the verdicts can be had without the derivations
        table = steps_table(audited)
    elif verbose:
        more = [derivation_table(each) for each in audited]
    emit(table, form, file, force, more)
    problems = [f"{name}: recorded, but there is no such claim" for name in (() if ids else orphans())]
    problems += _told(audited)
    if problems and not any(each.problem for each in audited):
        problems.append("if that is meant, make record records it; costlab verify ID --verbose derives it")
    fallen = [f"strict: {each.claim.id} does not stand: {each.verdict}" for each in five if not each.stands]
    if strict and not fallen:
        told = ", ".join(f"{each.claim.id} {each.verdict}" for each in five)
        click.echo(f"strict: the five stand: {told}", err=True)
    for line in (*problems, *fallen):
        click.echo(line, err=True)
    if problems or fallen:
        sys.exit(1)


def _told(audited: "Iterable[Audited]") -> list[str]:
    """What has moved; claims of which the same is to be told share a line."""
    from costlab.report.tables.verify import shown_id

    lines: dict[str, list[str]] = {}
    for each in audited:
        for line in each.moved:
            lines.setdefault(line, []).append(shown_id(each))
    return [f"{', '.join(names)}: {line}" for line, names in lines.items()]

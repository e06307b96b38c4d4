"""``costlab verify``."""

import sys
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

    The exit status is 1 if a verdict or a value is not the one recorded as expected: then a definition has
    moved.
    """
    form = chosen_format(format_, file)
    from costlab.paper.audit import mission  # the claims load every definition: here only is that wanted
    from costlab.paper.audit import verify as audit
    from costlab.report.verify import derivation_table, verify_table

    with progress("recomputing") as (tell, live):
        audited = audit(*ids, progress=(lambda name: tell(f"recomputing: {name}")) if live else None)
        five = mission() if strict else ()
    more = [derivation_table(each) for each in audited] if verbose else []
    emit(verify_table(audited, verbose), form, file, force, more)
    moved = [line for each in audited for line in _moved(each)]
    fallen = [f"{each.claim.id} does not stand: {each.verdict}" for each in five if not each.stands]
    if strict and not fallen:
        told = ", ".join(f"{each.claim.id} {each.verdict}" for each in five)
        click.echo(f"strict: the five stand: {told}", err=True)
    for line in (*moved, *(f"strict: {line}" for line in fallen)):
        click.echo(line, err=True)
    if moved or fallen:
        sys.exit(1)


def _moved(each: "Audited") -> list[str]:
    if each.problem:
        return [f"{each.claim.id} cannot be recomputed: {each.problem}"]
    lines = []
    for outcome in each.moved:
        before = outcome.expected
        was = f"{before.verdict} with {before.value or 'no value'}" if before else "not recorded"
        now = f"{outcome.verdict} with {outcome.found.value or 'no value'}"
        lines.append(f"{each.claim.id}, {outcome.stated.name}: moved: {was}, now {now}")
    return lines

"""Running the cross-check behind a command, with progress."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from costlab.cli.progress import progress
from costlab.counting.count import Count
from costlab.report.cell import plural

if TYPE_CHECKING:
    from costlab.checking.finding import Finding


def check_count(counted: Count, *, to_stderr: bool) -> bool:
    """Check a count, and print a line per source; returns whether all agreed."""
    with progress("loading PyTorch and fvcore") as (report, _):
        from costlab.checking.cross_check import check

        findings = check(counted, progress=lambda step: report(f"checking: {step}"))
    click.echo(err=to_stderr)
    for finding in findings:
        click.echo(str(finding), err=to_stderr)
    return all(finding.agreed for finding in findings)


def check_counts(counts: Sequence[Count], *, to_stderr: bool) -> bool:
    """Check every count, and print a line for each, or its problems; returns whether all agreed."""
    batch = min(int(counted.batch) for counted in counts)  # what differs in it only is run once
    checked: list[tuple[Count, list[Finding]]] = []
    done: dict[object, list[Finding]] = {}
    with progress("loading PyTorch and fvcore") as (report, live):
        from costlab.checking.cross_check import check

        for i, counted in enumerate(counts, 1):
            place = f"{counted.shown} ({i} of {len(counts)})"
            report(f"checking: {place}")
            same = (counted.root.block, counted.input)
            if same not in done:
                one = replace(counted, batch=batch)
                done[same] = check(one, progress=partial(_tell_at, report, place) if live else None)
            checked.append((counted, done[same]))
    sources = dict.fromkeys(finding.source for finding in checked[0][1])
    click.echo(
        f"\nagainst {', '.join(sources)}, {len(checked[0][1])} comparisons each, batch {batch}:",
        err=to_stderr,
    )
    for counted, findings in checked:
        problems = [finding for finding in findings if not finding.agreed]
        for finding in problems:
            click.echo(f"{counted.shown}: {finding}", err=to_stderr)
        if not problems:
            modules = findings[0].modules
            click.echo(f"{counted.shown}: agreed on {plural(modules, 'module')}", err=to_stderr)
    return all(finding.agreed for _, findings in checked for finding in findings)


def _tell_at(report: Callable[[str], None], place: str, step: str) -> None:
    report(f"checking: {place}: {step}")

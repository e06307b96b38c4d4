"""``costlab reconcile``."""

import sys
from pathlib import Path

import click

from costlab.checking.finding import Report
from costlab.cli.convention import explain_option
from costlab.cli.inputs import input_option, one_or_all, refuse
from costlab.cli.output import chosen_format, emit, output_options
from costlab.cli.progress import progress
from costlab.counting.count import Count
from costlab.counting.count import count as count_target
from costlab.counting.reconcile import account_of, reconcile
from costlab.counting.reconcile import explain as explain_terms
from costlab.report.tables.reconcile import agreed, explain_table, reconcile_table


@click.command(
    "reconcile",
    no_args_is_help=True,
    short_help="Every tool's number for one network, term by term; --run holds it against the tool.",
)
@click.argument("target")
@input_option("Shape of the input, such as 3x299x299.  [default: the definition's]")
@click.option(
    "-b", "--batch", type=click.IntRange(min=1), default=1, show_default=True, help="Inputs at once."
)
@click.option(
    "--run", "run_", is_flag=True, help="Run the tools that are installed: predicted beside reported."
)
@explain_option
@output_options
def reconcile_(
    target: str,
    input_: tuple[str, ...],
    batch: int,
    run_: bool,
    explain: tuple[str, str] | None,
    format_: str | None,
    file: Path | None,
    force: bool,
) -> None:
    """Show what each counting tool reports of TARGET in eval mode, and what its number consists of.

    TARGET is what `costlab count` takes. The numbers are predicted from what each tool charges (costlab list
    --conventions); with --run the installed ones (pip install 'costlab[peers]') count it too, and the exit
    status is 1 if any reports something else.
    """
    refuse((run_ and explain is not None, "--run and --explain do not go together"))
    form = chosen_format(format_, file)
    counted = count_target(target, one_or_all(input_), batch=batch)
    counted = counted.inference if counted.auxiliary else counted
    accounts = reconcile(counted)
    if explain:
        first, second = (account_of(accounts, name) for name in explain)
        lines = explain_terms(counted, first, second)
        emit(explain_table(counted, first, second, lines), form, file, force)
        return
    ran = _run_tools(counted) if run_ else None
    emit(reconcile_table(counted, accounts, ran), form, file, force)
    if ran is not None and not agreed(accounts, ran):
        sys.exit(1)


def _run_tools(counted: Count) -> dict[str, Report]:
    """The reports of the installed tools, by convention."""
    ran: dict[str, Report] = {}
    with progress("loading PyTorch") as (show_step, _):
        from costlab.checking.materialize import runnable
        from costlab.checking.peers import reports

        model, inputs = runnable(counted)
        for name, report in reports(model, inputs):
            show_step(f"{name}: done")
            ran[name] = report
    return ran

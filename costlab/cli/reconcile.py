"""``costlab reconcile``."""

import sys

import click

from costlab.checking.finding import Report
from costlab.cli.convention import explain_option
from costlab.cli.inputs import TargetName, input_option, one_or_all, refuse
from costlab.cli.lazy import completes
from costlab.cli.progress import progress
from costlab.cli.tables import Output, output_options
from costlab.counting.count import Count
from costlab.counting.count import count as count_target
from costlab.counting.holds import refuse as refuse_convention
from costlab.counting.reconcile import account_of, reconcile
from costlab.counting.reconcile import explain as explain_terms
from costlab.report.tables.reconcile import agreed, explain_table, reconcile_table


@click.command(
    "reconcile",
    short_help="Every tool's number for one network, term by term; --run holds it against the tool.",
)
@click.argument("target", type=TargetName(), shell_complete=completes("target"))
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
    out: Output,
) -> None:
    """Show what each counting tool reports of TARGET in eval mode, and what its number consists of.

    TARGET is what `costlab count` takes; tools that read graphs of ONNX have a number for these alone, and
    the others none. The numbers are predicted from what each tool charges (costlab list --conventions); with
    --run the installed ones (pip install 'costlab[peers]') count it too, and the exit status is 1 if any
    reports something else.
    """
    refuse((run_ and explain is not None, "--run and --explain do not go together"))
    counted = count_target(target, one_or_all(input_), batch=batch)
    counted = counted.inference if counted.auxiliary else counted
    accounts = reconcile(counted)
    if explain:
        for name in explain:
            refuse_convention(counted, name)
        first, second = (account_of(accounts, name) for name in explain)
        lines = explain_terms(counted, first, second)
        out.emit(explain_table(counted, first, second, lines))
        return
    out.chosen(reconcile_table(counted, accounts, {} if run_ else None))  # before the tools run
    ran = _run_tools(counted) if run_ else None
    out.emit(reconcile_table(counted, accounts, ran))
    if ran is not None and not agreed(accounts, ran):
        sys.exit(1)


def _run_tools(counted: Count) -> dict[str, Report]:
    """The reports of the installed tools, by convention."""
    ran: dict[str, Report] = {}
    if counted.graph is not None:
        from costlab.checking.graph_peers import graph_reports

        return dict(graph_reports(counted.graph.fixed()))
    with progress("loading PyTorch") as (show_step, _):
        from costlab.checking.materialize import runnable
        from costlab.checking.peers import reports
        from costlab.tracing.exported import refuse_program

        model, inputs = runnable(counted)
        refuse_program(model, counted.label)
        for name, report in reports(model, inputs):
            show_step(f"{name}: done")
            ran[name] = report
    return ran

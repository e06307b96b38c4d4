"""``costlab compare``."""

import sys
from pathlib import Path

import click

from costlab.cli.checking import check_counts
from costlab.cli.convention import convention_option, not_in_symbols
from costlab.cli.inputs import (
    SymbolicCommand,
    input_option,
    one_or_all,
    partial_option,
    refuse,
    symbolic_option,
)
from costlab.cli.lazy import completes
from costlab.cli.output import NOT_CHECKED, PicturePath, tell_partial
from costlab.cli.progress import progress
from costlab.cli.tables import Output, output_options
from costlab.counting.compare import Comparison, gather
from costlab.counting.compare import compare as compare_targets
from costlab.files import refuse_taken, write
from costlab.report.table import Table
from costlab.report.tables.closed_form import compared_forms_table
from costlab.report.tables.compare import compare_table, difference_table, with_differences
from costlab.report.tables.published import published_table
from costlab.symbolic.closed_form import ClosedForm
from costlab.targets.ablation import Ablation


@click.command(
    cls=SymbolicCommand,
    short_help="Compare networks with a baseline: ratios, savings, closed forms.",
)
@click.argument("targets", metavar="[TARGET...]", nargs=-1, shell_complete=completes("target"))
@click.option(
    "-a",
    "--ablation",
    metavar="NAME",
    help="Compare a named set; see costlab list --ablations.",
    shell_complete=completes("ablation"),
)
@input_option("Shape of the input, the same for all.")
@click.option(
    "-b",
    "--batch",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Inputs at once; a variant of many crops takes so many times as many.",
)
@click.option("--inference", is_flag=True, help="Leave out auxiliary heads, which run in training only.")
@click.option(
    "--diff",
    is_flag=True,
    help="Show the modules that differ from the baseline, too, by path; CSV has a row for each with the "
    "sizes of its variant.",
)
@click.option(
    "-d", "--depth", type=click.IntRange(min=0), help="With --diff: how deep.  [default: all the way]"
)
@click.option(
    "--exact",
    is_flag=True,
    help="Show ratios as fractions in the table, too; CSV, JSON and Markdown hold them, LaTeX short ones.",
)
@partial_option
@symbolic_option(
    "Show closed forms in NAMES, such as C,H,W or width: sizes of the input and numeric parameters.  "
    "[default: all sizes that can be symbols]"
)
@click.option(
    "--check", is_flag=True, help="Build every variant and hold its count against fvcore and torch."
)
@click.option(
    "--plot",
    metavar="FILE.png",
    type=PicturePath(),
    help="Draw the comparison, relative to the baseline.",
)
@convention_option
@output_options
def compare(
    targets: tuple[str, ...],
    ablation: str | None,
    input_: tuple[str, ...],
    batch: int,
    inference: bool,
    diff: bool,
    depth: int | None,
    exact: bool,
    partial: bool,
    symbolic: str | None,
    check: bool,
    plot: Path | None,
    convention: str,
    out: Output,
) -> None:
    """Compare TARGETs with the first, or the variants of a named set with its baseline.

    Targets are what `costlab count` takes. For each stand its multiply-adds (MACs), parameters and
    activations, the ratio to the baseline, and what is saved of it in percent, below 0 where it costs more.

    A set of your own is an Ablation in a Python file: --ablation file.py:name.

    With --check the exit status is 1 if any source disagrees or cannot be run.
    """
    closed = symbolic is not None
    refuse(
        (not targets and ablation is None, "give two TARGETs or more, a baseline first, or --ablation NAME"),
        (depth is not None and not diff, "--depth goes with --diff"),
        (diff and closed, "--diff and --symbolic do not go together"),
        (closed and partial, "--partial is for modules, and --symbolic is not"),
        not_in_symbols(closed, convention),
    )
    form = out.format
    refuse_taken(plot, None if out.on_stdout else out.file, replace=out.force)
    chosen = gather(*targets, ablation=ablation)
    comparison = compare_targets(ablation=chosen, input=one_or_all(input_), batch=batch, partial=partial)
    for counted in comparison.counts if check else ():
        counted.refuse_partial(NOT_CHECKED)
    comparison = (comparison.inference if inference else comparison).under(convention)
    if symbolic is None:
        table = compare_table(comparison, exact=exact or form != "table")
        tables = _tables(table, comparison, diff, depth, form)
    else:
        forms = _forms(chosen, symbolic, one_or_all(input_), comparison)
        tables = [compared_forms_table(comparison, forms)]
    out.chosen(*tables)  # before a picture is drawn
    if plot is not None:
        from costlab.report.pictures.bars import compare_picture

        write(plot, compare_picture(comparison).file(), replace=out.force)
    out.emit(*tables)
    tell_partial(comparison.counts)
    if check and not check_counts(comparison.counts, to_stderr=not out.shares_stdout):
        sys.exit(1)


def _tables(table: Table, comparison: Comparison, diff: bool, depth: int | None, form: str) -> list[Table]:
    """The comparison and what goes with it: in CSV one table of all, in JSON what is not in the first."""
    if form == "csv":
        return [with_differences(table, comparison, depth) if diff else table]
    tables = [table]
    if comparison.published and form != "json":
        tables.append(published_table(comparison))
    if diff:
        tables.append(difference_table(comparison, depth))
    return tables


def _forms(chosen: Ablation, names: str, input_: object, comparison: Comparison) -> tuple[ClosedForm, ...]:
    from costlab.symbolic.derive import closed_forms

    batch = comparison.baseline.batch
    with progress("deriving closed forms"):
        forms = closed_forms(ablation=chosen, symbols=names, input=input_, batch=batch)
    return forms if comparison.baseline.heads else tuple(form.inference for form in forms)

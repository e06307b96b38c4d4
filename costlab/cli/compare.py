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
from costlab.cli.output import (
    NOT_CHECKED,
    FilePath,
    chosen_format,
    emit,
    on_stdout,
    output_options,
    tell_partial,
)
from costlab.cli.progress import progress
from costlab.counting.compare import Comparison, gather
from costlab.counting.compare import compare as compare_targets
from costlab.errors import OutputError
from costlab.files import refuse_taken, write
from costlab.report.table import Table
from costlab.report.tables.closed_form import compared_forms_table
from costlab.report.tables.compare import compare_table, difference_table
from costlab.report.tables.published import published_table
from costlab.symbolic.closed_form import ClosedForm
from costlab.targets.ablation import Ablation


@click.command(
    cls=SymbolicCommand,
    no_args_is_help=True,
    short_help="Compare networks with a baseline: ratios, savings, closed forms.",
)
@click.argument("targets", metavar="[TARGET...]", nargs=-1)
@click.option("-a", "--ablation", metavar="NAME", help="Compare a named set; see costlab list --ablations.")
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
@click.option("--diff", is_flag=True, help="Show the modules that differ from the baseline, by path.")
@click.option(
    "-d", "--depth", type=click.IntRange(min=0), help="With --diff: how deep.  [default: all the way]"
)
@click.option(
    "--exact",
    is_flag=True,
    help="Show ratios and savings as fractions in the table, too; every other format holds them so.",
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
    type=FilePath(),
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
    format_: str | None,
    file: Path | None,
    force: bool,
) -> None:
    """Compare TARGETs with the first, or the variants of a named set with its baseline.

    Targets are what `costlab count` takes. For each stand its multiply-adds (MACs), parameters and
    activations, the ratio to the baseline, and what is saved of it in percent, below 0 where it costs more.

    A set of your own is an Ablation in a Python file: --ablation file.py:name.

    With --check the exit status is 1 if any source disagrees or cannot be run.
    """
    closed = symbolic is not None
    refuse(
        (depth is not None and not diff, "--depth goes with --diff"),
        (diff and closed, "--diff and --symbolic do not go together"),
        (closed and partial, "--partial is for modules, and --symbolic is not"),
        not_in_symbols(closed, convention),
    )
    if plot is not None and plot.suffix.lower() != ".png":
        raise OutputError(f"{plot}: a picture is a PNG: let its name end in .png")
    form = chosen_format(format_, file)
    refuse_taken(plot, None if on_stdout(file) else file, replace=force)
    chosen = gather(*targets, ablation=ablation)
    comparison = compare_targets(ablation=chosen, input=one_or_all(input_), batch=batch, partial=partial)
    for counted in comparison.counts if check else ():
        counted.refuse_partial(NOT_CHECKED)
    comparison = (comparison.inference if inference else comparison).under(convention)
    if symbolic is None:
        table = compare_table(comparison, exact=exact or form != "table")
        table, *more = _with_differences(table, comparison, depth, form) if diff else (table,)
        if comparison.published:
            more.insert(0, published_table(comparison))
    else:
        forms = _forms(chosen, symbolic, one_or_all(input_), comparison)
        table, more = compared_forms_table(comparison, forms), []
    if plot is not None:
        from costlab.report.pictures.bars import compare_picture

        write(plot, compare_picture(comparison).file(), replace=force)
    emit(table, form, file, force, more)
    tell_partial(comparison.counts)
    if check and not check_counts(comparison.counts, to_stderr=form != "table" and on_stdout(file)):
        sys.exit(1)


def _with_differences(
    table: Table, comparison: Comparison, depth: int | None, form: str
) -> tuple[Table, ...]:
    differences = difference_table(comparison, depth)
    if form == "csv":  # one table, and the sizes of the whole can be had without the differences
        return (differences,)
    records = [differences.record(row) for row in differences.rows]
    return (table._replace(facts=lambda: {**table.facts(), "differences": records}), differences)


def _forms(chosen: Ablation, names: str, input_: object, comparison: Comparison) -> tuple[ClosedForm, ...]:
    from costlab.symbolic.derive import closed_forms

    batch = comparison.baseline.batch
    with progress("deriving closed forms"):
        forms = closed_forms(ablation=chosen, symbols=names, input=input_, batch=batch)
    return forms if comparison.baseline.heads else tuple(form.inference for form in forms)

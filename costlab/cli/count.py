"""``costlab count``."""

import sys
from pathlib import Path

import click

from costlab.cli.output import chosen_format, emit, on_stdout, output_options
from costlab.counting.count import Count
from costlab.counting.count import count as count_target
from costlab.report.count import By, Order, count_table


@click.command(no_args_is_help=True, short_help="Count a network, module by module; --check proves it.")
@click.argument("target")
@click.option(
    "-i",
    "--input",
    "input_",
    metavar="CxHxW",
    help="Shape of the input, such as 3x299x299.  [default: the definition's]",
)
@click.option(
    "-b", "--batch", type=click.IntRange(min=1), default=1, show_default=True, help="Inputs at once."
)
@click.option(
    "-d", "--depth", type=click.IntRange(min=0), help="Depth of the module tree to show.  [default: 1]"
)
@click.option(
    "--by",
    type=click.Choice(["module", "kind"]),
    default="module",
    show_default=True,
    help="A row per module, or per kind of operation.",
)
@click.option(
    "-s",
    "--sort",
    type=click.Choice(["execution", "multiply-adds", "parameters", "activations", "name"]),
    default="execution",
    show_default=True,
    help="Order of the rows; sizes come largest first.",
)
@click.option("--inference", is_flag=True, help="Leave out auxiliary heads, which run in training only.")
@click.option("--check", is_flag=True, help="Build the module and hold the count against fvcore and torch.")
@output_options
def count(
    target: str,
    input_: str | None,
    batch: int,
    depth: int | None,
    by: By,
    sort: Order,
    inference: bool,
    check: bool,
    format_: str | None,
    file: Path | None,
    force: bool,
) -> None:
    """Count TARGET: parameters, multiply-adds and activations, module by module.

    TARGET is a name from `costlab list`, or file.py:attribute or package.module:attribute that holds a
    block or a function returning one. Parameters follow a colon: inception_v3:width=0.5,aux=true.

    Multiply-adds are those of convolution and linear weights, one per weight per output position;
    biases, normalization, activations and pooling are not in them. Activations are the elements that
    convolution and linear layers put out.

    With --check the exit status is 1 if any source disagrees or cannot be run.
    """
    if depth is not None and by == "kind":
        raise click.UsageError("--depth goes with --by module", click.get_current_context())
    counted = count_target(target, input_, batch=batch)
    if inference:
        counted = counted.inference
    table = count_table(counted, 1 if depth is None else depth, by, sort)
    form = chosen_format(format_, file)
    emit(table, form, file, force)
    if check and not _check(counted, to_stderr=form != "table" and on_stdout(file)):
        sys.exit(1)


def _check(counted: Count, to_stderr: bool) -> bool:
    """Run the cross-check with progress, print a line per source, and say whether all agreed."""
    from rich.console import Console

    terminal = Console(stderr=True)
    if terminal.is_terminal:
        with terminal.status("loading PyTorch and fvcore") as status:
            from costlab.tracing import check

            findings = check(counted, progress=lambda step: status.update(f"checking: {step}"))
    else:
        from costlab.tracing import check

        findings = check(counted, progress=lambda step: click.echo(f"checking: {step}", err=True))
    click.echo(err=to_stderr)
    for finding in findings:
        click.echo(str(finding), err=to_stderr)
    return all(finding.agreed for finding in findings)

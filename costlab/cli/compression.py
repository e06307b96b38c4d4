"""``costlab compression``."""

import click

from costlab.cli.inputs import TargetName, input_option, one_or_all
from costlab.cli.lazy import completes
from costlab.cli.tables import Output, output_options


@click.command(short_help="What is zero in the weights of a module, and how few bits they take.")
@click.argument("target", type=TargetName(), shell_complete=completes("target"))
@input_option("Shape of the input, such as 3x299x299.")
@click.option("-b", "--batch", type=click.IntRange(min=1), help="Inputs at once.  [default: 1]")
@click.option(
    "-d",
    "--depth",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Depth of the module tree to show.",
)
@output_options
def compression(
    target: str,
    input_: tuple[str, ...],
    batch: int | None,
    depth: int,
    out: Output,
) -> None:
    """Say what pruning and quantizing have left of TARGET: multiply-adds, parameters, bit operations, bytes.

    TARGET is a module of PyTorch with its weights, file.py:attribute, an exported program, .pt2, or a graph
    of ONNX, .onnx. Beside the dense count stands what is left where weights are zero, whole channels, N:M and
    unstructured zeros apart; bit operations are multiply-adds times the bits of both factors. A definition
    has no weights.
    """
    from costlab.cli.progress import progress
    from costlab.hardware.compression.compression import compression as compression_of
    from costlab.report.tables.compression import compression_tables

    with progress("looking at its weights"):
        told = compression_of(target, one_or_all(input_), batch=batch or 1)
        tables = compression_tables(told, depth)
    out.emit(*tables)

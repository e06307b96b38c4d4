"""``costlab count``."""

import functools
import sys

import click

from costlab.cli.convention import convention_option, not_in_symbols
from costlab.cli.inputs import (
    SymbolicCommand,
    TargetName,
    input_option,
    one_or_all,
    partial_option,
    refuse,
    symbolic_option,
)
from costlab.cli.lazy import completes
from costlab.cli.output import NOT_CHECKED, tell_partial
from costlab.cli.tables import Output, output_options
from costlab.counting.count import count as count_target
from costlab.report.tables.count import By, Order, count_table
from costlab.targets.torch_module import refuse_without_module


@click.command(
    cls=SymbolicCommand,
    short_help="Count a network, module by module; --check proves it.",
)
@click.argument("target", type=TargetName(), shell_complete=completes("target"))
@input_option("Shape of the input, such as 3x299x299.  [default: the definition's]")
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
    metavar="ORDER",
    help="Order of the rows: execution, name, or largest first multiply-adds (as the convention charges), "
    "parameters or activations.  [default: execution]",
)
@click.option("--inference", is_flag=True, help="Leave out auxiliary heads, which run in training only.")
@symbolic_option(
    "Show the closed form in NAMES, such as width or C,H,W: numeric parameters and sizes of the input.  "
    "[default: all sizes that can be symbols]"
)
@click.option("--backward", is_flag=True, help="Count a step of training: forward, and all gradients.")
@partial_option
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 1 if an operation has no rule or sizes, or data decides which runs.",
)
@click.option("--check", is_flag=True, help="Build the module and hold the count against fvcore and torch.")
@convention_option
@functools.partial(output_options, more=["netron"])
def count(
    target: str,
    input_: tuple[str, ...],
    batch: int,
    depth: int | None,
    by: By,
    sort: Order,
    inference: bool,
    symbolic: str | None,
    backward: bool,
    partial: bool,
    strict: bool,
    check: bool,
    convention: str,
    out: Output,
) -> None:
    """Count TARGET: parameters, multiply-adds (MACs) and activations, module by module.

    TARGET is a name from `costlab list`, or file.py:attribute or package.module:attribute that holds a
    block, a module of PyTorch, or a function returning one, or a file of a model: model.onnx, program.pt2.
    Parameters follow a colon: inception_v3:width=0.5,aux=true, torchvision.models:resnet50:num_classes=10.

    Multiply-adds are those of convolutions, linear layers and products of matrices; biases, normalization,
    activations and pooling are not in them. Activations are the elements that these layers and products put
    out.

    A module runs once, on data without values. Its inputs are given with their batch and, if they are not
    float32, their type: --input tokens:1x128:int64; or a function of yours makes them: --input file.py:name.
    Where it stops because what it does depends on the values of its data, as detectors do after their heads,
    --partial counts what ran up to there, and marks it: (partial).

    With --check the exit status is 1 if any source disagrees or cannot be run, but for what fvcore cannot
    follow in a module.
    """
    form = out.format
    closed = symbolic is not None
    refuse(
        (depth is not None and by == "kind", "--depth goes with --by module"),
        (closed and sort != "execution", "--sort does not go with --symbolic"),
        not_in_symbols(closed, convention),
        (closed and (backward or strict), "--backward and --strict do not go with --symbolic"),
        (closed and partial, "--partial is for modules, and --symbolic is not"),
        (closed and form == "netron", "--format netron does not go with --symbolic"),
        (
            form == "netron" and (by == "kind" or depth is not None or sort != "execution"),
            "--format netron holds all modules as they run: leave --by, --depth and --sort out",
        ),
        (backward and inference, "--inference is without what --backward counts: give one of them"),
    )
    deep = 1 if depth is None else depth
    if symbolic is None or check:
        counted = count_target(target, one_or_all(input_), batch=batch, backward=backward, partial=partial)
        if check:
            counted.refuse_partial(NOT_CHECKED)
            refuse_without_module(counted.root.block, counted.label, "--check")
        counted = (counted.inference if inference else counted).under(convention)
    if symbolic is None:
        table = count_table(counted, deep, by, sort)
    else:
        from costlab.cli.progress import progress
        from costlab.report.tables.closed_form import closed_form_table
        from costlab.symbolic.derive import closed_form

        with progress("deriving the closed form"):
            derived = closed_form(target, symbolic, input=one_or_all(input_), batch=batch)
        table = closed_form_table(derived.inference if inference else derived, deep, by)
    if form == "netron":
        from costlab.report.netron import attachment

        out.put(attachment(counted))
    else:
        out.emit(table)
    tell_partial([counted] if symbolic is None else [])
    if strict and symbolic is None and counted.unsupported:
        found = {
            "without a rule": counted.without_rule,
            "without sizes": counted.unsized,
            "both branches are counted": counted.undecided,
        }
        told = (f"{words}: {', '.join(kinds)}" for words, kinds in found.items() if kinds)
        click.echo(f"{counted.label}: {'; '.join(told)}", err=True)
        sys.exit(1)
    if check:
        from costlab.cli.checking import check_count

        if not check_count(counted, to_stderr=not out.shares_stdout):
            sys.exit(1)

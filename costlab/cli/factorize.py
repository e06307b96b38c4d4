"""``costlab factorize``."""

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from costlab.advise.factorize.scheme import SCHEMES
from costlab.algebra.percentage import percentage
from costlab.cli.device import device_option, devices_from_option
from costlab.cli.inputs import TargetName, input_option, one_or_all, refuse
from costlab.cli.lazy import completes
from costlab.cli.output import FilePath
from costlab.cli.tables import Output, output_options
from costlab.errors import DefinitionError, OutputError

if TYPE_CHECKING:
    from costlab.advise.factorize.plan import Plan
    from costlab.hardware.device import Device
    from costlab.hardware.saved_time import SavedTime

NUMBER = r"0?\.\d{1,15}"


class Share(click.ParamType[Fraction]):
    """A share between 0 and 1, exactly as it is typed: ``50%`` or ``0.5``."""

    name = "SHARE"
    wanted = "such as 50% or 0.5"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        share = percentage(value)
        if share is None:
            share = Fraction(str(value)) if re.fullmatch(NUMBER, str(value), re.ASCII) else Fraction(0)
        if not 0 < share < 1:
            self.fail(f"{value} is no share between 0 and 1, {self.wanted}", param, ctx)
        return share


class EndingPath(FilePath):
    """The path of a file of one kind, by the ending of its name."""

    def __init__(self, ending: str, kind: str) -> None:
        super().__init__()
        self.ending, self.kind = ending, kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = super().convert(value, param, ctx)
        if path.suffix.lower() != self.ending:
            raise OutputError(f"{path}: {self.kind}: let its name end in {self.ending}")
        return path


@click.command(short_help="What can stand in the place of a network's convolutions, and what that saves.")
@click.argument("target", type=TargetName(), shell_complete=completes("target"))
@input_option("Shape of the input, such as 3x299x299.  [default: the definition's]")
@click.option(
    "--by",
    type=click.Choice([*SCHEMES]),
    default=next(iter(SCHEMES)),
    show_default=True,
    help="What stands in the place of each.",
)
@click.option(
    "--saving",
    type=Share(),
    metavar="SHARE",
    help="How much of each convolution's multiply-adds is saved at least: 50% or 0.5.  "
    "[default: 50%; without a rank, anything]",
)
@click.option(
    "--rank", type=click.IntRange(min=1), metavar="R", help="The same rank for all, without --saving."
)
@click.option("--full", is_flag=True, help="For each the rank from which on it is exact, without --saving.")
@click.option(
    "--only",
    multiple=True,
    metavar="PATTERN",
    shell_complete=completes("convolution"),
    help="Replace those whose path, or a module around them, matches, such as 'layer1.*'; may be repeated.",
)
@click.option(
    "--weights",
    type=FilePath(),
    metavar="FILE.safetensors",
    help="Approximate these weights of TARGET, and say how far off that is.",
)
@click.option(
    "--save",
    type=EndingPath(".safetensors", "weights are written as safetensors"),
    metavar="FILE.safetensors",
    help="With --weights: write the weights of the network that comes out.",
)
@click.option(
    "--rewrite",
    type=EndingPath(".py", "what is written is Python"),
    metavar="FILE.py",
    help="Write the network that comes out, as code.",
)
@device_option("Bound the time on this device from below, before and after.")
@devices_from_option
@output_options
def factorize(
    target: str,
    input_: tuple[str, ...],
    by: str,
    saving: Fraction | None,
    rank: int | None,
    full: bool,
    only: tuple[str, ...],
    weights: Path | None,
    save: Path | None,
    rewrite: Path | None,
    device_name: str | None,
    devices_file: Path | None,
    out: Output,
) -> None:
    """Plan what stands in the place of each convolution of TARGET, and say what that saves, exactly.

    TARGET is a definition or a module of PyTorch, as for `costlab count`. Convolutions of two dimensions are
    replaced that are neither 1x1 nor grouped: 1xn+nx1 by a row and then a column, kxk+1x1 by fewer filters
    and a 1x1, tucker by a smaller kernel between two 1x1, 3x3-pairs by 3x3 that see as far, and separable by
    a depthwise one and a 1x1. The first three have a rank: the channels between.

    Weights that are approximated are a start for fine-tuning, and no trained network.
    """
    refuse(
        (saving is not None and rank is not None, "--saving and --rank say the same: give one of them"),
        (full and saving is not None, "--saving and --full say the same: give one of them"),
        (full and rank is not None, "--rank and --full say the same: give one of them"),
        (save is not None and weights is None, "--save goes with --weights"),
        (devices_file is not None and device_name is None, "--devices-from is for --device"),
        *(
            (given and not SCHEMES[by].has_rank, f"{name} does not go with --by {by}, which has no rank")
            for name, given in (("--rank", rank is not None), ("--full", full))
        ),
        (
            weights is not None and not SCHEMES[by].has_rank,
            f"--weights does not go with --by {by}, which begins with fresh weights",
        ),
    )
    from costlab.files import refuse_taken, write

    refuse_taken(rewrite, save, None if out.on_stdout else out.file, replace=out.force)
    from costlab.advise.factorize.factorize import factorize as plan_of
    from costlab.cli.progress import progress
    from costlab.hardware.device import device
    from costlab.report.tables.factorize import Told, all_in_one, factorize_tables

    on = None if device_name is None else device(device_name, devices_file)
    if on is not None:
        on.ridge("float32")  # says what is not known of it before anything is counted
    with progress("planning") as (show, live):
        plan = plan_of(target, one_or_all(input_), by=by, saving=saving, rank=rank, full=full, only=only)
        if not plan.replacements and (rewrite or save):
            raise DefinitionError(f"nothing is replaced in {plan.found.label}, so there is nothing to write")
        if live and weights is not None:
            show("taking the weights apart")
        errors = None if weights is None else dict(plan.errors(weights))
        told = Told(errors, None if on is None else _time(plan, on))
        files = [*_files(plan, weights, rewrite, save)]
    if out.format == "csv":
        tables = [all_in_one(plan, told)]
    else:
        tables = [*factorize_tables(plan, told, machine=out.format == "json" or bool(out.columns))]
    out.chosen(*tables)  # says what is wrong before anything is written
    for file, content in files:
        write(file, content, replace=out.force)
    out.emit(*tables)


def _files(
    plan: "Plan", weights: Path | None, rewrite: Path | None, save: Path | None
) -> Iterator[tuple[Path, str | bytes]]:
    """The files that are asked for, with their content."""
    if rewrite is not None:
        from costlab.advise.factorize.rewrite.code import rewrite_code

        yield rewrite, rewrite_code(plan, rewrite.name)
    if save is not None:
        from costlab.advise.factorize.saved import as_safetensors

        yield save, as_safetensors(plan.apply(weights))


def _time(plan: "Plan", on: "Device") -> "SavedTime":
    """Lower bounds on the time of the network of a plan, before and after.

    Raises:
        DefinitionError: a module is not counted as the plan says with the replacements in it.
    """
    if plan.found.block.takes_tensors:
        from costlab.advise.factorize.apply import refuse_other_counts

        refuse_other_counts(plan)
    from costlab.hardware.saved_time import saved_time

    return saved_time(plan.given, plan, on, input=plan.found.input)

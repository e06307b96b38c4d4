"""``costlab budget``."""

import functools
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

import click

from costlab.cli.convention import convention_option
from costlab.cli.inputs import input_option, one_or_all, refuse
from costlab.cli.lazy import completes
from costlab.cli.running import running_options
from costlab.cli.tables import Output, output_options
from costlab.errors import TargetError
from costlab.explore.budget import Outcome
from costlab.explore.budgets.limits import LIMITED, as_increase, as_limit, refuse_useless
from costlab.explore.budgets.project import Entry, find_project, held_entry, hold_all
from costlab.explore.quantities import PEAK_MEMORY
from costlab.explore.running import RUNNING
from costlab.files import working_folder
from costlab.report.tables.budget import FEW, budget_table, responsible_table, told, with_modules
from costlab.targets.project import FILE

R = TypeVar("R")
MEANT = {
    "multiply_adds": "multiply-adds (MACs)",
    "parameters": "parameters",
    "activations": "activations: elements that convolutions, linear layers and products put out",
    "bias_adds": "additions of a bias",
    "weights": "weights of convolutions and linear layers",
    "inputs": "elements that all operations read",
    "outputs": "elements that all operations put out",
    "scalings": "elements that normalizations multiply by a learned scale",
    "cost": "cost under --convention",
    PEAK_MEMORY: "bytes that are held at once, such as 16GiB or 16GB",
}


class Limit(click.ParamType[int]):
    """The largest size that is within the budget, exactly as it is typed."""

    name = "N"

    def __init__(self, quantity: str) -> None:
        self.quantity = quantity

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        return as_limit(_option(param), value, self.quantity)


class Increase(click.ParamType[Fraction]):
    """A percentage."""

    name = "PERCENT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        return as_increase(_option(param), value)


def _option(param: click.Parameter | None) -> str:
    return max(param.opts, key=len) if param else ""


def _hyphens(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def limit_options(command: Callable[..., R]) -> Callable[..., R]:
    """An option for each quantity; the command is given those that are limited as ``most``."""

    @functools.wraps(command)
    def with_limits(**given: Any) -> R:
        limits = {name: given.pop(f"max_{name}") for name in LIMITED}
        return command(most={name: limit for name, limit in limits.items() if limit is not None}, **given)

    wrapped: Callable[..., R] = with_limits
    for name in reversed(LIMITED):
        metavar = "BYTES" if name == PEAK_MEMORY else "N"
        option = click.option(
            _hyphens(f"max_{name}"), type=Limit(name), metavar=metavar, help=f"The most {MEANT[name]}."
        )
        wrapped = option(wrapped)
    return wrapped


@click.command(short_help="Hold networks against a budget, for a pull request; exit 1 if one is over.")
@click.argument("target", required=False, shell_complete=completes("target"))
@limit_options
@running_options
@click.option(
    "--against",
    metavar="REFERENCE",
    shell_complete=completes("target"),
    help="What it is compared with: another target, or a file that costlab count -f json wrote.",
)
@click.option(
    "--max-increase",
    type=Increase(),
    metavar="PERCENT",
    help="By how much multiply-adds (or the cost), parameters and activations may be more than in REFERENCE: "
    "1%, or 0% for not at all.",
)
@input_option("Shape of the input, such as 3x299x299.  [default: the definition's]")
@click.option(
    "-b", "--batch", type=click.IntRange(min=1), default=1, show_default=True, help="Inputs at once."
)
@click.option("--inference", is_flag=True, help="Leave out auxiliary heads, which run in training only.")
@click.option(
    "--strict",
    is_flag=True,
    help="Be over, too, if an operation has no rule or sizes, or data decides which runs.",
)
@convention_option
@output_options
def budget(
    target: str | None,
    most: dict[str, int],
    against: str | None,
    max_increase: Fraction | None,
    input_: tuple[str, ...],
    batch: int,
    inference: bool,
    strict: bool,
    convention: str,
    running: dict[str, Any],
    out: Output,
) -> None:
    """Hold TARGET against the limits that are given, or without TARGET all budgets of the project.

    TARGET is what `costlab count` takes. Limits are whole numbers: 6e9, 6_000_000_000, 6G or 25M; of peak
    memory bytes, 16GiB, of a forward pass or, with --train, of a step of training.

    The budgets of a project stand in its pyproject.toml, in the folder where you are or the nearest above
    that has some, as [tool.costlab.budget.NAME] with target, input, max-multiply-adds and so on.

    The exit status is 1 if anything is over its limit, and the modules are named that are responsible; it is
    2 if a target cannot be counted, after all others were.
    """
    if target is None:
        refuse((_given(), f"give a TARGET with these options; without one, the limits are those of {FILE}"))
        outcomes, source = hold_all(find_project(working_folder())), FILE
    else:
        refuse_useless(most, against, max_increase, convention, _hyphens, running, inference=inference)
        shape = one_or_all(input_)
        entry = Entry(
            target, target, most, shape, batch, inference, convention, against, max_increase, strict, running
        )
        held = held_entry(entry)
        outcomes, source = (Outcome(held.count.label, held.count.label, held),), ""
    _show(outcomes, source, out)
    _refuse_failures([outcome for outcome in outcomes if outcome.budget is None])
    if any(outcome.budget and not outcome.budget.within for outcome in outcomes):
        sys.exit(1)


def _refuse_failures(failed: list[Outcome]) -> None:
    """Name what could not be counted, in a line; of several, each has a line of its own before."""
    told = [f"{outcome.name}: {outcome.failure}" for outcome in failed]
    if len(told) > 1:
        for line in told:
            click.echo(line, err=True)
        raise TargetError(f"{len(told)} could not be counted: {', '.join(each.name for each in failed)}")
    if told:
        raise TargetError(told[0])


def _given() -> bool:
    """Whether an option is given that is of one target."""
    context = click.get_current_context()
    ours = ("against", "max_increase", "input_", "batch", "inference", "strict", "convention")
    return any(
        context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        for name in (*ours, *RUNNING, *(f"max_{quantity}" for quantity in LIMITED))
    )


def _show(outcomes: tuple[Outcome, ...], source: str, out: Output) -> None:
    """Print the tables, and on standard error what is over if the tables go elsewhere."""
    if out.format == "csv":
        out.emit(with_modules(outcomes, source))
    else:
        modules = responsible_table(outcomes, source, None if out.format == "json" else FEW)
        shown = [modules] if modules.rows or out.columns or out.format == "json" else []
        out.emit(budget_table(outcomes, source), *shown)
    if not (out.format == "table" and out.on_stdout):
        for outcome in outcomes:
            for line in told(outcome):
                click.echo(line, err=True)

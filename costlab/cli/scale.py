"""``costlab scale``."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

import click

from costlab.cli.convention import as_option, convention_option
from costlab.cli.inputs import TargetName, refuse
from costlab.cli.lazy import completes
from costlab.cli.tables import Output, output_options
from costlab.errors import DefinitionError

F = TypeVar("F", bound=Callable[..., object])
COEFFICIENTS = {"alpha": 1.2, "beta": 1.1, "gamma": 1.15}


class Amount(click.ParamType[int | Fraction]):
    """A number as people type it, 5e9 or 5G."""

    name = "NUMBER"
    wanted = "such as 5e9 or 5G"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | Fraction:
        from costlab.explore.amount import amount

        return amount(str(value), max(param.opts, key=len) if param else "")


class QuantityName(click.ParamType[str]):
    """A quantity of a count, with hyphens or underscores."""

    name = "QUANTITY"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from costlab.explore.scaling.subject import as_quantity

        try:
            return as_quantity(value)
        except DefinitionError as error:
            self.fail(str(error), param, ctx)


def _coefficient(name: str, of: str) -> Callable[[F], F]:
    return click.option(
        f"--{name}",
        type=Amount(),
        help=f"With --compound: what one more phi multiplies {of} by.  [default: {COEFFICIENTS[name]}]",
    )


@click.command(short_help="The largest network of a family within a budget, exactly.")
@click.argument("target", type=TargetName(), shell_complete=completes("target"))
@click.option("--to", "budget", type=Amount(), required=True, help="The budget, such as 5e9 or 25M.")
@click.option(
    "--of",
    type=QuantityName(),
    shell_complete=completes("quantity"),
    help="What the budget is for: multiply-adds, parameters, activations or another quantity of a count, or "
    "cost with --convention.  [default: multiply-adds; with --convention: cost]",
)
@click.option(
    "--axis",
    metavar="AXIS",
    shell_complete=completes("axis"),
    help="What is scaled: a parameter that is a number, input, or depth.  [default: width, else the first "
    "multiplier, else input]",
)
@click.option(
    "--compound", is_flag=True, help="Scale depth, width and input together, by the rule of EfficientNet."
)
@_coefficient("alpha", "the depth")
@_coefficient("beta", "the width")
@_coefficient("gamma", "the input's side")
@click.option(
    "-i",
    "--input",
    "input_",
    metavar="SIZES",
    help="Shape of the input, such as 3x299x299.  [default: the definition's]",
)
@click.option(
    "-b", "--batch", type=click.IntRange(min=1), default=1, show_default=True, help="Inputs at once."
)
@click.option("--inference", is_flag=True, help="Leave out auxiliary heads, which run in training only.")
@convention_option
@output_options
def scale(
    target: str,
    budget: int | Fraction,
    of: str | None,
    axis: str | None,
    compound: bool,
    alpha: int | Fraction | None,
    beta: int | Fraction | None,
    gamma: int | Fraction | None,
    input_: str | None,
    batch: int,
    inference: bool,
    convention: str,
    out: Output,
) -> None:
    """Find the largest network of TARGET within a budget, on one axis of it, and on each other.

    TARGET is a definition: a name from `costlab list`, file.py:definition or package.module:definition.
    Settings after a colon stay: inception_v3:aux=true,n=5.

    An axis is a parameter annotated as Ratio, Dim or int; input, the side of a square input; or depth, one
    factor of all parameters that say how often a part is repeated, rounded up. The first row is what was
    asked for: the largest network within the budget, all numbers that give it, and the next one above. The
    other rows say what each other axis would have to be.

    With --compound depth, width and input are scaled together, by alpha^phi, beta^phi and gamma^phi.
    """
    from costlab.cli.progress import progress
    from costlab.explore.scale import scale_to
    from costlab.explore.scaling.compound import Compound
    from costlab.report.tables.scale import scale_table

    given = {
        name: float(value)
        for name, value in (("alpha", alpha), ("beta", beta), ("gamma", gamma))
        if value is not None
    }
    refuse(
        (compound and axis is not None, "--axis does not go with --compound, which scales three together"),
        (bool(given) and not compound, f"--{next(iter(given), '')} is for --compound"),
    )
    rule = Compound(**given) if compound else None
    with progress("looking for the largest"):
        scaled = scale_to(
            target,
            budget,
            of,
            axis if rule is None else rule,
            input=input_,
            batch=batch,
            inference=inference,
            convention=convention,
        )
        others = scaled.alternatives
    options: list[str] = []
    if batch > 1:
        options += ["--batch", str(batch)]
    if inference:
        options.append("--inference")
    if (name := as_option(convention)) is not None:
        options += ["--convention", name]
    out.emit(scale_table(scaled, others, options, rule))

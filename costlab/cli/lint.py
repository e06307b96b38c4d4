"""``costlab lint``."""

import sys
from pathlib import Path

import click

from costlab.cli.inputs import TargetName, input_option, one_or_all
from costlab.cli.lazy import completes
from costlab.cli.output import FilePath
from costlab.cli.tables import ColumnNames, Output, output_options


class RuleNames(ColumnNames):
    """Names of rules, with commas between."""

    name = "RULES"


@click.command(short_help="Bottlenecks, blunt reductions and large kernels of a network, as a linter.")
@click.argument("target", type=TargetName(), shell_complete=completes("target"))
@input_option("Shape of the input, such as 3x299x299.  [default: the definition's]")
@click.option("--strict", is_flag=True, help="Exit with 1 if there is a warning.")
@click.option(
    "--select",
    type=RuleNames(),
    metavar="RULES",
    shell_complete=completes("rule"),
    help="Look for these rules alone, called a,b,c, or ALL; what the file selects and ignores is left out.",
)
@click.option(
    "--ignore",
    type=RuleNames(),
    metavar="RULES",
    shell_complete=completes("rule"),
    help="Silence these rules, beside those that the file ignores.",
)
@click.option(
    "--config",
    type=FilePath(),
    metavar="FILE.toml",
    help="Read [tool.costlab.lint] of this file.  [default: the nearest pyproject.toml that has some]",
)
@output_options
def lint(
    target: str,
    input_: tuple[str, ...],
    strict: bool,
    select: tuple[str, ...] | None,
    ignore: tuple[str, ...] | None,
    config: Path | None,
    out: Output,
) -> None:
    """Say what the paper's design principles say of TARGET: where it is pinched, bluntly reduced, or large.

    TARGET is a definition or a module of PyTorch, as for `costlab count`. The rules are pinch,
    pool-before-expansion, convolution-before-pool and large-kernel; each finding comes with its numbers, the
    section of the paper, and the change that would answer it. What is a matter of balance is shown below, and
    never warned of.

    Findings are silenced in [tool.costlab.lint] of the nearest pyproject.toml that has some: select, ignore,
    per-module-ignores and expensive-share.
    """
    from costlab.advise.lint.configuration import find_configuration, read_configuration
    from costlab.advise.lint.lint import lint as lint_of
    from costlab.cli.progress import progress
    from costlab.files import working_folder
    from costlab.report.tables.lint import lint_tables, told

    given = find_configuration(working_folder()) if config is None else read_configuration(config)
    wanted = given.but(select, ignore or ())
    with progress("following what feeds what"):
        found = lint_of(target, one_or_all(input_), **wanted.options)
    out.emit(*lint_tables(found, wanted.file))
    if strict and found.warnings:
        if not (out.format == "table" and out.on_stdout):
            for each in found.warnings:
                click.echo(told(each.path, each.severity, each.rule, each.message), err=True)
        sys.exit(1)

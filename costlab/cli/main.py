"""The ``costlab`` command."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from costlab import __version__
from costlab.cli.count import count
from costlab.cli.list import list_
from costlab.errors import CostlabError

MISTAKE = 2
BUG = 70
INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="costlab")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(**_: Any) -> None:
    """The cost of convolutional networks, counted exactly and checked against what runs."""


cli.add_command(count)
cli.add_command(list_)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command; say what is wrong in one line.

    Exits with 0 when all is well, 1 when a check failed, 2 for a mistake of the user's, 70 for a bug.
    """
    given = sys.argv[1:] if args is None else list(args)
    debug = "--debug" in given
    try:
        sys.exit(cli.main(given, prog_name="costlab", standalone_mode=False) or 0)
    except click.Abort:
        _fail("interrupted", INTERRUPTED)
    except click.UsageError as error:
        where = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        _fail(error.format_message() + where, MISTAKE)
    except (CostlabError, click.ClickException) as error:
        if debug:
            raise
        _fail(error.format_message() if isinstance(error, click.ClickException) else str(error), MISTAKE)
    except Exception as error:
        if debug:
            raise
        _fail(f"a bug in costlab: {type(error).__name__}: {error} (costlab --debug ... shows where)", BUG)


def _fail(message: str, code: int) -> None:
    click.echo(f"costlab: error: {' '.join(message.split())}", err=True)
    sys.exit(code)

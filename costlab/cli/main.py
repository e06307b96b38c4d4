"""The ``costlab`` command."""

import errno
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import takewhile
from typing import Any, NoReturn

import click

from costlab import __version__
from costlab.cli.lazy import LazyCommands
from costlab.errors import CostlabError, one_line
from costlab.messages import harmless, shortened

MISTAKE = 2
BUG = 70
INTERRUPTED = 130
LONGEST = 500
"""The most characters of a message: names that are typed, and what code raises, have any length."""
_asked_to_end: list[int] = []
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


COMMANDS = LazyCommands(
    count="costlab.cli.count:count",
    compare="costlab.cli.compare:compare",
    reconcile="costlab.cli.reconcile:reconcile_",
    verify="costlab.cli.verify:verify",
    train="costlab.cli.train:train",
    report="costlab.cli.report:report",
    list="costlab.cli.list:list_",
)


@click.group(commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="costlab")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(**_: Any) -> None:
    """The cost of convolutional networks, counted exactly and checked against what runs."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command; an error is printed in one line.

    Exits with 0 when all is well, 1 when a check failed, 2 for a mistake of the user's, 70 for a bug.
    """
    if args is None:
        _prepare_process()
    arguments = sys.argv[1:] if args is None else list(args)
    debug = "--debug" in takewhile(lambda word: word.startswith("-"), arguments)
    try:
        sys.exit(cli.main(arguments, prog_name="costlab", standalone_mode=False) or 0)
    except click.Abort:
        _fail("interrupted", INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(MISTAKE)
    except click.UsageError as error:
        where = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        _fail(error.format_message() + where, MISTAKE)
    except click.ClickException as error:
        _fail(error.format_message(), MISTAKE, debug)
    except CostlabError as error:
        _fail(str(error), MISTAKE, debug)
    except Exception as error:
        if _asked_to_end:  # what an import makes of it, say
            _fail("interrupted", INTERRUPTED)
        if isinstance(error, OSError) and error.errno in UNWRITABLE and error.filename is None:
            _abandon_output()
            _fail(f"standard output cannot be written: {error.strerror}", MISTAKE, debug)
        mistake = _mistake(error)
        bug = f"a bug in costlab: {one_line(error)} (costlab --debug ... shows where)"
        _fail(mistake or bug, MISTAKE if mistake else BUG, debug)


def _fail(message: str, code: int, debug: bool = False) -> NoReturn:
    if debug:
        from traceback import print_exc

        print_exc()
    click.echo(f"costlab: error: {shortened(one_line(harmless(message)), LONGEST)}", err=True)
    sys.exit(code)


def _mistake(error: Exception) -> str:
    """What is wrong with what the user gave, where an unexpected error comes from that; else empty."""
    if isinstance(error, RecursionError):
        return "what was named is nested too deeply, or holds itself"
    if isinstance(error, MemoryError):
        return "there is not enough memory for this"
    code: Any = sys.modules.get("costlab.targets.user_code")  # there is none of the user's without it
    place = code and code.users_place(error)
    return f"{one_line(error)} ({place[0].name}, line {place[1]})" if place else ""


def _prepare_process() -> None:
    """End as other commands do when a pipe is closed; print what the terminal lacks in escapes.

    A request to end is taken as an interrupt, so that no half-written file is left behind.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    for ending in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, ending, None)
        if number and signal.getsignal(number) is signal.SIG_DFL:  # nohup has it ignored
            signal.signal(number, _interrupt)
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _interrupt(number: int, _: object) -> NoReturn:
    _asked_to_end.append(number)
    raise KeyboardInterrupt


def _abandon_output() -> None:
    """Keep Python from writing again, at exit, what could not be written."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""The ``costlab`` command."""

import os
import sys
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any, TypeVar

import click

from costlab import __version__, interrupts
from costlab.cli.lazy import LazyCommands, completes
from costlab.cli.streams import mend_streams
from costlab.errors import CostlabError, one_line
from costlab.messages import harmless, shortened

F = TypeVar("F", bound=Callable[..., Any])
MISTAKE = 2
BUG = 70
COMPLETE = "_COSTLAB_COMPLETE"
"""What a shell sets in order to ask for completions."""
LONGEST = 1_500
"""The most characters of a message: names that are typed, and what code raises, have any length."""


COMMANDS = LazyCommands(
    budget="costlab.cli.budget:budget",
    count="costlab.cli.count:count",
    compare="costlab.cli.compare:compare",
    compression="costlab.cli.compression:compression",
    scale="costlab.cli.scale:scale",
    reconcile="costlab.cli.reconcile:reconcile_",
    verify="costlab.cli.verify:verify",
    measure="costlab.cli.measure:measure",
    train="costlab.cli.train:train",
    explore="costlab.cli.explore:explore",
    roofline="costlab.cli.roofline:roofline_",
    report="costlab.cli.report:report",
    list="costlab.cli.list:list_",
    lint="costlab.cli.lint:lint",
    factorize="costlab.cli.factorize:factorize",
    memory="costlab.cli.memory:memory",
    **{"training-cost": "costlab.cli.training_cost:training_cost"},
)


class Group(click.Group):
    """The commands. For an interrupt click would print an empty line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            raise click.Abort from interrupt


def _complete(context: click.Context, parameter: click.Parameter, shell: str | None) -> None:
    """Tell a shell to complete, or show the script that does; nothing if neither is asked."""
    if shell is None or context.resilient_parsing:
        return
    from costlab.cli import install_completion

    if parameter.name == "install_completion":
        install_completion.print_installed(shell)
    else:
        install_completion.print_script(shell)
    context.exit()


def _completion(name: str, help_text: str) -> Callable[[F], F]:
    """An option that is given with a shell, or without for the one that it is typed in."""
    return click.option(
        name,
        is_flag=False,
        flag_value="",
        metavar="[bash|zsh|fish]",
        is_eager=True,
        expose_value=False,
        callback=_complete,
        shell_complete=completes("shell"),
        help=help_text,
    )


@click.group(cls=Group, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="costlab")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@_completion("--install-completion", "Tell your shell to complete costlab's words, from its next start on.")
@_completion("--show-completion", "Print the script that does, for a place of your own.")
def cli(**_: Any) -> None:
    """The cost of convolutional networks, counted exactly and checked against what runs."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command; an error is printed in one line.

    Exits with 0 when all is well, 1 when a check failed, 2 for a mistake of the user's, 70 for a bug, 130
    when it was interrupted. Without ``args`` it is the command of this process, with its signals and streams.
    """
    if args is not None:
        sys.exit(_run(list(args)))
    interrupts.take_requests()
    try:
        mend_streams()
        status = _run(sys.argv[1:])
        interrupts.done(status)
    except KeyboardInterrupt as interrupt:  # while an error was told
        status = _tell_interrupted(interrupt)
    if status == interrupts.STATUS:
        interrupts.leave()
    sys.exit(status)


def _run(arguments: list[str]) -> int:
    """Run the command, and print its error; returns the exit status."""
    debug = "--debug" in takewhile(lambda word: word.startswith("-"), arguments)
    try:
        if request := os.environ.get(COMPLETE):
            from costlab.cli.completion import register

            register(request)
        return cli.main(arguments, prog_name="costlab", standalone_mode=False) or 0
    except (Exception, SystemExit) as error:
        # what a request to end raises, others may turn into any error
        if interrupts.are_taken() or isinstance(error, click.Abort):
            return _tell_interrupted(error)
        try:
            return _tell(error, debug)
        except CostlabError as unwritable:  # standard output, on which a help is printed
            return _tell(unwritable, debug)


def _tell(error: Exception | SystemExit, debug: bool) -> int:
    """Print an error in one line; returns the exit status."""
    match error:
        case SystemExit():
            return error.code if isinstance(error.code, int) else int(error.code is not None)
        case click.exceptions.NoArgsIsHelpError():
            click.echo(error.format_message(), err=True)
            return MISTAKE
        case click.UsageError():
            from costlab.cli.mistakes import told

            message, status = told(error), MISTAKE
        case click.ClickException():
            message, status = error.format_message(), MISTAKE
        case CostlabError():
            message, status = str(error), MISTAKE
        case _ if mistake := _mistake(error):
            message, status = mistake, MISTAKE
        case _:
            message, status = f"a bug in costlab: {one_line(error)} (costlab --debug ... shows where)", BUG
    if debug and not isinstance(error, click.UsageError):
        from traceback import print_exception

        print_exception(error)
    click.echo(f"costlab: error: {shortened(one_line(harmless(message)), LONGEST)}", err=True)
    return status


def _mistake(error: Exception) -> str:
    """What is wrong with what the user gave, where an unexpected error comes from that; else empty."""
    if isinstance(error, RecursionError):
        return "what was named is nested too deeply, or holds itself"
    if isinstance(error, MemoryError):
        return "there is not enough memory for this"
    code: Any = sys.modules.get("costlab.targets.user_code")  # there is none of the user's without it
    place = code and code.users_place(error)
    return f"{one_line(error)} ({place[0].name}, line {place[1]})" if place else ""


def _tell_interrupted(error: BaseException) -> int:
    """Print in one line that the command was interrupted, and how to go on if that was noted."""
    interrupts.done(interrupts.STATUS)
    notes: list[str] = []
    cause: BaseException | None = error
    while cause is not None and not notes:
        notes, cause = getattr(cause, "__notes__", []), cause.__context__
    if not interrupts.by_pipe():
        click.echo(": ".join((interrupts.MESSAGE, *notes)), err=True)
    return interrupts.STATUS

"""Options that name conventions, shared by all commands."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from costlab.cli.lazy import completes
from costlab.counting.row import DEFAULT

F = TypeVar("F", bound=Callable[..., object])


class ConventionName(click.ParamType[str]):
    """The name of a convention; the help lists them without reading them."""

    name = "NAME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value == DEFAULT:
            return DEFAULT
        from costlab.counting.convention import known  # what knows the others is loaded for them

        return known(str(value))


def convention_option(command: F) -> F:
    """``--convention NAME``: the convention of a count."""
    return click.option(
        "--convention",
        type=ConventionName(),
        default=DEFAULT,
        show_default=True,
        metavar="NAME",
        shell_complete=completes("convention"),
        help="Charge as a tool does: flops, fvcore, thop and others; costlab list --conventions shows them.",
    )(command)


def explain_option(command: F) -> F:
    """``--explain A B``: the two conventions to compare."""
    return click.option(
        "--explain",
        nargs=2,
        type=ConventionName(),
        metavar="A B",
        shell_complete=completes("convention"),
        help="Say for each term why two conventions differ, such as fvcore thop.",
    )(command)


def conventions_option(command: F) -> F:
    """``--conventions``: list the conventions."""
    return click.option("--conventions", is_flag=True, help="List what --convention takes.")(command)


def not_in_symbols(closed: bool, convention: str) -> tuple[bool, str]:
    """A rule for `refuse`: closed forms are in multiply-adds only."""
    wrong = "--convention does not go with --symbolic, which is in multiply-adds"
    return closed and convention != DEFAULT, wrong


def as_option(convention: str) -> str | None:
    """The value of ``--convention`` in a command for this convention; None for multiply-adds."""
    return None if convention == DEFAULT else convention

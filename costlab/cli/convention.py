"""``--convention``: what is charged for each operation, shared by the commands that show costs."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


class ConventionName(click.ParamType[str]):
    """The name of a convention; the help lists them without reading them."""

    name = "NAME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from costlab.counting.convention import known

        return known(str(value))


def convention_option(command: F) -> F:
    """``--convention``."""
    return click.option(
        "--convention",
        "priced",
        type=ConventionName(),
        default="multiply_adds",
        show_default=True,
        metavar="NAME",
        help="Charge as a tool does: flops, fvcore, thop and others; costlab list --conventions shows them.",
    )(command)

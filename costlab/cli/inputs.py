"""``--input``: what is counted at, shared by the commands that count."""

from collections.abc import Callable
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


def input_option(told: str) -> Callable[[F], F]:
    """``--input``, repeatable for modules that take several."""
    return click.option(
        "-i",
        "--input",
        "input_",
        metavar="[NAME:]SIZES[:TYPE]",
        multiple=True,
        help=f"{told} Of a module, once for each, in order or by name.",
    )


def one_or_all(given: tuple[str, ...]) -> str | tuple[str, ...] | None:
    """The input, if one is given; several; or nothing."""
    return given[0] if len(given) == 1 else given or None

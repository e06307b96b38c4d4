"""``--partial``, and what is said where a run stopped."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from costlab.counting.count import Count

F = TypeVar("F", bound=Callable[..., object])
NOT_CHECKED = "--check is for the whole"


def partial_option(command: F) -> F:
    """``--partial``: count a module up to where its data stops it."""
    return click.option(
        "--partial",
        is_flag=True,
        help="Where a module stops because of its data, count what ran up to there, and mark it.",
    )(command)


def tell_partial(counts: "Iterable[Count]") -> None:
    """Say on standard error of each count that it is partial, where it is."""
    for counted in counts:
        if counted.partial:
            click.echo(f"{counted.label}: counted in part: {counted.partial}", err=True)

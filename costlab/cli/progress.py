"""Progress of long work, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress(first: str) -> Iterator[tuple[Callable[[str], None], bool]]:
    """Where steps are told, and whether that is one line that changes, on a terminal.

    ``first`` is shown on a terminal until the first step.
    """
    from rich.console import Console

    terminal = Console(stderr=True)
    if terminal.is_terminal:
        with terminal.status(first) as status:
            yield status.update, True
    else:
        yield (lambda step: click.echo(step, err=True)), False

"""Progress of long work, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

PATIENCE, OFTEN, SELDOM = 1.0, 0.1, 10.0
"""Seconds: before anything is said of the progress, between updates of a line, and between lines."""


@contextmanager
def progress(first: str) -> Iterator[tuple[Callable[[str], None], bool]]:
    """A function to call with each step, and whether it updates a line on a terminal, or prints lines.

    ``first`` is shown on a terminal until the first step.
    """
    from rich.console import Console

    terminal = Console(stderr=True)
    if terminal.is_terminal:
        with terminal.status(first) as status:
            yield status.update, True
    else:
        yield (lambda step: click.echo(step, err=True)), False


@contextmanager
def steps(total: int) -> Iterator[tuple[Callable[[str], None], Callable[[str], None]]]:
    """Two functions: one to call with the current part of the work, one with each of ``total`` steps done.

    On a terminal they update a bar; elsewhere the second prints a line.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.table import Column

    terminal = Console(stderr=True)
    if not terminal.is_terminal:
        yield (lambda _: None), lambda step: click.echo(f"done: {step}", err=True)
        return
    whole = Column(no_wrap=True, min_width=12)
    rest = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    with Progress(
        BarColumn(12, table_column=whole),
        MofNCompleteColumn(table_column=Column(no_wrap=True, min_width=5)),
        TextColumn("{task.description}", markup=False, table_column=rest),
        console=terminal,
        expand=True,
        transient=True,
    ) as bar:
        task = bar.add_task("", total=total)
        yield (lambda part: bar.update(task, description=part)), lambda _: bar.advance(task)


class Sharing:
    """Called with what is being done, and the share of it that is done, as often as one likes.

    On a terminal a line says it from the first second on; elsewhere one is printed every ten seconds.
    """

    def __init__(self) -> None:
        from time import monotonic

        from rich.console import Console

        console = Console(stderr=True)
        self._now = monotonic
        self._begun = self._told = monotonic()
        self._line = console.status("") if console.is_terminal else None

    def __call__(self, doing: str, share: float) -> None:
        now = self._now()
        often = SELDOM if self._line is None else OFTEN
        if now - self._begun < PATIENCE or now - self._told < often:
            return
        self._told = now
        told = f"{doing}: {share:.0%}" if share else doing
        if self._line is None:
            click.echo(told, err=True)
        else:
            self._line.update(told)
            self._line.start()

    def hide(self) -> None:
        """Take the line away, so that something else can be printed; what is told next shows it again."""
        if self._line is not None:
            self._line.stop()


@contextmanager
def sharing() -> Iterator[Sharing]:
    """Something to tell of progress, which leaves no line of it behind."""
    told = Sharing()
    try:
        yield told
    finally:
        told.hide()

"""Where results go: the options shared by every command that prints a table."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from costlab.errors import OutputError
from costlab.interrupts import look_again
from costlab.messages import named
from costlab.report.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from costlab.counting.count import Count

F = TypeVar("F", bound=Callable[..., object])
NOT_CHECKED = "--check is for the whole"
FORMATS = ("table", "csv", "json", "markdown", "latex")
SUFFIXES = {
    "": "table",
    ".txt": "table",
    ".csv": "csv",
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".tex": "latex",
}


class FolderPath(click.Path):
    """The path of a folder; what knows paths is loaded when one is given."""

    wanted = "a folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Path":
        from pathlib import Path

        name = os.fsdecode(value)
        if not name or "\0" in name:  # which the system would not look up
            self.fail(f"{named(name)} is no name: name {self.wanted}", param, ctx)
        return Path(os.fsdecode(super().convert(value, param, ctx)))


class FilePath(FolderPath):
    """The path of a file, or ``-``."""

    wanted = "a file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Path":
        if str(value).endswith(os.sep):
            self.fail(f"{value} is a folder: name a file", param, ctx)
        return super().convert(value, param, ctx)


def output_options(command: F, more: Sequence[str] = ()) -> F:
    """``--format``, ``-o`` and ``--force``; ``more`` are formats of the command's own."""
    for option in (
        click.option("--force", is_flag=True, help="Replace files that exist."),
        click.option(
            "-o",
            "--output",
            "file",
            type=FilePath(allow_dash=True),
            help="Write to FILE instead of the terminal, whole or not at all.",
            metavar="FILE",
        ),
        click.option(
            "-f",
            "--format",
            "format_",
            type=click.Choice([*FORMATS, *more]),
            help="Form of the output.  [default: by the ending of -o's FILE, else table]",
        ),
    ):
        command = option(command)
    return command


def chosen_format(format_: str | None, file: "Path | None") -> str:
    """The format that was asked for, or that of the file's suffix.

    Raises:
        OutputError: none was asked for, and the suffix is unknown.
    """
    suffix = file.suffix.lower() if file else ""
    if format_ is None and suffix not in SUFFIXES:
        raise OutputError(f"{file}: the ending {suffix} names no format; give --format as well")
    return format_ or SUFFIXES[suffix]


def on_stdout(file: "Path | None") -> bool:
    """Whether the result goes to standard output."""
    if file is None or str(file) == "-":
        return True
    from costlab.files import descriptor

    return descriptor(file) == 1


def colored() -> bool:
    """Whether standard output shows colors: it is a terminal, and colors are not turned off."""
    return (
        sys.stdout is not None
        and sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )


def emit(table: Table, format_: str, file: "Path | None", force: bool, more: Sequence[Table] = ()) -> None:
    """Print the table, or write it to the file; in formats for people, ``more`` tables follow it.

    Raises:
        OutputError: the file exists and ``force`` is not given, or cannot be written.
    """
    match format_:
        case "csv":
            content = table.to_csv()
        case "json":
            content = table.to_json()
        case "markdown":
            content = "\n".join(part.to_markdown() for part in (table, *more))
        case "latex":
            content = "\n".join(part.to_latex() for part in (table, *more))
        case _:
            show = as_text if on_stdout(file) else Table.to_text
            content = "\n".join(show(part) for part in (table, *more))
    put(content, file, force)


def put(content: str, file: "Path | None", force: bool) -> None:
    """Print the content, or write it to the file.

    Raises:
        OutputError: the file exists and ``force`` is not given, or cannot be written.
    """
    if file is not None and not on_stdout(file):
        from costlab.files import write

        write(file, content, replace=force)
    else:
        look_again()
        click.echo(content, nl=False)


def tell_partial(counts: "Iterable[Count]") -> None:
    """Say on standard error of each count that it is partial, where it is."""
    for counted in counts:
        if counted.partial:
            click.echo(f"{counted.label}: counted in part: {counted.partial}", err=True)


def as_text(table: Table) -> str:
    """The table as this terminal can show it; through a pipe, as wide as it needs, without color."""
    width = None
    if sys.stdout is not None and sys.stdout.isatty():
        from shutil import get_terminal_size

        width = get_terminal_size().columns
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    return table.to_text(
        width,
        color=colored(),
        unicode=encoding.startswith("utf"),
    )

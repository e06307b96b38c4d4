"""Where results go: files and streams."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from costlab.errors import OutputError
from costlab.interrupts import look_again
from costlab.messages import named
from costlab.report.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from costlab.counting.count import Count

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


class PicturePath(FilePath):
    """The path of a picture to draw."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Path":
        path = super().convert(value, param, ctx)
        if path.suffix.lower() != ".png":
            raise OutputError(f"{path}: a picture is a PNG: let its name end in .png")
        return path


class DocumentPath(FilePath):
    """The path of a page of HTML to write, or ``-``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Path":
        path = super().convert(value, param, ctx)
        if path.suffix.lower() not in (".html", ".htm") and not on_stdout(path):
            raise OutputError(f"{path}: a page is HTML: let its name end in .html")
        return path


def chosen_format(format_: str | None, file: "Path | None", more: Sequence[str] = ()) -> str:
    """The format that was asked for, or that of the file's suffix; ``more`` are formats of a command's own.

    Raises:
        OutputError: none was asked for, and the suffix is unknown.
    """
    suffix = file.suffix.lower() if file else ""
    known = {**SUFFIXES, **{f".{name}": name for name in more}}
    if format_ is None and suffix not in known:
        raise OutputError(f"{file}: the ending {suffix} names no format; give --format as well")
    return format_ or known[suffix]


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

"""Where results go: the options shared by every command that prints a table."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from costlab.report.files import write
from costlab.report.table import Table

F = TypeVar("F", bound=Callable[..., object])
FORMATS = ("table", "csv", "json", "markdown")
SUFFIXES = {".csv": "csv", ".json": "json", ".md": "markdown"}


def output_options(command: F) -> F:
    """``--format``, ``-o`` and ``--force``."""
    for option in (
        click.option("--force", is_flag=True, help="Let -o replace a file that exists."),
        click.option(
            "-o",
            "--output",
            "file",
            type=click.Path(path_type=Path, allow_dash=True),
            help="Write to FILE instead of the terminal, whole or not at all.",
            metavar="FILE",
        ),
        click.option(
            "-f",
            "--format",
            "format_",
            type=click.Choice(FORMATS),
            help="Form of the output.  [default: by the ending of -o's FILE, else table]",
        ),
    ):
        command = option(command)
    return command


def chosen_format(format_: str | None, file: Path | None) -> str:
    """The format asked for, or the one that the file's ending says."""
    return format_ or SUFFIXES.get(file.suffix.lower() if file else "", "table")


def emit(table: Table, format_: str, file: Path | None, force: bool) -> None:
    """Print the table, or write it to the file.

    Raises:
        OutputError: the file exists and ``force`` is not given, or cannot be written.
    """
    to_file = file is not None and str(file) != "-"
    match format_:
        case "csv":
            content = table.to_csv()
        case "json":
            content = table.to_json()
        case "markdown":
            content = table.to_markdown()
        case _:
            content = as_text(table) if not to_file else table.to_text()
    if file is not None and to_file:
        write(file, content, replace=force)
    else:
        click.echo(content, nl=False)


def as_text(table: Table) -> str:
    """The table as this terminal can show it; through a pipe, as wide as it needs, without color."""
    terminal = sys.stdout.isatty()
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    return table.to_text(
        shutil.get_terminal_size().columns if terminal else None,
        color=terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        unicode=encoding.startswith("utf"),
    )

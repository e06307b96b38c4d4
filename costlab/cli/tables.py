"""What may be asked of a table: its format, its columns, where it goes."""

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from costlab.cli.output import FORMATS, FilePath, as_text, chosen_format, on_stdout, put
from costlab.errors import OutputError
from costlab.messages import harmless, named
from costlab.report.table import Table

if TYPE_CHECKING:
    from pathlib import Path

R = TypeVar("R")


class Output(NamedTuple):
    """What was asked for: the format, the file, the columns; caption and label of a table in LaTeX."""

    format: str
    file: "Path | None" = None
    force: bool = False
    columns: tuple[str, ...] = ()
    caption: str | None = None
    label: str | None = None

    @property
    def on_stdout(self) -> bool:
        """Whether the result goes to standard output."""
        return on_stdout(self.file)

    @property
    def shares_stdout(self) -> bool:
        """Whether lines for people may follow it there."""
        return self.format == "table" or not self.on_stdout

    def chosen(self, *tables: Table) -> tuple[Table, ...]:
        """The tables with the columns that were asked for.

        One after the first is left out that has none which the first has not, and the first where another
        has all of its own and more.

        Raises:
            OutputError: no table has a column of that name.
        """
        if not self.columns:
            return tables
        known = list(dict.fromkeys(key for table in tables for key in table.keys))
        for name in self.columns:
            if name not in known:
                raise OutputError(f"--columns: there is no column {named(name)}; there is {', '.join(known)}")
        first, *others = (
            table.only([name for name in self.columns if name in table.keys]) for table in tables
        )
        more = [table for table in others if not set(table.keys) <= set(first.keys)]
        needless = any(set(first.keys) < set(table.keys) for table in more)
        return (*(() if needless else (first,)), *more)

    def emit(self, *tables: Table) -> None:
        """Print the tables, or write them to the file; CSV holds one, JSON the first and those with a name.

        Raises:
            OutputError: the file exists without ``force``, or cannot be written; a column is unknown.
        """
        shown = self.chosen(*tables)
        match self.format:
            case "csv":
                content = shown[0].to_csv()
            case "json":
                content = tables[0].to_json(shown)
            case "markdown":
                content = "\n".join(part.to_markdown() for part in shown)
            case "latex":
                content = "\n".join(self._in_latex(shown))
            case _:
                texts = (as_text(part) if self.on_stdout else part.to_text() for part in shown)
                content = "\n".join(texts)
        self.put(content)

    def put(self, content: str) -> None:
        """Print the content, or write it to the file.

        Raises:
            OutputError: the file exists and ``force`` is not given, or cannot be written.
        """
        put(content, self.file, self.force)

    def _in_latex(self, tables: Sequence[Table]) -> Iterator[str]:
        """The tables; the caption is the first one's, the label has a number in all others."""
        for number, table in enumerate(tables, 1):
            label = f"{self.label}-{number}" if self.label and number > 1 else self.label
            yield table.to_latex(self.caption if number == 1 else self.caption and table.title, label)


class ColumnNames(click.ParamType[tuple[str, ...]]):
    """Names of columns, with commas between."""

    name = "NAMES"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        names = tuple(name.strip() for name in str(value).split(","))
        if not all(names):
            self.fail(f"{value!r} has an empty name in it", param, ctx)
        if again := next((name for name in names if names.count(name) > 1), None):
            self.fail(f"{again} is named twice", param, ctx)
        return names


class LabelName(click.ParamType[str]):
    r"""What may stand in ``\\label`` and be read by all that refer to it."""

    name = "NAME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9:._/+ -]*[A-Za-z0-9])?", str(value)):
            self.fail(
                f"{value!r} is no label: give letters, digits and : . _ / + -, such as tab:costs", param, ctx
            )
        return str(value)


def caption_of(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A caption in one line, without what cannot be seen."""
    if value is None:
        return None
    caption = " ".join(harmless(value).split())
    if not caption:
        raise click.BadParameter(f"{value!r} is no text", param=parameter)
    return caption


def output_options(command: Callable[..., R], more: Sequence[str] = ()) -> Callable[..., R]:
    """The options of an `Output`, which the command is given as ``out``; ``more`` are formats of its own."""

    @functools.wraps(command)
    def with_output(
        format_: str | None,
        file: "Path | None",
        force: bool,
        columns: tuple[str, ...] | None,
        caption: str | None,
        label: str | None,
        **others: Any,
    ) -> R:
        form = chosen_format(format_, file, more)
        for option, value in (("--caption", caption), ("--label", label)):
            if value is not None and form != "latex":
                raise OutputError(f"{option} is for --format latex")
        if columns and form not in FORMATS:
            raise OutputError(f"--columns does not go with --format {form}")
        return command(out=Output(form, file, force, columns or (), caption, label), **others)

    wrapped: Callable[..., R] = with_output
    for option in (
        click.option("--force", is_flag=True, help="Replace files that exist."),
        click.option(
            "--label",
            type=LabelName(),
            metavar="NAME",
            help="With --format latex: a label of the table, which then floats.",
        ),
        click.option(
            "--caption",
            metavar="TEXT",
            callback=caption_of,
            help="With --format latex: a caption of the table, which then floats.  [default: its title]",
        ),
        click.option(
            "--columns",
            type=ColumnNames(),
            metavar="NAMES",
            help="Show these columns alone, in this order, called as in CSV: a,b,c.",
        ),
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
        wrapped = option(wrapped)
    return wrapped

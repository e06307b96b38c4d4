"""``costlab list``."""

import shutil
from pathlib import Path

import click

from costlab.algebra import Definition, catalog
from costlab.algebra.catalog import lookup
from costlab.cli.output import chosen_format, colored, emit, output_options
from costlab.report.table import Column, Table

COLUMNS = (
    Column("name", "name"),
    Column("figure", "from"),
    Column("input", "input"),
    Column("summary", "summary"),
    Column("parameters", "parameters"),
)
PARAMETER_COLUMNS = (
    Column("name", "parameter"),
    Column("default", "default", empty="(required)"),
    Column("takes", "takes"),
    Column("note", "meaning"),
)


@click.command("list", short_help="List what can be counted, with parameters and sources.")
@click.argument("name", required=False)
@output_options
def list_(name: str | None, format_: str | None, file: Path | None, force: bool) -> None:
    """List the definitions that can be counted, or describe the one called NAME.

    Each is shown with the figure or table that it comes from, the input that it is counted at, and its
    parameters with their defaults.
    """
    shown = [lookup(name)] if name else list(catalog().values())
    form = chosen_format(format_, file)
    if form == "table" and file is None:
        click.echo("\n\n".join(_describe(d) if name else _entry(d) for d in shown))
    else:
        emit(_parameters(shown[0]) if name else _table(shown), form, file, force)


def _table(shown: list[Definition[...]]) -> Table:
    rows = tuple(
        (d.name, d.figure, str(d.input or ""), _plain(d.summary), ", ".join(map(str, d.parameters.values())))
        for d in shown
    )
    return Table("Definitions", COLUMNS, rows)


def _parameters(definition: Definition[...]) -> Table:
    rows = tuple(
        (p.name, None if p.required else str(p).partition("=")[2], p.takes, _plain(p.note))
        for p in definition.parameters.values()
    )
    facts = {
        "name": definition.name,
        "figure": definition.figure,
        "input": str(definition.input or ""),
        "summary": _plain(definition.summary),
    }
    return Table(definition.name, PARAMETER_COLUMNS, rows, notes=(facts["summary"],), facts=facts)


def _entry(definition: Definition[...]) -> str:
    lines = [_head(definition), click.wrap_text(_plain(definition.summary), _width(), "  ", "  ")]
    if definition.parameters:
        settings = "  ".join(map(str, definition.parameters.values()))
        lines.append(click.wrap_text(settings, _width(), "  ", "  "))
    return "\n".join(lines)


def _describe(definition: Definition[...]) -> str:
    lines = [_head(definition), click.wrap_text(_plain(definition.summary), _width(), "  ", "  ")]
    for parameter in definition.parameters.values():
        lines += ["", f"  {parameter}   ({parameter.takes})"]
        if parameter.note:
            lines.append(click.wrap_text(parameter.note, _width(), "      ", "      "))
    return "\n".join(lines)


def _head(definition: Definition[...]) -> str:
    origin = f"  {definition.figure}" if definition.figure else ""
    shape = f"  input {definition.input}" if definition.input else ""
    name = click.style(definition.name, bold=True) if colored() else definition.name
    return name + origin + shape


def _plain(docstring: str) -> str:
    """A docstring's text without its marks for code."""
    return docstring.replace("``", "")


def _width() -> int:
    return max(40, min(100, shutil.get_terminal_size().columns))

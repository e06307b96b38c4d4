"""``costlab list``."""

import shutil
from pathlib import Path

import click

from costlab.algebra import Definition
from costlab.algebra.combine import marked
from costlab.cli.convention import conventions_option
from costlab.cli.inputs import refuse
from costlab.cli.output import chosen_format, colored, emit, output_options
from costlab.report.cell import Column
from costlab.report.table import Table
from costlab.report.tables.conventions import conventions_table
from costlab.report.tables.count import UNVERIFIED_COLUMN
from costlab.targets.ablation import Ablation
from costlab.targets.catalog import ablations, catalog
from costlab.targets.resolve import find_ablation, find_definition, label_with_settings
from costlab.targets.target import Variant

COLUMNS = (
    Column("name", "name", marked_by="unverified"),
    UNVERIFIED_COLUMN,
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


ABLATION_COLUMNS = (
    Column("name", "name", once=True),
    Column("figure", "from"),
    Column("title", "title"),
    Column("variant", "variant", marked_by="unverified"),
    Column("target", "target"),
    Column("input", "input"),
    Column("batch", "batch", "size"),
    UNVERIFIED_COLUMN,
)


@click.command("list", short_help="List what can be counted and compared, with parameters and sources.")
@click.argument("name", required=False)
@click.option(
    "--ablations", "sets", is_flag=True, help="List the sets that costlab compare --ablation takes."
)
@conventions_option
@output_options
def list_(
    name: str | None, sets: bool, conventions: bool, format_: str | None, file: Path | None, force: bool
) -> None:
    """List the definitions that can be counted, or describe the one called NAME.

    Each is shown with the figure or table that it comes from, the input that it is counted at, and its
    parameters with their defaults; one of your own is named as file.py:attribute. With --ablations, list the
    named sets instead, each with its variants, the baseline first; with --conventions, what each counting
    tool charges for.
    """
    refuse((sets and conventions, "--ablations and --conventions do not go together"))
    if conventions:
        emit(conventions_table(name), chosen_format(format_, file), file, force)
        return
    if sets:
        _list_ablations([find_ablation(name)] if name else list(ablations().values()), format_, file, force)
        return
    definitions = [find_definition(name)] if name else list(catalog().values())
    form = chosen_format(format_, file)
    if form == "table" and file is None:
        click.echo("\n\n".join(_describe(d) if name else _entry(d) for d in definitions))
    else:
        emit(_parameters(definitions[0]) if name else _table(definitions), form, file, force)


def _list_ablations(chosen: list[Ablation], format_: str | None, file: Path | None, force: bool) -> None:
    form = chosen_format(format_, file)
    if form == "table" and file is None:
        click.echo("\n\n".join(map(_set, chosen)))
        return
    rows = tuple(
        (
            a.name,
            a.figure,
            a.title,
            label,
            _target(variant),
            str(variant.shape()),
            variant.batch,
            variant.unverified,
        )
        for a in chosen
        for label, variant in a.variants.items()
    )
    emit(Table("Ablations", ABLATION_COLUMNS, rows), form, file, force)


def _set(ablation: Ablation) -> str:
    lines = [
        _bold(ablation.name) + (f"  {ablation.figure}" if ablation.figure else ""),
        click.wrap_text(ablation.title, _width(), "  ", "  "),
    ]
    variants = {marked(label, variant.unverified): variant for label, variant in ablation.variants.items()}
    longest = max(map(len, variants))
    for label, variant in variants.items():
        shape = f", input {variant.input}" if variant.input else ""
        batch = f", batch {variant.batch}" if variant.batch > 1 else ""
        lines.append(f"    {label.ljust(longest)}   {_target(variant)}{shape}{batch}")
    return "\n".join(lines)


def _target(variant: Variant) -> str:
    """A variant as it would be typed."""
    name = variant.subject.name if isinstance(variant.subject, Definition) else variant.subject.title
    return label_with_settings(name, variant.settings)


def _table(definitions: list[Definition[...]]) -> Table:
    rows = tuple(
        (
            d.name,
            d.unverified,
            d.figure,
            str(d.input or ""),
            _plain(d.summary),
            ", ".join(map(str, d.parameters.values())),
        )
        for d in definitions
    )
    return Table("Definitions", COLUMNS, rows)


def _parameters(definition: Definition[...]) -> Table:
    rows = tuple(
        (p.name, None if p.required else str(p).partition("=")[2], p.takes, _plain(p.note))
        for p in definition.parameters.values()
    )
    summary = _plain(definition.summary)
    facts = {
        "name": definition.name,
        "unverified": definition.unverified,
        "figure": definition.figure,
        "input": str(definition.input or ""),
        "summary": summary,
    }
    title = marked(definition.name, definition.unverified)
    return Table(title, PARAMETER_COLUMNS, rows, notes=(summary,), facts=lambda: facts)


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
    return _bold(marked(definition.name, definition.unverified)) + origin + shape


def _bold(name: str) -> str:
    return click.style(name, bold=True) if colored() else name


def _plain(docstring: str) -> str:
    """A docstring's text without its marks for code."""
    return docstring.replace("``", "")


def _width() -> int:
    return max(40, min(100, shutil.get_terminal_size().columns))

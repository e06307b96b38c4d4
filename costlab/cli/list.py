"""``costlab list``."""

import shutil
import sys
from typing import TYPE_CHECKING

import click

from costlab.algebra import Definition
from costlab.algebra.combine import marked
from costlab.cli.convention import conventions_option
from costlab.cli.device import devices_from_option
from costlab.cli.inputs import refuse
from costlab.cli.lazy import completes
from costlab.cli.output import colored
from costlab.cli.tables import Output, output_options
from costlab.report.cell import Column
from costlab.report.table import Table
from costlab.report.tables.conventions import conventions_table
from costlab.report.tables.count import UNVERIFIED_COLUMN
from costlab.report.text import folded
from costlab.targets.ablation import Ablation
from costlab.targets.catalog import ablations, catalog
from costlab.targets.find_ablation import find_ablation
from costlab.targets.resolve import find_definition, label_with_settings
from costlab.targets.target import Variant

if TYPE_CHECKING:
    from pathlib import Path

HALF = 40
"""As many characters of a line a text has at least that stands beside a name."""
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
@click.argument("name", required=False, shell_complete=completes("listed"))
@click.option(
    "--ablations", "sets", is_flag=True, help="List the sets that costlab compare --ablation takes."
)
@conventions_option
@click.option("--devices", is_flag=True, help="List the devices that --device takes.")
@devices_from_option
@output_options
def list_(
    name: str | None,
    sets: bool,
    conventions: bool,
    devices: bool,
    devices_file: "Path | None",
    out: Output,
) -> None:
    """List the definitions that can be counted, or describe the one called NAME.

    Each is shown with the figure or table that it comes from, the input that it is counted at, and its
    parameters with their defaults; one of your own is named as file.py:attribute. With --ablations, list the
    named sets instead, each with its variants, the baseline first; with --conventions, what each counting
    tool charges for; with --devices, what each device computes, moves and holds at most.
    """
    refuse(
        (sets and conventions, "--ablations and --conventions do not go together"),
        (devices and (sets or conventions), "--devices does not go with --ablations or --conventions"),
        (devices_file is not None and not devices, "--devices-from goes with --devices"),
    )
    if devices:
        from costlab.report.tables.devices import devices_table

        out.emit(devices_table(name, devices_file))
        return
    if conventions:
        out.emit(conventions_table(name))
        return
    if sets:
        _list_ablations([find_ablation(name)] if name else list(ablations().values()), out)
        return
    definitions = [find_definition(name)] if name else list(catalog().values())
    if _in_words(out):
        click.echo("\n\n".join(_describe(d) if name else _entry(d) for d in definitions))
    else:
        out.emit(_parameters(definitions[0]) if name else _table(definitions))


def _in_words(out: Output) -> bool:
    """Whether people are told in a few lines each, and no table was asked for."""
    return out.format == "table" and out.file is None and not out.columns


def _list_ablations(chosen: list[Ablation], out: Output) -> None:
    if _in_words(out):
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
    out.emit(Table("Ablations", ABLATION_COLUMNS, rows))


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
        lines.append(_beside(f"    {label.ljust(longest)}", f"{_target(variant)}{shape}{batch}"))
    return "\n".join(lines)


def _beside(name: str, text: str, gap: str = "   ") -> str:
    """A text beside a name, folded in a narrow terminal; below, where there is little room beside it."""
    columns = shutil.get_terminal_size().columns
    if not sys.stdout.isatty() or len(name) + len(gap) + len(text) <= columns:
        return f"{name}{gap}{text}"
    room = columns - len(name) - len(gap)
    indent = columns - room if room >= HALF else 6
    lines = [f"{' ' * indent}{line}" for line in folded(text, columns - indent)]
    return "\n".join([name + lines[0][len(name) :], *lines[1:]] if room >= HALF else [name.rstrip(), *lines])


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
        lines += ["", _beside(f"  {parameter}", f"({parameter.takes})")]
        if parameter.note:
            lines.append(click.wrap_text(parameter.note, _width(), "      ", "      "))
    return "\n".join(lines)


def _head(definition: Definition[...]) -> str:
    origin = f"  {definition.figure}" if definition.figure else ""
    shape = f"  input {definition.input}" if definition.input else ""
    name = marked(definition.name, definition.unverified)
    line = _beside(name, f"{origin}{shape}".removeprefix("  "), "  ").rstrip()
    return _bold(name) + line.removeprefix(name)


def _bold(name: str) -> str:
    return click.style(name, bold=True) if colored() else name


def _plain(docstring: str) -> str:
    """A docstring's text without its marks for code."""
    return docstring.replace("``", "")


def _width() -> int:
    return max(40, min(100, shutil.get_terminal_size().columns))

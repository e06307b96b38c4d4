"""``costlab explore``."""

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from costlab.cli.inputs import input_option, one_or_all, refuse
from costlab.cli.lazy import completes
from costlab.cli.output import FilePath, PicturePath
from costlab.cli.running import PeakMemory, peak_memory_options
from costlab.cli.tables import Output, output_options
from costlab.errors import DefinitionError
from costlab.explore.space import ROWS_MAX, Space
from costlab.explore.survey import Survey
from costlab.explore.written.axis import Axis
from costlab.explore.written.vary import axes_of, read_vary
from costlab.files import refuse_taken
from costlab.targets.resolve import find

if TYPE_CHECKING:
    from costlab.cli.progress import Sharing
    from costlab.explore.member import Selection
    from costlab.explore.written.space_file import SpaceFile
    from costlab.targets.target import Variant


@click.command(short_help="Ask a whole design space: what fits, extremes, fronts, samples.")
@click.argument("target", required=False, shell_complete=completes("target"))
@click.option(
    "--vary",
    "vary",
    metavar="NAME=VALUES",
    multiple=True,
    help="An axis: width=0.25:2:0.01, n=3,5,7, input=139:331:16; NAME alone is all choices of a parameter.",
)
@click.option(
    "--space", "file_", type=FilePath(), metavar="FILE.toml", help="Axes and conditions from a file."
)
@input_option("Shape of the input, such as 3x224x224; of an axis input the channels.")
@click.option(
    "--where",
    metavar="CONDITION",
    multiple=True,
    help='What has to hold: "multiply_adds <= 5e9 and parameters < 25e6 and n > 3".',
)
@peak_memory_options
@click.option("--top", type=click.IntRange(min=1), metavar="K", help="The K members with the most of --by.")
@click.option(
    "--by",
    metavar="EXPRESSION",
    help="A quantity, or a sum of them: parameters, -activations.  [default: multiply_adds]",
)
@click.option(
    "--pareto",
    metavar="A,B",
    help="The members that none surpasses: multiply_adds,-parameters; less is better.",
)
@click.option(
    "--sample", type=click.IntRange(min=1), metavar="N", help="N members, drawn at random from all."
)
@click.option("--within", metavar="SHARE", help="With --of: members whose --by is so near to it: 1%.")
@click.option("--of", metavar="AMOUNT", help="What --within is near to: 400e6.")
@click.option("--seed", type=int, help="With --sample: which draw.  [default: 0]")
@click.option("--members", is_flag=True, help="All members; many as CSV, JSON or Parquet.")
@click.option(
    "--histogram", type=click.IntRange(1, 1000), metavar="BINS", help="Spread over --by, in so many bins."
)
@click.option("--plot", type=PicturePath(), metavar="FILE.png", help="Draw the space.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Threads.  [default: all cores]")
@functools.partial(output_options, more=["parquet"])
def explore(
    target: str | None,
    vary: tuple[str, ...],
    file_: Path | None,
    input_: tuple[str, ...],
    where: tuple[str, ...],
    memory: PeakMemory,
    top: int | None,
    by: str | None,
    pareto: str | None,
    sample: int | None,
    within: str | None,
    of: str | None,
    seed: int | None,
    members: bool,
    histogram: int | None,
    plot: Path | None,
    workers: int | None,
    out: Output,
) -> None:
    """Ask the whole design space of TARGET, exactly, without counting its members one by one.

    TARGET is a definition: a name from `costlab list`, file.py:definition or package.module:definition,
    perhaps with settings after a colon. Its parameters are axes; without --vary or --space those that it has
    are shown.

    Without --top, --pareto, --sample or --members: how many members exist, fit and meet the conditions, the
    extremes with their members, and a histogram. Each member is shown as a target that `costlab count` takes.

    Conditions are about quantities and axes, and are read, never run.

    Peak memory is that of a forward pass, or with --train of a step of training, and is worked out for each
    member of a space that is not too large.
    """
    given = {"--top": top, "--pareto": pareto, "--sample": sample, "--histogram": histogram}
    asked = [name for name, value in given.items() if value is not None] + ["--members"] * members
    objectives = () if pareto is None else tuple(each.strip() for each in pareto.split(","))
    refuse(
        (len(asked) > 1, f"{' and '.join(asked)} do not go together: ask for one of them"),
        (
            by is not None and not (top or histogram or within is not None),
            "--by goes with --top, --histogram, or --within and --of",
        ),
        ((within is None) != (of is None), "--within and --of go together"),
        (pareto is not None and len(objectives) < 2, "--pareto takes two objectives or more: a,-b"),
        (seed is not None and not sample, "--seed goes with --sample"),
        (out.format == "parquet" and not members, "--format parquet goes with --members"),
    )
    variant, axes, conditions = _space(target, vary, file_, one_or_all(input_), where)
    if not axes:
        asked += [*(["--where"] if conditions else []), *memory.asked, *(["--plot"] if plot else [])]
        _show_axes(variant, out, asked)
        return
    refuse_taken(plot, None if out.on_stdout else out.file, replace=out.force)
    from costlab.cli.progress import sharing

    with sharing() as told:
        space = memory.of(Space.along(variant, axes).on(workers, progress=told))
        for option, texts in (conditions | memory.conditions).items():
            space = space.where(*texts, option=option)
        _refuse_unreadable(space, by, objectives, within, of)
        if within is not None:
            space = space.near(within, of, by or "multiply_adds")
        if members:
            _list(space, out, told)
        elif top or objectives or sample:
            _select(space, top, by or "multiply_adds", objectives, sample, seed or 0, out, told)
        else:
            _survey(space, by or "multiply_adds", histogram, out, told)
        if plot is not None:
            _draw(space, plot, out.force)


def _space(
    target: str | None, vary: tuple[str, ...], file_: Path | None, input_: Any, where: tuple[str, ...]
) -> "tuple[Variant, tuple[Axis, ...], dict[str, tuple[str, ...]]]":
    """The variant, its axes, and the conditions by where they were given."""
    from costlab.explore.given import with_input

    written = _read(file_) if file_ is not None else None
    name = target or (written.target if written else None)
    if name is None:
        raise click.UsageError("give a TARGET, or a --space that names one", click.get_current_context())
    variant = with_input(find(name), input_ or (written.input if written else None))
    if not hasattr(variant.subject, "parameters"):
        raise DefinitionError(f"{variant.label} is made already, and has no axes: name a definition")
    definition: Any = variant.subject
    axes: tuple[Axis, ...] = ()
    if written is not None:
        axes = axes_of(written.vary, definition, variant.settings, f"{file_}: vary.")
    typed = read_vary(vary, definition, variant.settings)
    replaced = {axis.name for axis in typed}
    axes = (*(axis for axis in axes if axis.name not in replaced), *typed)
    conditions = {f"{file_}: where": written.where} if written and written.where else {}
    return variant, axes, conditions | ({"--where": where} if where else {})


def _refuse_unreadable(
    space: Space, by: str | None, objectives: tuple[str, ...], within: str | None, of: str | None
) -> None:
    """Say which option it is that cannot be read, before anything is searched."""
    from costlab.explore.given import exact, share

    for option, texts in (("--by", () if by is None else (by,)), ("--pareto", objectives)):
        for text in texts:
            space.quantity(text, option)
    if within is not None and of is not None:
        share("--within", within)
        exact("--of", of)


def _read(file_: Path) -> "SpaceFile":
    from costlab.explore.written.space_file import read_space

    return read_space(file_)


def _show_axes(variant: "Variant", out: Output, asked: list[str]) -> None:
    from costlab.report.tables.explore import axes_table

    if asked:
        raise DefinitionError(f"{asked[0]} is asked of a space: give its axes with --vary or --space")
    out.emit(axes_table(variant))


def _survey(space: Space, by: str, histogram: int | None, out: Output, told: "Sharing") -> None:
    from costlab.report.tables.explore import summary_tables

    survey = Survey(space, by, histogram)
    try:
        survey.make()
    except KeyboardInterrupt:
        survey.interrupted()
        told.hide()
        out.emit(*summary_tables(survey))
        raise
    told.hide()
    tables = summary_tables(survey)
    # CSV holds one table: the one that was asked for.
    out.emit(*(tables[-1:] if histogram and survey.histogram and out.format == "csv" else tables))


def _select(
    space: Space,
    top: int | None,
    by: str,
    objectives: tuple[str, ...],
    sample: int | None,
    seed: int,
    out: Output,
    told: "Sharing",
) -> None:
    from costlab.report.tables.explore import members_table

    ask: Callable[[], Selection]
    if top:
        ask = functools.partial(space.top, top, by)
    elif sample:
        ask = functools.partial(space.sample, sample, seed=seed)
    else:
        ask = functools.partial(space.front, *objectives)
    try:
        selection = ask()
    except KeyboardInterrupt as interrupt:
        found = space.found()
        told.hide()
        covered = f"{space.engine.covered:.1%} of the space was gone over"
        if found is None:
            interrupt.add_note(covered)
        else:
            out.emit(members_table(space, found)._replace(notes=(f"interrupted: {covered}",)))
        raise
    told.hide()
    out.emit(members_table(space, selection, objectives or ([by] if top else [])))


def _list(space: Space, out: Output, told: "Sharing") -> None:
    from costlab.cli.listing import list_members

    many = space.count()
    told.hide()
    if many > ROWS_MAX:
        click.echo(f"{many:,} rows will be written; Ctrl-C keeps those that are there by then", err=True)
    if out.on_stdout and sys.stdout.isatty():  # between the rows there is no place for a line
        space = space.on(space.engine.workers)
    list_members(space, many, out)


def _draw(space: Space, plot: Path, force: bool) -> None:
    from costlab.files import write
    from costlab.report.pictures.space import space_picture

    write(plot, space_picture(space).file(), replace=force)

"""``costlab measure``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from costlab.cli.device import device_option, devices_from_option
from costlab.cli.inputs import TargetName, input_option, one_or_all, refuse
from costlab.cli.lazy import completes
from costlab.cli.output import FilePath
from costlab.cli.tables import Output, output_options

if TYPE_CHECKING:
    from pathlib import Path

    from costlab.hardware.timing.catalog import CatalogRuns

DEFAULT_ROUNDS = 7


@click.command(short_help="Time a network on this machine, operation by operation.")
@click.argument("targets", type=TargetName(), nargs=-1, shell_complete=completes("target"))
@input_option("Shape of the input, such as 3x299x299.  [default: the definition's]")
@click.option(
    "-b", "--batch", type=click.IntRange(min=1), default=1, show_default=True, help="Inputs at once."
)
@click.option("-d", "--depth", type=click.IntRange(min=0), help="A row per module at this depth.")
@click.option(
    "--by",
    type=click.Choice(["operation", "module", "kind"]),
    help="A row per operation, per module, or per kind.  [default: operation; with --depth: module]",
)
@click.option(
    "--on",
    default="cpu",
    show_default=True,
    metavar="WHERE",
    help="Where it runs: cpu, cuda or cuda:N.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1, max=1024),
    default=1,
    show_default=True,
    help="Threads of the CPU. One is timed by its own CPU time, several by the time that passes.",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1, max=100_000),
    default=DEFAULT_ROUNDS,
    show_default=True,
    help="How often everything is timed, after two runs that are not.",
)
@device_option("A device whose bound stands beside the times.")
@devices_from_option
@click.option(
    "--calibrate",
    "calibration_file",
    type=FilePath(),
    metavar="FILE",
    help="Time networks of the catalog, or TARGETS, in two runs, fit a model of time, and write it to FILE.",
)
@output_options
def measure(
    targets: tuple[str, ...],
    input_: tuple[str, ...],
    batch: int,
    depth: int | None,
    by: str | None,
    on: str,
    threads: int,
    rounds: int,
    device_name: str | None,
    devices_file: "Path | None",
    calibration_file: "Path | None",
    out: Output,
) -> None:
    """Time TARGET on this machine: each operation, and the whole, in inference, with random weights.

    TARGET is as for costlab count: a definition, or a module of PyTorch, which runs. Times are medians over
    rounds. In each the network runs as it is, and once more with a clock around each operator.

    With --calibrate, a model of time is fitted: for each class of operations so many nanoseconds per
    multiply-add, per byte and per launch. costlab roofline --calibration FILE predicts with it. It takes
    minutes; TARGETS are definitions then, three or more.
    """
    refuse(
        (depth is not None and by not in (None, "module"), "--depth goes with --by module"),
        (devices_file is not None and device_name is None, "--devices-from is for --device"),
    )
    if calibration_file is not None:
        others = {"--input": input_, "--depth": depth, "--by": by, "--device": device_name}
        asked = [name for name, value in others.items() if value not in (None, ())]
        refuse(
            (bool(asked), f"{next(iter(asked), '')} does not go with --calibrate"),
            (on != "cpu", "--calibrate is for the CPU: a calibration of a GPU was never tried"),
        )
        _calibrate(targets, batch, threads, rounds, calibration_file, out)
        return
    refuse(
        (not targets, "give a TARGET, or --calibrate FILE"),
        (len(targets) > 1, "give one TARGET; several are for --calibrate"),
    )
    from costlab.cli.progress import sharing
    from costlab.files import refuse_taken
    from costlab.hardware.device import device
    from costlab.hardware.timing.measure import measure as measured_of
    from costlab.report.tables.measure import DTYPE, measured_table

    refuse_taken(None if out.on_stdout else out.file, replace=out.force)
    beside = None if device_name is None else device(device_name, devices_file)
    if beside is not None:
        beside.ridge(DTYPE)  # says what is not known of it before anything runs
    with sharing() as told:
        measured = measured_of(
            targets[0],
            one_or_all(input_),
            batch=batch,
            threads=threads,
            rounds=rounds,
            on=on,
            progress=lambda done, all_: told(f"timing {targets[0]}", done / all_),
        )
    level = 1 if by == "module" and depth is None else depth
    out.emit(measured_table(measured, level, by or "module", beside))


def _calibrate(
    targets: Sequence[str], batch: int, threads: int, rounds: int, file: "Path", out: Output
) -> None:
    """Time, fit and write; what an interrupt leaves is fitted, too, if it is enough."""
    from costlab.cli.progress import steps
    from costlab.files import refuse_taken
    from costlab.hardware.timing.catalog import CatalogRuns

    refuse_taken(file, None if out.on_stdout else out.file, replace=out.force)
    runs = CatalogRuns(targets, batch, threads, rounds)
    for note in runs.notes:
        click.echo(note, err=True)
    try:
        with steps(runs.turns) as (now, done):
            runs.take(now, done)
    except KeyboardInterrupt as interrupt:
        if runs.are_enough:
            _write(runs, file, out)
            interrupt.add_note(f"{file} is fitted to the {runs.twice} networks that were timed twice")
        raise
    _write(runs, file, out)


def _write(runs: "CatalogRuns", file: "Path", out: Output) -> None:
    from costlab.report.tables.measure import calibration_table

    calibration = runs.calibration()
    calibration.write(file, replace=out.force)
    out.emit(calibration_table(calibration))

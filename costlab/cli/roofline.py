"""``costlab roofline``."""

from typing import TYPE_CHECKING

import click

from costlab.cli.device import device_option, devices_from_option
from costlab.cli.inputs import TargetName, input_option, one_or_all, partial_option, refuse
from costlab.cli.lazy import completes
from costlab.cli.output import FilePath, PicturePath, tell_partial
from costlab.cli.tables import Output, output_options
from costlab.hardware.device import TYPES

if TYPE_CHECKING:
    from pathlib import Path

    from costlab.report.tables.roofline import By


@click.command("roofline", short_help="A lower bound on the time of a network on a device.")
@click.argument("target", type=TargetName(), shell_complete=completes("target"))
@device_option("The device.")
@devices_from_option
@click.option(
    "--dtype",
    type=click.Choice([*TYPES]),
    default="float32",
    show_default=True,
    metavar="TYPE",
    help=f"What is computed in, and stored: {', '.join(TYPES)}.",
)
@click.option(
    "--calibration",
    "calibration_file",
    type=FilePath(),
    metavar="FILE",
    help="What costlab measure --calibrate wrote: predict times by it, with or without a device.",
)
@click.option("--fused", is_flag=True, help="Batch norm and activations behind a layer move nothing.")
@input_option("Shape of the input, such as 3x299x299.  [default: the definition's]")
@click.option(
    "-b", "--batch", type=click.IntRange(min=1), default=1, show_default=True, help="Inputs at once."
)
@click.option(
    "-d", "--depth", type=click.IntRange(min=0), help="Depth of the module tree to show.  [default: 1]"
)
@click.option(
    "--by",
    type=click.Choice(["module", "kind", "operation"]),
    default="module",
    show_default=True,
    help="A row per module, per kind of operation, or per operation.",
)
@partial_option
@click.option("--plot", type=PicturePath(), metavar="FILE.png", help="Draw the roofline.")
@output_options
def roofline_(
    target: str,
    device_name: str | None,
    devices_file: "Path | None",
    dtype: str,
    calibration_file: "Path | None",
    fused: bool,
    input_: tuple[str, ...],
    batch: int,
    depth: int | None,
    by: "By",
    partial: bool,
    plot: "Path | None",
    out: Output,
) -> None:
    """Bound the time that TARGET takes in inference on a device, from below; or predict it.

    Each operation takes at least the time of its multiply-adds at the device's peak, and that of its bytes
    at the bandwidth of the memory. The larger of both bounds it. What runs takes longer: this is a bound, no
    prediction.

    TARGET is as for costlab count. Auxiliary heads are left out. A type that the device has no peak for is a
    mistake; tf32 is what tensor cores make of float32.

    With --calibration, times are predicted for the machine that was measured, in float32, and what a
    prediction was off by stands with them.
    """
    refuse(
        (depth is not None and by != "module", "--depth goes with --by module"),
        (device_name is None and calibration_file is None, "give a --device NAME, or --calibration FILE"),
    )
    if calibration_file is not None:
        refuse(
            (dtype != "float32", "--calibration is for float32"),
            (fused, "--fused does not go with --calibration: what was measured is not fused"),
            (device_name is None and plot is not None, "--plot is for --device"),
            (device_name is None and devices_file is not None, "--devices-from is for --device"),
        )
    from costlab.counting.count import count
    from costlab.files import refuse_taken
    from costlab.hardware.device import device
    from costlab.hardware.roofline import of_count
    from costlab.hardware.timing.calibration import read_calibration
    from costlab.report.tables.predicted import predicted_table
    from costlab.report.tables.roofline import roofline_table

    refuse_taken(plot, None if out.on_stdout else out.file, replace=out.force)
    calibration = None if calibration_file is None else read_calibration(calibration_file)
    level = 1 if depth is None else depth
    if device_name is None:
        assert calibration is not None
        counted = count(target, one_or_all(input_), batch=batch, partial=partial)
        out.emit(predicted_table(counted, calibration, level, by))
        tell_partial([counted])
        return
    on = device(device_name, devices_file)
    on.ridge(dtype)  # says what is not known of it before anything is counted
    counted = count(target, one_or_all(input_), batch=batch, partial=partial)
    bounded = of_count(counted, on, dtype, fused=fused)
    if plot is not None:
        from costlab.files import write
        from costlab.report.pictures.roofline import roofline_picture

        write(plot, roofline_picture(bounded).file(), replace=out.force)
    out.emit(roofline_table(bounded, level, by, calibration))
    tell_partial([counted])

"""``costlab training-cost``."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from costlab.cli.device import device_option, devices_from_option
from costlab.cli.inputs import TargetName, input_option, one_or_all, refuse
from costlab.cli.lazy import completes
from costlab.cli.tables import Output, output_options
from costlab.hardware.device import TYPES
from costlab.hardware.regime import NEED_DEVICE, PRESETS


class Number(click.ParamType[int | Fraction]):
    """A number as people type it, 9.5 or 1.2k."""

    name = "NUMBER"
    wanted = "such as 9.5"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | Fraction:
        from costlab.explore.amount import amount

        return amount(str(value), max(param.opts, key=len) if param else "", least=0)


@click.command(short_help="What training a network costs: FLOP, steps, time, energy and traffic.")
@click.argument("target", type=TargetName(), shell_complete=completes("target"))
@click.option(
    "--preset",
    type=click.Choice([*PRESETS]),
    help="A regime by name; what is given beside it holds instead.",
)
@click.option("--images", type=click.IntRange(min=1), help="Images of an epoch.  [default: 1281167]")
@click.option("--epochs", type=click.IntRange(min=1), help="How often each is seen.  [default: 100]")
@click.option("-b", "--batch", type=click.IntRange(min=1), help="Images of a replica's step.  [default: 32]")
@click.option("--replicas", type=click.IntRange(min=1), help="Devices that train together.  [default: 50]")
@device_option("The device of each replica.")
@devices_from_option
@click.option("--dtype", type=click.Choice([*TYPES]), help="What it computes in.  [default: float32]")
@click.option("--utilization", type=Number(), help="The share of the peak that is reached, such as 0.076.")
@click.option("--images-per-second", type=Number(), help="The speed of one replica, as measured.")
@click.option(
    "--power", type=Number(), help="Watts of one board at most.  [default: the device's, if it is known]"
)
@input_option("Shape of the input, such as 3x299x299.  [default: the definition's]")
@output_options
def training_cost(
    target: str,
    preset: str | None,
    images: int | None,
    epochs: int | None,
    batch: int | None,
    replicas: int | None,
    device_name: str | None,
    devices_file: Path | None,
    dtype: str | None,
    utilization: Fraction | None,
    images_per_second: Fraction | None,
    power: Fraction | None,
    input_: tuple[str, ...],
    out: Output,
) -> None:
    """Say what it costs to train TARGET: FLOP of the whole run, steps, time, energy and traffic of gradients.

    TARGET is a definition or a module of PyTorch, as for `costlab count`; auxiliary heads are trained along:
    inception_v3:aux=true.

    Without a preset the regime is that of the Inception-v3 paper, on devices that are not known. --preset
    paper assumes one of its time; one-device puts one that you name in the place of its replicas; today is
    one accelerator in bfloat16. What does not follow from what is given is left out.
    """
    from costlab.hardware.device import device
    from costlab.hardware.training_cost import training_cost as cost_of
    from costlab.report.tables.training_cost import training_cost_table

    refuse(
        (devices_file is not None and device_name is None, "--devices-from is for --device"),
        (
            preset in NEED_DEVICE and device_name is None,
            f"--preset {preset} is for a --device that you name",
        ),
        (
            utilization is not None and images_per_second is not None,
            "--utilization and --images-per-second both say how fast a replica is: give one of them",
        ),
    )
    cost = cost_of(
        target,
        one_or_all(input_),
        images=images,
        epochs=epochs,
        batch=batch,
        replicas=replicas,
        device=None if device_name is None else device(device_name, devices_file),
        dtype=dtype,
        utilization=utilization,
        images_per_second=images_per_second,
        power=power,
        preset=preset,
    )
    out.emit(training_cost_table(cost))

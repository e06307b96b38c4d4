"""``costlab memory``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from costlab.cli.device import device_option, devices_from_option
from costlab.cli.inputs import SymbolicCommand, TargetName, input_option, one_or_all, refuse, symbolic_option
from costlab.cli.lazy import completes
from costlab.cli.output import PicturePath
from costlab.cli.tables import Output, output_options
from costlab.hardware.held.optimizer import OPTIMIZERS
from costlab.hardware.held.precision import PRECISIONS

if TYPE_CHECKING:
    from costlab.hardware.held.precision import Precision
    from costlab.hardware.memory import Memory


@click.command(cls=SymbolicCommand, short_help="What a network holds in memory, and where the peak is.")
@click.argument("target", type=TargetName(), shell_complete=completes("target"))
@input_option("Shape of the input, such as 3x299x299.  [default: the definition's]")
@click.option("-b", "--batch", type=click.IntRange(min=1), help="Inputs at once.  [default: 1]")
@click.option("--train", is_flag=True, help="A step of training, instead of inference.")
@click.option(
    "--optimizer", type=click.Choice(OPTIMIZERS), help="With --train: the optimizer.  [default: sgd]"
)
@click.option("--momentum", is_flag=True, help="With --train: SGD or RMSProp with momentum.")
@click.option("--average", is_flag=True, help="With --train: an average of the weights is held besides.")
@click.option(
    "--dtype",
    type=click.Choice(PRECISIONS),
    help="Type of weights and data; amp is weights in float32, run under autocast to bfloat16.  "
    "[default: float32, a module's own]",
)
@click.option("--by", type=click.Choice(["module", "kind"]), help="A row per module, or kind of operation.")
@click.option(
    "-d", "--depth", type=click.IntRange(min=0), help="With --by module: depth of the tree.  [default: 1]"
)
@device_option("Say whether it fits into this device's memory.")
@devices_from_option
@symbolic_option("Show the closed form in the batch, N.", "batch")
@click.option("--plot", type=PicturePath(), metavar="FILE.png", help="Draw what is allocated along the way.")
@output_options
def memory(
    target: str,
    input_: tuple[str, ...],
    batch: int | None,
    train: bool,
    optimizer: str | None,
    momentum: bool,
    average: bool,
    dtype: "Precision | None",
    by: Literal["module", "kind"] | None,
    depth: int | None,
    device_name: str | None,
    devices_file: Path | None,
    symbolic: str | None,
    plot: Path | None,
    out: Output,
) -> None:
    """Say what TARGET holds in memory, in bytes, and at which module the most is held.

    TARGET is a definition or a module of PyTorch, as for `costlab count`. In inference the peak is given as
    PyTorch runs it, by last use, and with layers fused; with --train it is that of a step of training:
    forward, the loss, the way back, and the optimizer.

    What tensors hold is exact to the byte; what kernels need for themselves is not in it. A module of PyTorch
    runs on tensors without memory; --dtype amp does that with a definition's module, too.
    """
    closed = symbolic is not None
    refuse(
        (closed and symbolic not in ("", "batch"), f"--symbolic {symbolic}: the closed form is in the batch")
    )
    only_training = {"--optimizer": optimizer, "--momentum": momentum, "--average": average}
    refuse(
        *((bool(given) and not train, f"{name} is for --train") for name, given in only_training.items()),
        (depth is not None and by != "module", "--depth goes with --by module"),
        (devices_file is not None and device_name is None, "--devices-from is for --device"),
        (closed and batch is not None, "--symbolic is in the batch: leave --batch out"),
        (closed and dtype == "amp", "--dtype amp is traced, and --symbolic is not"),
        (closed and by is not None, "--by does not go with --symbolic"),
        (closed and device_name is not None, "--device does not go with --symbolic"),
        (closed and plot is not None, "--plot does not go with --symbolic"),
    )
    from costlab.files import refuse_taken

    refuse_taken(plot, None if out.on_stdout else out.file, replace=out.force)
    from costlab.cli.progress import progress
    from costlab.hardware.device import device
    from costlab.hardware.memory import memory as memory_of
    from costlab.report.tables.memory import breakdown_table, memory_table, orders_table

    on = None if device_name is None else device(device_name, devices_file)
    with progress("running it without memory"):
        held = memory_of(
            target,
            one_or_all(input_),
            batch=_symbol() if closed else batch or 1,
            train=train,
            optimizer=optimizer or "sgd",
            momentum=momentum,
            average=average,
            dtype=dtype,
        )
        tables = [
            memory_table(held, on)
            if by is None
            else breakdown_table(held, depth if depth is not None else 1, by, on)
        ]
        if by == "module" and not train and (orders := orders_table(held)) is not None:
            tables.append(orders)
        if plot is not None:
            _draw(held, plot, out.force)
    out.emit(*tables)


def _symbol() -> Any:
    from costlab.algebra.dim import symbols

    return symbols("N")


def _draw(held: "Memory", plot: Path, force: bool) -> None:
    from costlab.files import write
    from costlab.report.pictures.live_memory import live_memory_picture

    write(plot, live_memory_picture(held).file(), replace=force)

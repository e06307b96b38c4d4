"""``--device`` and ``--devices-from``, shared by the commands that ask a device."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from costlab.cli.lazy import completes
from costlab.cli.output import FilePath

F = TypeVar("F", bound=Callable[..., object])


class DeviceName(click.ParamType[str]):
    """A device as it is typed."""

    name = "NAME"
    wanted = "such as h200 (costlab list --devices shows more)"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)


def device_option(text: str, *, required: bool = False) -> Callable[[F], F]:
    """``--device NAME``, for `costlab.hardware.device.device` with what `devices_from_option` gives."""
    return click.option(
        "--device",
        "device_name",
        type=DeviceName(),
        metavar="NAME",
        required=required,
        shell_complete=completes("hardware"),
        help=f"{text} costlab list --devices shows them.",
    )


def devices_from_option(command: F) -> F:
    """``--devices-from FILE``: a CSV file of devices of one's own."""
    return click.option(
        "--devices-from",
        "devices_file",
        type=FilePath(),
        metavar="FILE",
        help="Take devices from this CSV file, too.",
    )(command)

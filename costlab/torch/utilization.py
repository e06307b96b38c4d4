"""Model-flops utilization: the share of a device's peak that a step reaches."""

from contextlib import suppress
from math import inf
from numbers import Real
from typing import Any, Self

import torch
from torch import nn

from costlab.algebra.inputs import as_input
from costlab.errors import DefinitionError
from costlab.hardware.device import Device
from costlab.messages import named
from costlab.torch.peaks import AUTO, device_for, type_for
from costlab.torch.step_cost import refuse_other, step_cost


class Utilization(float):
    """The share of a peak that was reached: ``2 * multiply_adds / (seconds * peak * devices)``.

    A number as any other, which tells what it was computed from: ``multiply_adds`` of all that ran in
    ``seconds``, on so many ``devices`` with a ``peak`` in FLOP per second each, in ``dtype``; ``device`` is
    the name of one. Above 1 is what no device reaches: the time is of something else, such as that of kernels
    being launched and not waited for.
    """

    multiply_adds: int
    seconds: float
    peak: int
    device: str
    dtype: str
    devices: int

    def __new__(
        cls, multiply_adds: int, seconds: float, peak: int, device: str, dtype: str, devices: int = 1
    ) -> Self:
        made = super().__new__(cls, 2 * multiply_adds / (seconds * peak * devices))
        made.multiply_adds, made.seconds, made.peak = multiply_adds, seconds, peak
        made.device, made.dtype, made.devices = device, dtype, devices
        return made

    @property
    def utilization(self) -> float:
        """The share itself, as a plain number."""
        return float(self)

    @property
    def flop_per_second(self) -> float:
        """What was reached on all devices, two FLOP per multiply-add."""
        return 2 * self.multiply_adds / self.seconds

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.multiply_adds, self.seconds, self.peak, self.device, self.dtype, self.devices

    def __repr__(self) -> str:
        several = f"{self.devices} x " if self.devices != 1 else ""
        return (
            f"<{float(self):.2%}: {self.multiply_adds:,} multiply-adds in {self.seconds:.6g} s, "
            f"of {self.peak / 1e12:.6g} TFLOP/s of {several}{self.device} in {self.dtype}>"
        )


def mfu(
    module: nn.Module,
    inputs: Any,
    seconds: float,
    *,
    device: str | Device = AUTO,
    dtype: str | torch.dtype | None = None,
    steps: int = 1,
    devices: int = 1,
    backward: bool = True,
    recomputation: bool = False,
) -> Utilization:
    """The share of the peak that a step reaches: ``2 * multiply_adds * steps / (seconds * peak * devices)``.

    The multiply-adds are those of ``costlab.count(module, inputs, backward=True)``, forward and the gradients
    that are wanted, without what activation checkpointing and fused attention run again; with
    ``recomputation`` that is counted, too, which makes it the utilization of the hardware (HFU). Without
    ``backward`` forward alone is counted, as in inference. The count is made once for each form of the module
    and sizes of the inputs; the module stays as it is.

    Args:
        module: It is traced; compiled modules and those in DistributedDataParallel as the one within.
        inputs: What it is called with, as for `costlab.count`: a tensor, a tuple of them, a dictionary by
            name, or their sizes.
        seconds: What passed, with a device of its own waited for (``torch.cuda.synchronize()``).
        device: A name of ``costlab list --devices`` or a `costlab.Device`; ``auto`` is the module's CUDA
            device.
        dtype: The type whose peak is meant. Without one: that of autocast where it is on, else that of most
            parameters; for float32 ``tf32`` where torch is let use it.
        steps: How many times forward and backward ran in these seconds, as in gradient accumulation.
        devices: How many share these inputs. Where each process has its own, as in data parallelism, it is 1:
            the share is the same for one device with its inputs and for all with theirs.
        backward: Whether gradients were computed.
        recomputation: Whether what runs again counts.

    Raises:
        DefinitionError: what is given is no module, or seconds, steps or devices are no such number.
        DeviceError: the device or its peak in this type is not known.
        TargetError: the module cannot be traced, as of `costlab.count`.

    Source: Chowdhery et al., PaLM, 2022 (arXiv:2204.02311), section 4.1 and appendix B.
    """
    time = _time(seconds)
    refuse_counts(steps=steps, devices=devices)
    refuse_other(module)
    on = device_for(device, module)
    cost = step_cost(module, as_input(inputs), backward=backward, recomputation=recomputation)
    kind = type_for(dtype, module, cost, on)
    return Utilization(cost.multiply_adds * steps, time, on.peak(kind), on.name, kind, devices)


def _time(seconds: object) -> float:
    if isinstance(seconds, Real) and not isinstance(seconds, bool):  # one of NumPy is real, too
        with suppress(OverflowError):
            if 0 < float(seconds) < inf:
                return float(seconds)
    raise DefinitionError(f"seconds={named(seconds)} must be a number above 0")


def refuse_counts(least: int = 1, **numbers: Any) -> None:
    """Refuse what cannot be a number of steps or devices.

    Raises:
        DefinitionError: one is no whole number, or below the least.
    """
    for name, number in numbers.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < least:
            raise DefinitionError(f"{name}={named(number)} must be a whole number of at least {least}")

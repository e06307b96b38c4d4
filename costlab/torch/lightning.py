"""A callback for Lightning that logs what a step costs, and the share of the peak that it reaches."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from torch import nn

from costlab.hardware.device import Device
from costlab.torch.meter import EVERY, WARM_UP, TrainerMeter, refuse_settings
from costlab.torch.peaks import AUTO
from costlab.torch.training_step import TrainingStep

PACKAGES = ("lightning", "pytorch_lightning")
HOMES = {"lightning": "lightning.pytorch", "pytorch_lightning": "pytorch_lightning"}
PRECISIONS = {"64": "float64", "bf16": "bfloat16", "16": "float16", "transformer-engine": "float8"}


def _callback() -> Any:
    """The class of callbacks of the one of both packages that is in use, or else installed.

    Raises:
        ModuleNotFoundError: neither is installed.
    """
    used = [each for each in PACKAGES if HOMES[each] in sys.modules]
    for each in used or [each for each in PACKAGES if find_spec(each) is not None]:
        return import_module(HOMES[each]).Callback
    raise ModuleNotFoundError("costlab.torch.lightning needs Lightning: pip install 'costlab[lightning]'")


class CostCallback(_callback()):  # type: ignore[misc]  # one of two classes, by what is there
    """Logs the multiply-adds of a step, samples and tokens a second, and the share of the device's peak.

    The names and the windows are those of `costlab.torch.StepMeter`; every logger of the trainer is given
    them, and ``metrics`` holds the last. A step is what lies between two of the optimizer, with all batches
    whose gradients it takes; what counts is ``training_step``, from the batch to the loss, and all gradients.
    Evaluation, checkpoints and what lies between epochs are no part of the time. What all processes do
    together is told, as if each did what the first one does.

    Args:
        device: A name of ``costlab list --devices`` or a `costlab.Device`; ``auto`` is the module's CUDA
            device, None leaves the share out.
        every: Steps of a window.
        warm_up: Steps before the first window.
        dtype: The type whose peak is meant; without one, that of the trainer's precision.
        multiply_adds: Gives those of forward and backward on a batch, for a step that cannot be traced.

    Raises:
        DefinitionError: every or warm_up is no such number.
        DeviceError: there is no such device.
    """

    def __init__(
        self,
        device: str | Device | None = AUTO,
        every: int = EVERY,
        *,
        warm_up: int = WARM_UP,
        dtype: str | None = None,
        multiply_adds: Callable[[Any], int] | None = None,
    ) -> None:
        super().__init__()
        refuse_settings(device, every, warm_up)
        self._settings: dict[str, Any] = {
            "device": device,
            "every": every,
            "warm_up": warm_up,
            "multiply_adds": None if multiply_adds is None else lambda inputs: multiply_adds(inputs[0]),
        }
        self._dtype = dtype
        self._meter: TrainerMeter | None = None
        self._stepped = 0
        self.metrics: Mapping[str, float] = {}

    def on_train_start(self, trainer: Any, pl_module: nn.Module) -> None:
        """Begin anew."""
        self._stepped = trainer.global_step
        self._meter = None
        if trainer.is_global_zero:
            dtype = self._dtype or type_of(str(trainer.precision))
            self._meter = TrainerMeter(
                TrainingStep(pl_module), dtype=dtype, replicas=trainer.world_size, **self._settings
            )

    def on_train_batch_start(self, trainer: Any, pl_module: nn.Module, batch: Any, batch_idx: int) -> None:
        """Let the time run."""
        if self._meter is not None:
            self._meter.start()

    def on_train_batch_end(
        self, trainer: Any, pl_module: nn.Module, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the batch, and tell what there is to tell if a window ends with it."""
        if self._meter is None:
            return
        self._meter.batch((batch,), batch)
        if trainer.global_step == self._stepped:
            return
        self._stepped = trainer.global_step
        told = self._meter.step()
        if told is not None:
            self.metrics = told
            for logger in trainer.loggers:
                logger.log_metrics(dict(told), step=trainer.global_step)

    def on_train_end(self, trainer: Any, pl_module: nn.Module) -> None:
        """Let go of the module."""
        self._meter = None

    def _pause(self, *_: Any) -> None:
        if self._meter is not None:
            self._meter.pause()

    on_validation_start = on_train_epoch_end = on_save_checkpoint = _pause


def type_of(precision: str) -> str | None:
    """The type in which a trainer of that precision computes; None for 32 bits, which torch decides on."""
    known = (PRECISIONS[each] for each in PRECISIONS if precision.startswith(each))
    return "float16" if precision == "transformer-engine-float16" else next(known, None)

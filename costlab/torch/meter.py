"""What the steps of a training loop cost, and the share of the device's peak that they reach."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any
from warnings import warn

import torch
from torch import nn

from costlab.algebra.inputs import Inputs, as_inputs
from costlab.errors import CostlabError, one_line
from costlab.hardware.device import Device
from costlab.torch.form import first_of_batch
from costlab.torch.peaks import AUTO, device_for, given_device, type_for
from costlab.torch.step_cost import StepCost, known_cost, refuse_other, step_cost
from costlab.torch.utilization import Utilization, refuse_counts
from costlab.torch.window import Batch, Window, Windows

EVERY = 50
WARM_UP = 3
SINGLE, HALF = ("float32", "tf32"), ("bfloat16", "float16")
"""Types that parameters are mostly kept in, and those that autocast makes of them."""
MANY_TRACES = 50
"""Traces after which it is said that the loop stands still in each."""


class StepMeter:
    """Measures the steps of a training loop: multiply-adds of a step, samples and tokens a second, and MFU.

    A window is ``every`` steps; the first ``warm_up`` ones, in which kernels are chosen and compiled, are in
    none. A CUDA device is waited for at the ends of a window alone. Each batch is counted at its own size, by
    a trace the first time that its sizes come up, during which the time is stopped. What cannot be counted,
    or held against a peak, is left out, with one warning that says why.

    Args:
        module: What is trained, as for `costlab.torch.mfu`.
        device: As for `costlab.torch.mfu`; None leaves the share of the peak out.
        dtype: As there; of autocast that is on in forward alone nothing is seen, so its type is to be given.
        every: Steps of a window.
        warm_up: Steps before the first window.
        devices: How many devices share each batch.
        replicas: How many processes do the same with batches of their own, as in data parallelism: those of
            all are told, as if they were as large as these.
        multiply_adds: Gives those of forward and backward on a batch, for a module that cannot be traced.

    Raises:
        DefinitionError: what is trained is no module, or every, warm_up, devices or replicas no such number.
        DeviceError: there is no such device.
    """

    autocast_is_known = False
    """Whether the type is that of autocast, or there is none; a meter sees only what is on around it."""

    def __init__(
        self,
        module: nn.Module,
        *,
        device: str | Device | None = AUTO,
        dtype: str | torch.dtype | None = None,
        every: int = EVERY,
        warm_up: int = WARM_UP,
        devices: int = 1,
        replicas: int = 1,
        multiply_adds: Callable[[Any], int] | None = None,
    ) -> None:
        refuse_other(module)
        refuse_settings(device, every, warm_up)
        refuse_counts(devices=devices, replicas=replicas)
        self.module = module
        self._device, self._dtype = device, dtype
        self._devices, self._replicas = devices, replicas
        self._given = multiply_adds
        self._windows = Windows(every, warm_up, self._wait, perf_counter)
        self._cost: StepCost | None = None
        self._uncounted = self._is_above = False
        self._is_type_clear = self.autocast_is_known or dtype is not None
        self._traces = 0

    def start(self) -> None:
        """Let the time run: before the first batch, and after a pause. What is done before does not count."""
        self._windows.start()

    def pause(self) -> None:
        """Stop the time until it is started: for an evaluation, or where a checkpoint is written."""
        self._windows.pause()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What runs within is no part of a step."""
        ran = self._windows.runs
        self.pause()
        try:
            yield
        finally:
            if ran:
                self.start()

    def batch(self, inputs: Any, main: Any = None) -> None:
        """Forward and backward ran on a batch: what the module was called with.

        ``main`` is the part of it whose first axis says how many samples there are, else the first tensor.
        Of samples that stand in a list it is not told.
        """
        first = first_of_batch(inputs if main is None else main)
        sizes = () if first is None or first.is_nested else tuple(first.shape)
        is_text = len(sizes) == 2 and first is not None and first.dtype == torch.int64
        tokens = sizes[0] * sizes[1] if is_text else None
        self._windows.batch(Batch(self._count(inputs), sizes[0] if sizes else None, tokens))

    def step(self, inputs: Any = None) -> Mapping[str, float] | None:
        """The parameters were stepped, after forward and backward on a batch, or on those told before.

        At the end of a window what is to be logged, by name; None in between.
        """
        if inputs is not None:
            self.batch(inputs)
        window = self._windows.step()
        return None if window is None else self._told(window)

    def _count(self, inputs: Any) -> int | None:
        if self._given is not None:
            return self._given(inputs)
        if self._uncounted:
            return None
        try:
            given = as_inputs(inputs)
            self._cost = known_cost(self.module, given) or self._trace(given)
        except Exception as error:  # whatever it is, training goes on
            self._uncounted = True
            tell(f"multiply-adds are not logged, and multiply_adds= may give them: {one_line(error)}")
            return None
        return self._cost.multiply_adds

    def _trace(self, inputs: Inputs) -> StepCost:
        self._traces += 1
        if self._traces == MANY_TRACES:
            tell(
                f"{MANY_TRACES} forms of batches were traced, and the training stood still in each: pad them "
                "to few sizes, or give multiply_adds="
            )
        with self.paused():
            return step_cost(self.module, inputs)

    def _told(self, window: Window) -> Mapping[str, float]:
        told: dict[str, float] = {"costlab/step_seconds": window.seconds / window.steps}
        if not window.seconds:  # by a clock that is too coarse, or stopped
            return told
        everywhere = {name: getattr(window, name) for name in ("samples", "tokens")}
        for name, size in everywhere.items():
            if size is not None:
                told[f"costlab/{name}_per_second"] = size * self._replicas / window.seconds
        if window.multiply_adds is not None:
            whole = window.multiply_adds * self._replicas
            exact = whole % window.steps == 0
            told["costlab/multiply_adds"] = whole // window.steps if exact else whole / window.steps
            share = self._share(window)
            if share is not None:
                told["costlab/mfu"] = float(share)
        return told

    def _share(self, window: Window) -> Utilization | None:
        if self._device is None or not window.multiply_adds:
            return None
        try:
            on = device_for(self._device, self.module)
            cost = self._cost or StepCost(window.multiply_adds, 0)
            kind = type_for(self._dtype, self.module, cost, on)
            peak = on.peak(kind)
        except CostlabError as error:
            self._device = None
            tell(f"the share of the device's peak is not logged: {one_line(error)}")
            return None
        self._tell_type(kind, on)
        share = Utilization(window.multiply_adds, window.seconds, peak, on.name, kind, self._devices)
        if share > 1 and not self._is_above:
            self._is_above = True
            tell(f"no device reaches {share}: see that device and dtype are those of the training")
        return share

    def _tell_type(self, kind: str, on: Device) -> None:
        """Say once what type is meant where autocast, of which nothing is seen, would have a higher peak."""
        if not self._is_type_clear and kind in SINGLE and any(half in on.peaks for half in HALF):
            tell(
                f"the share is of the peak of {kind}: if autocast is on in forward, dtype='{HALF[0]}' or "
                f"another says its type; dtype='{kind}' says that it is this one"
            )
        self._is_type_clear = True

    def _wait(self) -> None:
        where = next((each.device for each in self.module.parameters()), None)
        if where is not None and where.type == "cuda":
            torch.cuda.synchronize(where)


class TrainerMeter(StepMeter):
    """A meter of a trainer, which says what autocast there is."""

    autocast_is_known = True


def refuse_settings(device: str | Device | None, every: int, warm_up: int) -> None:
    """Refuse what a meter cannot be made with.

    Raises:
        DefinitionError: every is no whole number above 0, or warm_up is none of at least 0.
        DeviceError: there is no such device.
    """
    refuse_counts(every=every)
    refuse_counts(0, warm_up=warm_up)
    if device not in (AUTO, None):
        given_device(device)


def tell(message: str) -> None:
    """Warn of what is left out, where training is to go on."""
    warn(f"costlab: {message}", stacklevel=2)

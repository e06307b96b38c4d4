"""A callback for transformers' Trainer that logs what a step costs, and the share of the peak it reaches."""

import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from costlab.algebra.inputs import Inputs
from costlab.hardware.device import Device
from costlab.torch.meter import EVERY, WARM_UP, TrainerMeter, refuse_settings
from costlab.torch.peaks import AUTO

if find_spec("transformers") is None:
    raise ModuleNotFoundError(
        "costlab.torch.transformers needs transformers: pip install 'costlab[transformers]'"
    )
from transformers.trainer_callback import TrainerCallback


class LossOf(nn.Module):
    """A model that gives its loss alone where it computes one: what a step goes back from."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The loss, or without one all that the model puts out."""
        output = self.model(*args, **kwargs)
        loss = output.get("loss") if isinstance(output, Mapping) else None
        return loss if isinstance(loss, Tensor) else output


class CostCallback(TrainerCallback):  # type: ignore[misc]  # its package is not read for its types
    """Logs the multiply-adds of a step, samples and tokens a second, and the share of the device's peak.

    The names and the windows are those of `costlab.torch.StepMeter`; ``metrics`` holds the last. A step is
    one of the optimizer, with all batches whose gradients it takes; what counts is the model in training as
    the trainer calls it, and the gradients of its loss. Evaluation, checkpoints and what else lies between
    steps where they are made are no part of the time. What all processes do together is told, as if each did
    what the first one does.

    Args:
        device: A name of ``costlab list --devices`` or a `costlab.Device`; ``auto`` is the model's CUDA
            device, None leaves the share out.
        every: Steps of a window.
        warm_up: Steps before the first window.
        dtype: The type whose peak is meant; without one, bfloat16 or float16 as the arguments of the trainer
            say, else that of the model.
        log: What is given the numbers of a window, such as ``trainer.log``, which hands them to all that
            report. Without it they stand beside the next loss, in ``trainer.state.log_history`` and what is
            printed.
        multiply_adds: Gives those of forward and backward on what the model is called with, a dictionary, for
            one that cannot be traced.

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
        log: Callable[[dict[str, float]], Any] | None = None,
        multiply_adds: Callable[[Any], int] | None = None,
    ) -> None:
        refuse_settings(device, every, warm_up)
        self._settings: dict[str, Any] = {
            "device": device,
            "every": every,
            "warm_up": warm_up,
            "multiply_adds": multiply_adds,
        }
        self._dtype, self._log = dtype, log
        self._meter: TrainerMeter | None = None
        self._hook: Any = None
        self._calls: list[tuple[Any, Any]] = []
        self._pending: Mapping[str, float] = {}
        self.metrics: Mapping[str, float] = {}

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin anew."""
        self._let_go()
        self._pending = {}
        if state.is_world_process_zero:
            self._meter = TrainerMeter(
                LossOf(kwargs["model"]),
                dtype=self._dtype or _type_of(args),
                devices=max(1, args.n_gpu),
                replicas=args.world_size,
                **self._settings,
            )

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Let the time run, and see what the model is called with until the step ends."""
        if self._meter is not None:
            self._meter.start()
            self._watch(kwargs["model"])

    def _watch(self, model: nn.Module) -> None:
        """See the calls of the model, without being compiled along with it."""
        self._unhook()
        apart: Any = torch.compiler.disable if "torch._dynamo" in sys.modules else None
        seen = self._called if apart is None else apart(self._called)
        self._hook = model.register_forward_pre_hook(seen, with_kwargs=True)

    def _called(self, model: nn.Module, args: Any, kwargs: Any) -> None:
        if torch.is_grad_enabled() and model.training:
            self._calls.append((args, kwargs))

    def on_substep_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count a batch whose gradients are kept for more."""
        self._count(kwargs["model"])
        if self._meter is not None:
            self._watch(kwargs["model"])

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count the batch, and tell what there is to tell if a window ends with it."""
        self._count(kwargs["model"])
        if self._meter is None:
            return
        told = self._meter.step()
        if control.should_evaluate or control.should_save:
            self._meter.pause()
        if told is not None:
            self.metrics = told
            if self._log is None:
                self._pending = told
            else:
                self._log(dict(told))

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """Put what is new beside a loss."""
        if self._pending and logs is not None and "loss" in logs:
            logs.update(self._pending)
            state.log_history[-1].update(self._pending)
            self._pending = {}

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop the time, which goes on with the next step."""
        if self._meter is not None:
            self._meter.pause()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Let go of the model."""
        self._let_go()

    def _count(self, model: nn.Module) -> None:
        self._unhook()
        calls, self._calls = self._calls, []
        for args, kwargs in calls:
            if self._meter is not None:
                name = getattr(model, "main_input_name", None)
                self._meter.batch(Inputs(args, kwargs) if args else kwargs, kwargs.get(name))

    def _unhook(self) -> None:
        if self._hook is not None:
            self._hook.remove()
            self._hook = None

    def _let_go(self) -> None:
        self._unhook()
        self._meter, self._calls = None, []


def _type_of(args: Any) -> str | None:
    """The type of the trainer's autocast; None where there is none."""
    return "bfloat16" if args.bf16 else "float16" if args.fp16 else None

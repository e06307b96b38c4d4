"""What a module of PyTorch holds in memory, traced on tensors that say they are on the CPU and have none.

To the byte what tensors hold on a CPU; kernels' workspace is not among it. Not exact is an LSTM, which runs
in oneDNN there, with a workspace that is kept, and is traced as it runs without; CUDA differs in dropout's
mask, flash attention and cuDNN's reserve. Attention runs in its parts, also where eval mode fuses them.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from costlab.errors import DefinitionError
from costlab.hardware.held.called import Called, kind_of_layer
from costlab.hardware.held.fakes import (
    Fakes,
    Sized,
    bytes_of,
    given_inputs,
    key_of,
    on_fakes,
    with_sizes,
)
from costlab.hardware.held.live import FlowWatch, Live
from costlab.hardware.held.moments import Inference, Part, Training
from costlab.hardware.held.optimizer import Optimizer
from costlab.hardware.held.precision import Precision
from costlab.hardware.held.refused import parameters_needed
from costlab.hardware.held.saved_tensors import SavedTensors
from costlab.hardware.held.traced_step import TracedStep
from costlab.tracing.holdings import tensors_within
from costlab.tracing.lazy import has_lazy

SEVERAL = "several types"
"""What is said of the type of a module whose parameters have not one."""


def trace_inference(module: nn.Module, inputs: Sized, dtype: Precision | None) -> Inference:
    """A forward pass in eval mode, without gradients."""
    with on_fakes(module, inputs, dtype, training=False) as run, torch.no_grad():
        called = Called()
        there = run.fakes.storages
        watch = FlowWatch(there, run.fakes.inputs, lambda: run.tracker.path, called.kind_of)
        with run.autocast(), called, watch:
            flow = watch.flow(list(tensors_within(run.forward())))
        live = Live(there, lambda: run.tracker.path)
        with run.autocast(), live:
            run.forward()
        return Inference(flow, tuple(live.moments), run.fakes.given)


def trace_training(
    module: nn.Module, inputs: Sized, dtype: Precision | None, optimizer: Optimizer
) -> Training:
    """A step of training of a module, in the mode that it is in.

    The loss is the mean cross-entropy over axis 1 of each output that has one, of others their sum; those
    after the first weigh 0.4. The moments are of the second step, so that the optimizer's state exists.
    """
    with on_fakes(module, inputs, dtype, training=True) as run, torch.enable_grad():
        if next(run.model.parameters(), None) is None:
            raise parameters_needed(run.tracker.title)
        step = TracedStep(run, optimizer.of_torch(run.model.parameters()))
        saved = SavedTensors(run)
        step.run(saved.forward)
        there = [*run.fakes.storages, *(each.untyped_storage() for each in step.held())]
        live = Live(there, lambda: run.tracker.path)
        with live:
            step.run(run.forward, live)
        state = bytes_of(step.state())
        return Training(tuple(saved.kept), tuple(live.moments), step.gradients, state, run.fakes.given)


def type_of(module: nn.Module, inputs: Sized) -> str:
    """The name of the type of a module's parameters, where it stays as it is."""
    _, named = with_sizes(module, given_inputs(inputs))
    of_all = Fakes(None, [each for _, each in named]).type
    return SEVERAL if of_all is None else str(of_all).removeprefix("torch.")


def parts_of(module: nn.Module, dtype: Precision | None, inputs: Sized | None = None) -> tuple[Part, ...]:
    """What each module in a module holds itself, in a type; ``inputs`` give a lazy one its sizes.

    Raises:
        DefinitionError: it is lazy, and has no sizes without inputs.
        TargetError: it is scripted or quantized.
    """
    _, named = with_sizes(module, None if inputs is None else given_inputs(inputs))
    modules = {id(each): each for _, each in named}.values()
    if has_lazy(list(modules)):
        raise DefinitionError(f"{type(module).__name__}: it is lazy, and has no sizes without an input")
    fakes = Fakes(dtype, modules)
    parts: list[Part] = []
    seen: set[int] = set()

    def new(tensors: Iterable[Tensor | None]) -> int:
        there = (fakes(tensor) for tensor in tensors if tensor is not None)
        made = [each for each in there if key_of(each) not in seen]
        size = bytes_of(made)
        seen.update(map(key_of, made))
        return size

    for path, part in named:
        weights, buffers = new(part._parameters.values()), new(part._buffers.values())
        if weights or buffers:
            parts.append(Part(path, kind_of_layer(part), weights, buffers))
    return tuple(parts)

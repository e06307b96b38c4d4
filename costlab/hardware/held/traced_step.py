"""A step of training of a traced module: forward, loss, backward, the optimizer."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from costlab.hardware.held.fakes import CPU, Run, bytes_of
from costlab.hardware.held.live import Live
from costlab.hardware.held.moments import Phase
from costlab.hardware.held.refused import gradients_needed
from costlab.tracing.gradients import tag
from costlab.tracing.holdings import tensors_within

FURTHER = 0.4
"""The weight in the loss of each output after the first, as of auxiliary heads."""


class TracedStep:
    """A step of training that can be run more than once; its targets are made in the first."""

    def __init__(self, run: Run, optimizer: Optimizer) -> None:
        self.gradients = 0
        self._run = run
        self._optimizer = optimizer
        self._targets: dict[tuple[int, ...], Tensor] = {}

    def run(self, forward: Callable[[], Any], live: Live | None = None) -> None:
        """Go forward and back, and update the parameters; what is put out is held until the end."""
        phase: Callable[[Phase], None] = live.enter if live is not None else _unseen
        phase("forward")
        with self._run.autocast():
            output = forward()
            losses = [each for each in tensors_within(output) if each.requires_grad]
            if not losses:
                raise gradients_needed(self._run.tracker.title)
            phase("loss")
            loss: Any = sum((FURTHER if place else 1) * self._loss(each) for place, each in enumerate(losses))
        tag(loss, "")
        phase("backward")
        loss.backward()
        self.gradients = bytes_of(each.grad for each in self._run.model.parameters() if each.grad is not None)
        phase("optimizer")
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)

    def _loss(self, output: Tensor) -> Tensor:
        if output.dim() < 2:
            return output.sum()
        sizes = (output.shape[0], *output.shape[2:])
        if sizes not in self._targets:
            self._targets[sizes] = torch.zeros(sizes, dtype=torch.int64, device=CPU)
        return nn.functional.cross_entropy(output, self._targets[sizes])

    def state(self) -> list[Tensor]:
        """The tensors that the optimizer keeps."""
        return [each for held in self._optimizer.state.values() for each in tensors_within(held)]

    def held(self) -> list[Tensor]:
        """What is there before a step, beside the module and its inputs."""
        return [*self._targets.values(), *self.state()]


def _unseen(phase: Phase) -> None:
    """What the first step enters, which is not watched."""

"""The multiply-adds of a step, traced once for each form of a module and of its inputs."""

from collections.abc import Hashable
from contextlib import nullcontext
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from torch import nn

from costlab.counting.count import count
from costlab.errors import DefinitionError
from costlab.messages import named
from costlab.torch.form import form_of_inputs, form_of_module
from costlab.torch.recomputation import run_once
from costlab.torch.training_step import by_itself
from costlab.tracing.process import unwrapped

REMEMBERED = 256
"""Forms of one module of which the cost is kept."""


class StepCost(NamedTuple):
    """The multiply-adds of a step, and those of them that are of convolutions."""

    multiply_adds: int
    of_convolutions: int


_known: WeakKeyDictionary[nn.Module, dict[Hashable, StepCost]] = WeakKeyDictionary()


def refuse_other(module: object) -> None:
    """Refuse what is no module.

    Raises:
        DefinitionError: it is something else.
    """
    if not isinstance(module, nn.Module):
        raise DefinitionError(f"module={named(module)} is no torch.nn.Module")


def known_cost(
    module: nn.Module, inputs: Any, *, backward: bool = True, recomputation: bool = False
) -> StepCost | None:
    """The cost of a step that was counted before, at these sizes and in this form; None if it was not."""
    subject = unwrapped(module)
    return _known.get(subject, {}).get(_key(subject, inputs, backward, recomputation))


def step_cost(
    module: nn.Module, inputs: Any, *, backward: bool = True, recomputation: bool = False
) -> StepCost:
    """The cost of a step on some inputs, counted once: forward and the gradients, or forward alone.

    Raises:
        TargetError, DefinitionError: as `costlab.count`.
    """
    subject = unwrapped(module)
    key = _key(subject, inputs, backward, recomputation)
    costs = _known.setdefault(subject, {})
    if key not in costs:
        with by_itself(subject), nullcontext() if recomputation else run_once():
            counted = count(subject, inputs, backward=backward)
        convolutions = sum(int(work.multiply_adds) for work in counted.works if work.kind.startswith("conv"))
        while len(costs) >= REMEMBERED:
            del costs[next(iter(costs))]
        costs[key] = StepCost(int(counted.multiply_adds), convolutions)
    return costs[key]


def _key(subject: nn.Module, inputs: Any, backward: bool, recomputation: bool) -> Hashable:
    return form_of_module(subject), form_of_inputs(inputs), backward, recomputation

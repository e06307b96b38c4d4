"""The multiply-adds of a step, traced once for each form of a module and of its inputs."""

from collections.abc import Hashable
from contextlib import nullcontext
from typing import Any, NamedTuple, TypeVar
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
"""Forms of inputs of which the cost is kept, of one module."""
FORMS = 16
"""Forms of one module that are kept, which are large."""
V = TypeVar("V")


class StepCost(NamedTuple):
    """The multiply-adds of a step, and those of them that are of convolutions."""

    multiply_adds: int
    of_convolutions: int


_known: WeakKeyDictionary[nn.Module, dict[Hashable, dict[Hashable, StepCost]]] = WeakKeyDictionary()
"""The costs by the module, its form, and that of its inputs."""


def refuse_other(module: object) -> None:
    """Refuse what is no module.

    Raises:
        DefinitionError: it is something else.
    """
    if not isinstance(module, nn.Module):
        raise DefinitionError(f"module={named(module)} is no torch.nn.Module")


def known_cost(module: nn.Module, inputs: Any) -> StepCost | None:
    """The cost of forward and the gradients, if it was counted before in this form; else None."""
    subject = unwrapped(module)
    of_form = _known.get(subject, {}).get(form_of_module(subject), {})
    return of_form.get(_key(inputs))


def step_cost(
    module: nn.Module, inputs: Any, *, backward: bool = True, recomputation: bool = False
) -> StepCost:
    """The cost of a step on some inputs, counted once: forward and the gradients, or forward alone.

    Raises:
        TargetError, DefinitionError: as `costlab.count`.
    """
    subject = unwrapped(module)
    costs = _known.setdefault(subject, {})
    form, key = form_of_module(subject), _key(inputs, backward, recomputation)
    if key not in costs.get(form, {}):
        with by_itself(subject), nullcontext() if recomputation else run_once():
            counted = count(subject, inputs, backward=backward)
        convolutions = sum(int(work.multiply_adds) for work in counted.works if work.kind.startswith("conv"))
        of_form = _kept(costs, form, {}, FORMS)
        return _kept(of_form, key, StepCost(int(counted.multiply_adds), convolutions), REMEMBERED)
    return costs[form][key]


def _key(inputs: Any, backward: bool = True, recomputation: bool = False) -> Hashable:
    return form_of_inputs(inputs), backward, recomputation


def _kept(held: dict[Hashable, V], key: Hashable, new: V, most: int) -> V:
    """What is held at a key, or what is new, for which the oldest makes room."""
    while key not in held and len(held) >= most:
        del held[next(iter(held))]
    return held.setdefault(key, new)

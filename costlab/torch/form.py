"""What the cost of a step hangs on: the form of a module, and that of what it is called with."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from costlab.algebra.inputs import TensorInput

NAMED = frozenset([bool, str])
ALL = frozenset([bool, str, int, float, tuple])
FREE = frozenset(["p", "momentum", "eps"])
"""Settings of layers on which no cost hangs, and which are changed from step to step."""


def form_of_module(module: nn.Module) -> Hashable:
    """What tells a module from itself after a change: its modules, parameters, their modes and settings.

    Of the layers of torch the numbers count, such as a stride; of other modules the switches and words alone,
    since their numbers may count the steps.
    """
    return tuple(
        (name, type(each), tuple(_parameters(each)), _settings(each)) for name, each in module.named_modules()
    )


def _parameters(module: nn.Module) -> Iterator[Hashable]:
    for name, each in module._parameters.items():
        yield (name, *(_of_tensor(each) if isinstance(each, Tensor) else ()))


def _settings(module: nn.Module) -> tuple[Hashable, ...]:
    own = module.__dict__
    told = ALL if type(module).__module__.startswith("torch.nn.") else NAMED
    plain = [
        item
        for item in own.items()
        if type(item[1]) in told
        and item[0] not in FREE
        and (type(item[1]) is not tuple or _is_plain(item[1]))
    ]
    if "forward" in own:  # put in the place of the class's; not held, as it may hold the module
        plain.append(("forward", id(own["forward"])))
    return tuple(plain)


def _is_plain(value: object) -> bool:
    return type(value) in ALL and (not isinstance(value, tuple) or all(map(_is_plain, value)))


def _of_tensor(tensor: Tensor) -> tuple[Hashable, ...]:
    if is_lazy(tensor):  # which has no sizes yet
        return (type(tensor),)
    if tensor.is_nested:
        return tuple(map(_of_tensor, tensor.unbind()))
    return tuple(tensor.shape), tensor.dtype, tensor.requires_grad


def form_of_inputs(value: Any) -> Hashable:
    """The sizes and types of what a module is called with; whole numbers and switches as they are."""
    if isinstance(value, Tensor):
        return _of_tensor(value)
    if isinstance(value, bool | int | TensorInput):
        return value
    if isinstance(value, Mapping):
        return tuple((str(key), form_of_inputs(each)) for key, each in value.items())
    if isinstance(value, tuple | list):
        return (type(value), *map(form_of_inputs, value))
    held = getattr(value, "__dict__", None)  # such as a batch that is an object of a class
    return type(value), form_of_inputs(held) if isinstance(held, dict) and not callable(value) else None


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors of a batch, in their order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from tensors_in(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from tensors_in(each)
    elif isinstance(held := getattr(value, "__dict__", None), dict) and not callable(value):
        yield from tensors_in(held)

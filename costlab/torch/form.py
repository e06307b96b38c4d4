"""What the cost of a step hangs on: the form of a module, and that of what it is called with."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from enum import Enum
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from costlab.algebra.inputs import Inputs, TensorInput
from costlab.algebra.within import attributes_of, slots_of
from costlab.tracing.holdings import tensors_within

NAMED = frozenset([bool, str])
ALL = frozenset([bool, str, int, float, tuple])
FREE = frozenset(["p", "momentum", "eps"])
"""Settings of layers on which no cost hangs, and which are changed from step to step."""
DEEPEST = 20
"""How far a batch is looked into, which may hold itself."""


def form_of_module(module: nn.Module) -> Hashable:
    """What tells a module from itself after a change: its modules, tensors, hooks, modes and settings.

    Of the layers of torch the numbers count, such as a stride; of other modules the switches and words alone,
    since their numbers may count the steps.
    """
    return tuple(
        (name, type(each), tuple(_tensors(each)), tuple(_hooks(each)), _settings(each))
        for name, each in module.named_modules()
    )


def _tensors(module: nn.Module) -> Iterator[Hashable]:
    for held in (module._parameters, module._buffers):
        for name, each in held.items():
            yield (name, *(_of_tensor(each) if isinstance(each, Tensor) else ()))


def _hooks(module: nn.Module) -> Iterator[Hashable]:
    """By their names, since some are taken away and put on again in each step."""
    for held in (module._forward_pre_hooks, module._forward_hooks):
        for each in held.values():
            yield str(getattr(each, "__qualname__", type(each)))


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
        instead = own["forward"]
        plain.append(("forward", (id(instead), getattr(instead, "__code__", None))))  # another may get its id
    return tuple(plain)


def _is_plain(value: object) -> bool:
    return type(value) in ALL and (not isinstance(value, tuple) or all(map(_is_plain, value)))


def _of_tensor(tensor: Tensor) -> tuple[Hashable, ...]:
    if is_lazy(tensor):  # which has no sizes yet
        return (type(tensor),)
    if tensor.is_nested:
        return tuple(map(_of_tensor, tensor.unbind()))
    return tuple(tensor.shape), tensor.dtype, tensor.requires_grad


def form_of_inputs(inputs: Any) -> Hashable:
    """The sizes and types of what a module is called with; whole numbers, switches and words as they are.

    Words count where each is an argument, and not within a batch, whose words are data.
    """
    if not isinstance(inputs, Inputs):
        return _form(inputs)
    named = ((name, _of_argument(each)) for name, each in inputs.kwargs.items())
    return (*map(_of_argument, inputs.args), *named)


def _of_argument(value: Any) -> Hashable:
    return value if isinstance(value, str) else _form(value)


def _form(value: Any) -> Hashable:
    if isinstance(value, Tensor):
        return _of_tensor(value)
    if isinstance(value, bool | int | Enum):
        return type(value), value
    if isinstance(value, TensorInput):
        return value
    if isinstance(value, Mapping):
        return tuple((str(key), _form(each)) for key, each in value.items())
    if isinstance(value, tuple | list):
        return (type(value), *map(_form, value))
    return type(value), *((name, _form(each)) for name, each in _attributes(value).items())


def _attributes(value: Any) -> Mapping[str, Any]:
    """Those of a batch that is an object of a class."""
    if callable(value):
        return {}
    held = dict(attributes_of(value) or {})
    for slot in slots_of(type(value)):
        with suppress(AttributeError):  # which nothing was put into
            held[slot.__name__] = slot.__get__(value)
    return held


def first_of_batch(value: Any) -> Tensor | None:
    """The first tensor of a batch, the first axis of which is that of its samples.

    None where it holds none, or its samples stand in a list, each a tensor or a dictionary of its own.
    """
    for _ in range(DEEPEST):
        if isinstance(value, Tensor):
            return value
        parts = [each for each in _parts(value) if next(tensors_within(each), None) is not None]
        listed = len(parts) > 1 and isinstance(value, tuple | list)
        are_samples = listed and all(isinstance(each, Mapping) for each in parts)
        if not parts or are_samples or isinstance(parts[0], tuple | list):
            return None
        value = parts[0]
    return None


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, Inputs):
        return (*value.args, *value.kwargs.values())
    if isinstance(value, Mapping):
        return value.values()
    if isinstance(value, tuple | list):
        return value
    return _attributes(value).values()

"""Objects of many classes with tensors in them, pictures of these, and what a model may do to them."""

import argparse
import random
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class Plain:
    """An object of one's own, with tensors in all that it holds."""

    def __init__(self, **held: Any) -> None:
        self.__dict__.update(held)


class Slotted:
    """An object without a dictionary."""

    __slots__ = ("__hidden", "more", "tensor")

    def __init__(self, tensor: Tensor, more: Any = None) -> None:
        self.tensor, self.more, self.__hidden = tensor, more, [tensor]


class SlottedBelow(Slotted):
    """One with both."""


@dataclass
class Record:
    """A dataclass."""

    tensor: Tensor
    others: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frozen:
    """A frozen dataclass."""

    tensor: Tensor
    within: Any = None


class Output(OrderedDict[str, Any]):
    """As the outputs of transformers: its values are attributes, too, and it refuses changes."""

    def __init__(self, **held: Any) -> None:
        super().__init__(held)
        self.__dict__.update(held)

    def update(self, *_: Any, **__: Any) -> None:
        raise TypeError("not for this class")

    def clear(self) -> None:
        raise TypeError("not for this class")


Pair = namedtuple("Pair", "tensor rest")  # noqa: PYI024  # one without types is what is tried


def one() -> Tensor:
    return torch.rand(2, 3)


def cyclic() -> Plain:
    whole = Plain(tensor=one())
    whole.itself = [whole]  # type: ignore[attr-defined]  # it has any attribute
    return whole


MAKERS: dict[str, Callable[[], Any]] = {
    "tensor": one,
    "integers": lambda: torch.tensor([2, 3]),
    "object": lambda: Plain(tensor=one(), list=[one(), {"x": one()}], number=1),
    "slots": lambda: Slotted(one(), [one()]),
    "slots and more": lambda: SlottedBelow(one(), Slotted(one())),
    "dataclass": lambda: Record(one(), [one()]),
    "frozen": lambda: Frozen(one(), Frozen(one(), [one()])),
    "namespace": lambda: SimpleNamespace(tensor=one(), deep=SimpleNamespace(tensor=one())),
    "arguments": lambda: argparse.Namespace(tensor=one()),
    "user dict": lambda: UserDict(tensor=one(), other=[one()]),
    "user list": lambda: UserList([one(), one()]),
    "chain": lambda: ChainMap({"tensor": one()}, {"other": one()}),
    "ordered": lambda: OrderedDict(tensor=one(), other=one()),
    "output": lambda: Output(tensor=one(), other=[one()]),
    "default": lambda: defaultdict(list, tensor=[one()]),
    "counter": lambda: Counter("abb"),
    "deque": lambda: deque([one(), one()], maxlen=3),
    "set": lambda: {one()},
    "named tuple": lambda: Pair(one(), [one()]),
    "tuple": lambda: (one(), (one(), [one()])),
    "top of two": lambda: torch.rand(2, 3).max(1),
    "packed": lambda: nn.utils.rnn.pack_padded_sequence(torch.rand(3, 2, 3), torch.tensor([3, 2])),
    "distribution": lambda: torch.distributions.Normal(one(), one() + 1),
    "array": lambda: np.arange(6.0).reshape(2, 3),
    "module in a list": lambda: [nn.BatchNorm1d(3)],
    "cycle": cyclic,
    "random": lambda: random.Random(3),
    "numpy's random": lambda: np.random.default_rng(3),
    "torch's random": lambda: torch.Generator().manual_seed(3),
}


def drawn(value: Any) -> Any:
    """A copy of the state of a generator; None for anything else."""
    if isinstance(value, random.Random):
        return value.getstate()
    if isinstance(value, torch.Generator):
        return value.get_state().tolist()
    return str(value.bit_generator.state) if isinstance(value, np.random.Generator) else None


def picture(value: Any, seen: dict[int, int] | None = None) -> Any:
    """All of a value, by identity, class, and what it holds; tensors with their values and versions."""
    seen = {} if seen is None else seen
    if id(value) in seen:
        return seen[id(value)]
    seen[id(value)] = len(seen)
    head: Any = (id(value) if not isinstance(value, tuple) else None, type(value))
    if isinstance(value, Tensor):
        grad = None if value.grad is None else value.grad.tolist()
        return head, value.tolist(), value._version, value.requires_grad, grad, value.data_ptr()
    if isinstance(value, np.ndarray):
        return head, value.tolist()
    if (state := drawn(value)) is not None:
        return head, state
    items = value.items() if isinstance(value, dict) else enumerate(members(value))
    return head, [(key, picture(each, seen)) for key, each in (*items, *attributes(value))]


def members(value: Any) -> list[Any]:
    """What a container without names holds."""
    return list(value) if isinstance(value, list | tuple | deque | set) else []


def attributes(value: Any) -> list[tuple[str, Any]]:
    """The attributes of an object, in its dictionary and in slots, those too that are private to a class."""
    found = []
    for base in type(value).__mro__:
        for name in base.__dict__.get("__slots__", ()):
            private = name.startswith("__") and not name.endswith("__")
            known = f"_{base.__name__}{name}" if private else name
            found.append((known, getattr(value, known, None)))
    held = getattr(value, "__dict__", None)
    return found + (list(held.items()) if isinstance(held, dict) and not isinstance(value, type) else [])


def change_itself(value: Any) -> None:
    """Change a tensor, an array or a generator."""
    if isinstance(value, Tensor):
        value.add_(1)
        if value.is_floating_point():
            value.requires_grad_()
    elif isinstance(value, np.ndarray):
        value += 1
    elif isinstance(value, random.Random | np.random.Generator):
        value.random()
    elif isinstance(value, torch.Generator):
        torch.rand(2, generator=value)


def spoil(value: Any, y: Tensor, seen: set[int]) -> None:
    """Change whatever can be changed in a value, as far as its class allows."""
    if id(value) in seen or isinstance(value, type | str | int | float | None):
        return
    seen.add(id(value))
    change_itself(value)
    if isinstance(value, Tensor) or type(value) is OrderedDict:
        return
    if isinstance(value, np.ndarray):
        return  # data written into it is told
    within = value.values() if isinstance(value, dict) else members(value)
    for each in (*within, *(each for _, each in attributes(value))):
        spoil(each, y, seen)
    for change in (
        lambda: value.append(y),
        lambda: value.add(y),
        lambda: value.__setitem__("tensor", y),
        lambda: value.__setitem__(0, y),
        lambda: setattr(value, "tensor", y),
        lambda: setattr(value, "new", y),
        lambda: delattr(value, "deep"),
        lambda: value.pop("other"),
    ):
        with suppress(Exception):  # what a class refuses is not done to it
            change()

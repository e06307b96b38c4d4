"""What a model and its inputs hold: replaced by stand-ins while it runs, and put back, whatever happens."""

import random
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial
from inspect import getattr_static
from types import CellType, FunctionType, MemberDescriptorType, MethodType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from costlab.algebra.within import PLAIN as HOLD_NOTHING
from costlab.algebra.within import attributes_of, slots_of, within

PLAIN = frozenset([*HOLD_NOTHING, torch.dtype, torch.device, torch.Size])
"""Types of values that hold nothing: most attributes of a module are of these."""
CONTAINERS = (dict, list, set, deque, OrderedDict, defaultdict)
WALKED = frozenset(["collections", "types", "argparse", "torch", "numpy"])
OPAQUE = frozenset(sys.stdlib_module_names) - WALKED
"""Packages whose objects are left alone: functions, locks, loggers, paths."""
LIBRARIES = frozenset(["torch", "numpy", "costlab"])
OPAQUE_IN_TORCH = ("torch.fx.", "torch.jit.", "torch._", "torch.cuda", "torch.distributed.")
SMALL_ARRAY = 2**20
Replace = Callable[[Tensor], Tensor]


class Kind(NamedTuple):
    """What has to be known of a class to hold its objects."""

    container: bool
    opaque: bool
    slots: tuple[MemberDescriptorType, ...]
    remembered: tuple[Any, ...]
    called: bool
    stateful: bool


def _kind_of(value: object) -> Kind:
    kind: Any = type(value)
    return _facts_of(kind)


@cache
def _facts_of(kind: Any) -> Kind:
    """What holds for all objects of a class; nothing is looked for in opaque ones."""
    home = str(kind.__module__)
    package = home.partition(".")[0]
    hidden = package in OPAQUE or home.startswith(OPAQUE_IN_TORCH) or issubclass(kind, type)
    opaque = kind in CONTAINERS or (hidden and not issubclass(kind, nn.Module))
    # Which may keep things in its file; a scripted module's says nothing to its class.
    forward = (getattr_static(kind, "forward"),) if issubclass(kind, nn.Module) else ()
    return Kind(
        container=issubclass(kind, CONTAINERS),
        opaque=opaque,
        slots=() if opaque else slots_of(kind),
        remembered=forward,
        called=issubclass(kind, (FunctionType, MethodType, partial)),
        stateful=not issubclass(kind, (*CONTAINERS, nn.Module, FunctionType)),
    )


class Holdings:
    """All that can change within some values: modules, containers, and objects of any class."""

    def __init__(self) -> None:
        self._contents: list[tuple[Any, Any]] = []  # containers, and what was in them
        self._empty: list[Any] = []  # containers with nothing in them: of a module's twelve, most
        self._types: list[tuple[Any, type]] = []
        self._undo = ExitStack()  # which goes on where something cannot be put back
        self._seen: dict[int, Any] = {}  # held, so that ids stay their own

    def replaced(self, value: Any, replace: Replace) -> Any:
        """A value with other tensors in it: in place, but in tuples, which are made anew."""
        pending: list[Any] = []
        seen = self._seen
        made = self._with(value, replace, pending)
        while pending:
            each = pending.pop()
            if id(each) not in seen:
                seen[id(each)] = each
                self._hold(each, _kind_of(each), replace, pending)
        return made

    def _with(self, value: Any, replace: Replace, pending: list[Any]) -> Any:
        """A value, or a tuple with others in it; what has to be looked into is added to ``pending``."""
        kind = type(value)
        if kind in PLAIN:
            return value
        if isinstance(value, Tensor):
            return replace(value)
        if isinstance(value, tuple):
            made = [self._with(each, replace, pending) for each in value]
            if all(new is old for new, old in zip(made, value, strict=True)):
                return value
            return kind(made) if hasattr(kind, "n_fields") else _tuple(value, made)  # one of torch's, or any
        pending.append(value)
        return value

    def _hold(self, value: Any, kind: Kind, replace: Replace, pending: list[Any]) -> None:
        if kind.container:
            content = _content_of(value)
            self._contents.append((value, content))
            self._replace_in(value, content, replace, pending)
        elif kind.stateful and (put_back := _state_of(value)) is not None:
            self._undo.callback(put_back)
        pending += kind.remembered
        if kind.called:
            pending += _remembered(value)
        if not kind.opaque:
            self._types.append((value, type(value)))
            for slot in kind.slots:
                self._hold_slot(value, slot, replace, pending)
            if (held := attributes_of(value)) is not None:
                self._hold_attributes(held, replace, pending)

    def _hold_attributes(self, held: dict[str, Any], replace: Replace, pending: list[Any]) -> None:
        content = held.copy()
        self._contents.append((held, content))
        for name, each in content.items():
            kind = type(each)
            if kind in PLAIN:
                continue
            if kind in CONTAINERS:
                (pending if each else self._empty).append(each)
            elif (new := self._with(each, replace, pending)) is not each:
                held[name] = new

    def _hold_slot(
        self, value: Any, slot: MemberDescriptorType, replace: Replace, pending: list[Any]
    ) -> None:
        try:
            each = slot.__get__(value)
        except AttributeError:
            return
        self._undo.callback(slot.__set__, value, each)
        if (new := self._with(each, replace, pending)) is not each:
            slot.__set__(value, new)

    def _replace_in(self, value: Any, content: Any, replace: Replace, pending: list[Any]) -> None:
        if isinstance(value, dict):
            for key, each in content.items():
                if type(each) not in PLAIN and (new := self._with(each, replace, pending)) is not each:
                    _set_item(value, key, new)
        elif isinstance(value, list | deque):
            set_item: Any = list.__setitem__ if isinstance(value, list) else deque.__setitem__
            for place, each in enumerate(content):
                if type(each) not in PLAIN and (new := self._with(each, replace, pending)) is not each:
                    set_item(value, place, new)
        else:
            members = [self._with(each, replace, pending) for each in content]
            if any(new is not old for new, old in zip(members, content, strict=True)):
                _refill(value, members)

    def close(self) -> None:
        """Put everything back."""
        for value, kind in self._types:
            if type(value) is not kind:
                object.__setattr__(value, "__class__", kind)
        for value, content in self._contents:
            if value or content:
                _refill(value, content)
        for value in self._empty:
            if value:
                value.clear()
        self._contents.clear()
        self._empty.clear()
        self._types.clear()
        self._seen.clear()
        self._undo.close()


def _content_of(value: Any) -> Any:
    """What is in a container, whatever its class makes of its methods."""
    if type(value) in CONTAINERS:
        return value.copy()
    if isinstance(value, dict):
        return dict((OrderedDict if isinstance(value, OrderedDict) else dict).items(value))
    if isinstance(value, set):
        return set(set.__iter__(value))
    return list((list if isinstance(value, list) else deque).__iter__(value))


def _tuple(value: Any, members: list[Any]) -> Any:
    """One of the class of a tuple, with other members and the same attributes."""
    made = tuple.__new__(type(value), members)
    if (attributes := attributes_of(value)) is not None:
        made.__dict__.update(attributes)
    return made


def _set_item(value: Any, key: Any, new: Any) -> None:
    (OrderedDict if isinstance(value, OrderedDict) else dict).__setitem__(value, key, new)


def _refill(value: Any, content: Any) -> None:
    """Give a container its content back, whatever its class makes of its methods."""
    if type(value) is dict:
        value.clear()
        value.update(content)
    elif isinstance(value, dict):
        (OrderedDict if isinstance(value, OrderedDict) else dict).clear(value)
        for key, each in dict(content).items():
            _set_item(value, key, each)
    elif isinstance(value, list):
        list.__setitem__(value, slice(None), content)
    elif isinstance(value, set):
        set.clear(value)
        set.update(value, content)
    else:
        deque.clear(value)
        deque.extend(value, content)


def _state_of(value: Any) -> Callable[[], object] | None:
    """How to put back what an object keeps outside of Python: a generator of random numbers, an array."""
    if type(value) is torch.Generator:
        state = value.get_state()
        return partial(value.set_state, state)
    if isinstance(value, random.Random) and not isinstance(value, random.SystemRandom):
        here = value.getstate()
        return lambda: value.setstate(here)
    numpy: Any = sys.modules.get("numpy")
    if numpy is None:
        return None
    if isinstance(value, numpy.ndarray) and value.size <= SMALL_ARRAY and value.flags.writeable:
        copied = value.copy()
        return lambda: _refill_array(numpy, value, copied)
    if isinstance(value, numpy.random.Generator):
        kept = value.bit_generator.state
        return lambda: setattr(value.bit_generator, "state", kept)
    if isinstance(value, numpy.random.RandomState):
        return partial(value.set_state, value.get_state())
    return None


def _refill_array(numpy: Any, value: Any, content: Any) -> None:
    """Give an array its content back, also one that may no more be written into."""
    value.flags.writeable = True
    numpy.copyto(value, content)


def _remembered(value: Any) -> list[Any]:
    """What a function, such as a hook, can change of what is around it: of a file, the containers."""
    if isinstance(value, MethodType):
        return [value.__self__, value.__func__]
    if isinstance(value, partial):
        return [value.func, *(each for each in value.args if type(each) in CONTAINERS)]
    if not isinstance(value, FunctionType) or str(value.__module__).partition(".")[0] in LIBRARIES:
        return []
    around = [each.cell_contents for each in value.__closure__ or () if each != CellType()]
    around += [value.__globals__.get(name) for name in value.__code__.co_names]
    return [each for each in around if type(each) in CONTAINERS]


def tensors_within(value: Any) -> Iterator[Tensor]:
    """The tensors in a value, in containers and objects of any class, each once."""
    return (each for each in within(value, _has_attributes) if isinstance(each, Tensor))


def _has_attributes(value: Any) -> bool:
    """Whether tensors are looked for in the attributes of a value."""
    return not (isinstance(value, Tensor | nn.Module) or _kind_of(value).opaque)

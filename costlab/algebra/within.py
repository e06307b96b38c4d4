"""What is in a value: in containers, and in attributes of objects, past what their classes make of it."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from types import MappingProxyType, MemberDescriptorType
from typing import Any

PLAIN = frozenset([type(None), bool, int, float, complex, str, bytes])
"""Types of values that hold nothing."""
SEQUENCES: tuple[Any, ...] = (tuple, list, set, frozenset, deque)


def within(value: Any, has_attributes: Callable[[Any], bool]) -> Iterator[Any]:
    """A value and what is in it, each once, but for plain ones: of containers, and of what has attributes."""
    seen: dict[int, Any] = {}  # held, so that ids stay their own
    pending = deque([value])
    while pending:
        each = pending.popleft()
        if type(each) in PLAIN or id(each) in seen:
            continue
        seen[id(each)] = each
        yield each
        pending.extend(_members(each))
        if has_attributes(each):
            pending.extend(_slotted(each))
            pending.extend((attributes_of(each) or {}).values())


def attributes_of(value: Any) -> dict[str, Any] | None:
    """The dictionary of an object, past a class that has its own way with attributes."""
    try:
        held = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return held if type(held) is dict else None


def slots_of(kind: type) -> tuple[MemberDescriptorType, ...]:
    """What reads and writes the attributes that the objects of a class keep outside of a dictionary."""
    slotted = (base for base in kind.__mro__ if "__slots__" in base.__dict__)
    return tuple(
        each for base in slotted for each in vars(base).values() if isinstance(each, MemberDescriptorType)
    )


def _slotted(value: Any) -> Iterator[Any]:
    for slot in slots_of(type(value)):
        try:
            yield slot.__get__(value)
        except AttributeError:  # which nothing was put into
            continue


def _members(value: Any) -> Iterator[Any]:
    if isinstance(value, OrderedDict):
        return iter(OrderedDict.values(value))
    if isinstance(value, dict):
        return iter(dict.values(value))
    if isinstance(value, MappingProxyType):
        return iter(value.values())
    kind = next((kind for kind in SEQUENCES if isinstance(value, kind)), None)
    return iter(()) if kind is None else kind.__iter__(value)

"""Statements with context managers: whether what is raised in one may end there, and the model goes on."""

import contextlib
import dis
import inspect
import sys
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, FrameType
from typing import Any

from torch import Tensor

ENTERS = ("BEFORE_WITH", "BEFORE_ASYNC_WITH", "LOAD_SPECIAL")
BEFORE_IT = ("STORE_", "POP_TOP", "RETURN", "RAISE", *ENTERS)
"""What ends the statement before, or the part of the same one that enters another."""
NAMES = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_FAST")
ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")
TRUSTED = frozenset([*sys.stdlib_module_names, "torch"])
"""Packages whose context managers raise again, but for `contextlib.suppress`."""


def may_end_it(frame: FrameType, start: int, goes_on: Callable[[CodeType], bool]) -> bool:
    """Whether what is raised in a statement ``with`` may not go on from it, as by `contextlib.suppress`.

    Args:
        frame: runs the code of the statement.
        start: the offset where what is within begins.
        goes_on: whether a generator with this code goes on after an exception where it yields.
    """
    managers = [each for each in _values(frame, start) if _is_manager(each)]
    return not managers or any(_ends_it(each, goes_on) for each in managers)


def _is_manager(value: Any) -> bool:
    return hasattr(type(value), "__exit__") or hasattr(value, "__exit__") or inspect.isroutine(value)


def _ends_it(value: Any, goes_on: Callable[[CodeType], bool]) -> bool:
    if value is contextlib.suppress or isinstance(value, contextlib.suppress):
        return True
    home = getattr(value, "__module__", None) or type(value).__module__
    if home.partition(".")[0] in TRUSTED:
        return False
    written = inspect.unwrap(value) if inspect.isroutine(value) else None
    if written is not None and inspect.isgeneratorfunction(written):
        return goes_on(written.__code__)
    leaves = getattr(value, "__exit__", None)
    code = getattr(leaves, "__code__", None)
    return code is None or _may_be_true(code)


@cache
def _may_be_true(code: CodeType) -> bool:
    """Whether a function may return something else than None or False."""
    instructions = list(dis.get_instructions(code))
    for before, each in zip([None, *instructions], instructions, strict=False):
        if each.opname == "RETURN_CONST" and each.argval:
            return True
        constant = before is not None and before.opname == "LOAD_CONST" and not before.argval
        if each.opname == "RETURN_VALUE" and not constant:
            return True
    return False


def _values(frame: FrameType, start: int) -> Iterator[Any]:
    """What the names in the expression stand for whose value is entered: of functions themselves."""
    for names in _chains(frame.f_code, start):
        first, *attributes = names
        scopes = (frame.f_locals, frame.f_globals, frame.f_builtins)
        value: Any = next((scope[first] for scope in scopes if first in scope), None)
        for name in attributes:
            if isinstance(value, Tensor):  # which a model's own code asks
                value = None
            value = getattr(value, name, None)
        if value is not None:
            yield value


@cache
def _chains(code: CodeType, start: int) -> tuple[tuple[str, ...], ...]:
    """The names that are read for what is entered, each with its attributes."""
    before = [each for each in dis.get_instructions(code) if each.offset < start]
    while before and before[-1].opname not in ENTERS:
        before.pop()
    found: list[list[str]] = []
    reading = False
    for each in reversed(before[:-1]):
        if each.opname.startswith(BEFORE_IT):
            break
        if each.opname in ATTRIBUTES:
            found, reading = ([[], *found] if not reading else found), True
            found[0].insert(0, str(each.argval))
        elif each.opname.startswith(NAMES):
            names = each.argval if isinstance(each.argval, tuple) else (each.argval,)
            found = found if reading else [[], *found]
            found[0].insert(0, str(names[-1]))
            found = [*([str(name)] for name in names[:-1]), *found]
            reading = False
        elif each.opname not in ("CACHE", "PUSH_NULL", "NOP"):
            reading = False
    return tuple(tuple(each) for each in found)

"""Exceptions that a model catches itself: what raises one does not end its run."""

import builtins
import dis
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

from costlab.tracing.context_managers import may_end_it
from costlab.tracing.frames import is_the_models

START = str(Path(__file__).with_name("trace.py"))
RAISES = ("RAISE_VARARGS", "RERAISE")
GOES_ELSEWHERE = ("RETURN", "YIELD", "FOR_ITER")


class Handler(NamedTuple):
    """The names of the classes that a clause catches, none for all, and whether the model goes on then.

    Of a statement ``with`` the offset is known where what is within begins: the rest is its manager's.
    """

    names: tuple[str, ...]
    goes_on: bool
    within: int | None = None


def is_caught(frame: FrameType, offset: int, raised: Iterable[str]) -> bool:
    """Whether the model may catch an exception, and go on.

    It is raised at an offset in the code of a frame, which reads the names given for it: any of these may be
    its class.
    """
    kinds = _classes(frame, raised)
    around: FrameType | None = frame
    while around is not None and not _is_start(around):
        if is_the_models(around.f_code.co_filename):
            for handler in _handlers(around.f_code, offset):
                if handler.within is not None:
                    if may_end_it(around, handler.within, _goes_on):
                        return True
                elif _catches(_classes(around, handler.names), handler, kinds):
                    if handler.goes_on:
                        return True
                    kinds = []  # another is raised
        around = around.f_back
        offset = around.f_lasti if around is not None else 0
    return False


def _is_start(frame: FrameType) -> bool:
    """Whether it is the frame that runs the whole model."""
    return frame.f_code.co_filename == START and frame.f_code.co_name == "run"


def _classes(frame: FrameType, names: Iterable[str]) -> list[type]:
    found = (frame.f_globals.get(name, getattr(builtins, name, None)) for name in names)
    return [each for each in found if isinstance(each, type) and issubclass(each, BaseException)]


def _catches(caught: list[type], handler: Handler, raised: list[type]) -> bool:
    """Whether a clause may; it is taken to where one of the classes is not told from the code."""
    if len(caught) < len(handler.names) or not raised or not handler.names:
        return True
    return any(issubclass(each, tuple(caught)) for each in raised)


@cache
def _handlers(code: CodeType, offset: int) -> tuple[Handler, ...]:
    """The clauses around an instruction, the innermost first; those around a clause are around its code."""
    bytecode: Any = dis.Bytecode(code)
    instructions = list(bytecode)
    found: list[Handler] = []
    seen: set[int] = set()
    while offset not in seen:
        seen.add(offset)
        for entry in bytecode.exception_entries:
            if entry.start <= offset < entry.end:
                clauses = _clauses([each for each in instructions if each.offset >= entry.target])
                offset = entry.target
                begins = min(each.start for each in bytecode.exception_entries if each.target == offset)
                found += (each if each.within is None else each._replace(within=begins) for each in clauses)
                break
    return tuple(found)


@cache
def _goes_on(code: CodeType) -> bool:
    """Whether a generator goes on after an exception where it yields."""
    places = [each.offset for each in dis.get_instructions(code) if each.opname == "YIELD_VALUE"]
    return any(each.goes_on or each.within is not None for place in places for each in _handlers(code, place))


def _clauses(instructions: list[dis.Instruction]) -> Iterator[Handler]:
    """The clauses of one statement: its ``except``, ``finally`` or ``with``."""
    names: list[str] = []
    for place, each in enumerate(instructions):
        if each.opname == "WITH_EXCEPT_START":
            yield Handler((), True, 0)
            return
        if each.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_ATTR", "LOAD_DEREF", "LOAD_FAST"):
            names.append(str(each.argval))
        elif each.opname == "CHECK_EXC_MATCH":
            jump = next(
                after for after in range(place, len(instructions)) if "JUMP" in instructions[after].opname
            )
            yield Handler(tuple(names), not goes_to_raise(instructions[jump + 1 :]))
            target = instructions[jump].argval
            yield from _clauses([other for other in instructions if other.offset >= target])
            return
        elif each.opname in RAISES:
            return
        elif each.opname in ("POP_EXCEPT", "POP_TOP") or "JUMP" in each.opname:
            if not goes_to_raise(instructions[place:]):
                yield Handler((), True)
            return


def goes_to_raise(instructions: list[dis.Instruction], raises: tuple[str, ...] = RAISES) -> bool:
    """Whether what comes next goes straight to an exception; ``raises`` are the instructions that raise."""
    for each in instructions:
        if each.opname in raises:
            return True
        if "JUMP" in each.opname or each.opname.startswith(GOES_ELSEWHERE):
            return False
    return False

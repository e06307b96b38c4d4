"""Exceptions that a model catches itself: what raises one does not end its run."""

import builtins
import dis
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import torch

NOT_THE_MODELS = (str(Path(__file__).parents[1]), str(Path(torch.__file__).parent))
"""Where what is caught is raised again."""
START = str(Path(__file__).with_name("trace.py"))
SUPPRESS = "suppress"
RAISES = ("RAISE_VARARGS", "RERAISE")
GOES_ELSEWHERE = ("RETURN", "YIELD", "FOR_ITER")


class Handler(NamedTuple):
    """The names of the classes that a clause catches, none for all, and whether the model goes on then."""

    names: tuple[str, ...]
    goes_on: bool


def is_caught(frame: FrameType, offset: int, raised: Iterable[str]) -> bool:
    """Whether the model may catch an exception, and go on.

    It is raised at an offset in the code of a frame, which reads the names given for it.
    """
    kinds = _classes(frame, raised)[:1]
    around: FrameType | None = frame
    while around is not None and not _is_start(around):
        if not around.f_code.co_filename.startswith(NOT_THE_MODELS):
            for handler in _handlers(around.f_code, offset):
                if _catches(_classes(around, handler.names), handler, kinds):
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
    """Whether a clause does; it is taken to where one of the classes is not told from the code."""
    if len(caught) < len(handler.names) or not raised or not handler.names:
        return True
    return issubclass(raised[0], tuple(caught))  # its first name is the class


@cache
def _handlers(code: CodeType, offset: int) -> tuple[Handler, ...]:
    """The clauses around an instruction."""
    bytecode: Any = dis.Bytecode(code)
    instructions = list(bytecode)
    found: list[Handler] = []
    for entry in bytecode.exception_entries:
        if entry.start <= offset < entry.end:
            found += _clauses([each for each in instructions if each.offset >= entry.target], code)
    return tuple(found)


def _clauses(instructions: list[dis.Instruction], code: CodeType) -> Iterator[Handler]:
    """The clauses of one statement: its ``except``, ``finally`` or ``with``."""
    names: list[str] = []
    for place, each in enumerate(instructions):
        if each.opname == "WITH_EXCEPT_START":
            if SUPPRESS in code.co_names:
                yield Handler((), True)
            return
        if each.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_ATTR", "LOAD_DEREF", "LOAD_FAST"):
            names.append(str(each.argval))
        elif each.opname == "CHECK_EXC_MATCH":
            jump = next(
                after for after in range(place, len(instructions)) if "JUMP" in instructions[after].opname
            )
            yield Handler(tuple(names), not _raises(instructions[jump + 1 :]))
            target = instructions[jump].argval
            yield from _clauses([other for other in instructions if other.offset >= target], code)
            return
        elif each.opname in RAISES:
            return
        elif each.opname in ("POP_EXCEPT", "POP_TOP") or "JUMP" in each.opname:
            if not _raises(instructions[place:]):
                yield Handler((), True)
            return


def _raises(instructions: list[dis.Instruction]) -> bool:
    """Whether what comes next goes straight to an exception."""
    for each in instructions:
        if each.opname in RAISES:
            return True
        if "JUMP" in each.opname or each.opname.startswith(GOES_ELSEWHERE):
            return False
    return False

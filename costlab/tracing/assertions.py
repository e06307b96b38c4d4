"""Questions to data of which one answer only raises: a model that runs gives the other.

``assert not x.isnan().any()`` and ``if (x < 0).any(): raise ...`` ask data for a value, and decide nothing,
unless the model catches what is raised. Only the bytecode of the caller tells them from a branch.
"""

import dis
import os
import sys
from functools import cache
from types import CodeType
from typing import NamedTuple

import torch

from costlab.tracing.frames import COSTLAB, TORCH
from costlab.tracing.handlers import goes_to_raise, is_caught

PASSED = (
    COSTLAB,
    f"{TORCH}_compile.py",
    f"{TORCH}_dynamo{os.sep}",
    f"{TORCH}utils{os.sep}_python_dispatch.py",
)
"""Where the frames between the caller and an operator are."""
CONSTRAINTS = torch.distributions.constraints.__file__
"""Where torch asks whether values are what a distribution takes, and says so if they are not."""
JUMPS = ("POP_JUMP_IF_", "POP_JUMP_FORWARD_IF_")
RAISE = ("RAISE_VARARGS",)
LEAVES = ("RETURN", "YIELD")
NO_MATTER = frozenset(["CACHE", "TO_BOOL", "NOP", "EXTENDED_ARG", "NOT_TAKEN"])


def answer_that_passes() -> bool | None:
    """The answer to the question that is being asked, if the other one raises; None if both go on."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(PASSED):
        if frame.f_back is None:
            return None
        frame = frame.f_back
    if frame.f_code.co_filename == CONSTRAINTS:
        return None if is_caught(frame, frame.f_lasti, ["ValueError"]) else True
    check = _check(frame.f_code, frame.f_lasti)
    if check is None or is_caught(frame, check.raises_at, check.names):
        return None
    return check.answer


class Check(NamedTuple):
    """The answer that passes, the offset where the other one raises, and the names that are read for it."""

    answer: bool
    raises_at: int
    names: tuple[str, ...]


@cache
def _check(code: CodeType, offset: int) -> Check | None:
    after = [each for each in dis.get_instructions(code) if each.offset >= offset]
    if after and after[0].opname.startswith("CALL"):  # of bool(x) or x.item(), and the jump comes next
        after = after[1:]
    inverted = False
    for place, each in enumerate(after):
        if each.opname.startswith(JUMPS) and each.opname.endswith(("_TRUE", "_FALSE")):
            target = each.argval
            if target <= each.offset:
                return None
            jumps_if = each.opname.endswith("_TRUE") is not inverted
            if _raises_before(after[place + 1 :], target):
                skipped = [other for other in after[place + 1 :] if other.offset < target]
                return _raising(jumps_if, skipped, -1)
            there = _from(after, target)
            return _raising(not jumps_if, there, 0) if goes_to_raise(there, RAISE) else None
        if each.opname == "UNARY_NOT":
            inverted = not inverted
        elif each.opname not in NO_MATTER:
            return None
    return None


def _raising(answer: bool, instructions: list[dis.Instruction], which: int) -> Check:
    """A check whose exception is raised by the first or last instruction that raises one."""
    raising = [each for each in instructions if each.opname == "RAISE_VARARGS"][which]
    before = [each for each in instructions if each.offset < raising.offset]
    assertion = ["AssertionError" for each in before if each.opname == "LOAD_ASSERTION_ERROR"]
    names = [str(each.argval) for each in before if each.opname == "LOAD_GLOBAL"]
    return Check(answer, raising.offset, (*assertion, *names))


def _raises_before(instructions: list[dis.Instruction], target: int) -> bool:
    """Whether everything up to the target of a jump ends with an exception, or goes there at once.

    Where the function ends there, Python may write its end more than once.
    """
    end = _end(instructions, target)
    skipped = [each for each in instructions if each.offset < target and each.opname not in NO_MATTER]
    while skipped and end and _end(instructions, skipped[-1].offset) == end:
        skipped.pop()
    if not skipped or skipped[-1].opname != "RAISE_VARARGS":
        return False
    for place, each in enumerate(skipped):
        leaves = each.opname.startswith(LEAVES)
        if not leaves and ("JUMP" not in each.opname or each.argval <= skipped[-1].offset):
            continue
        goes_to = each.offset if leaves else each.argval
        if _does_something(skipped[: place + 1]):
            return False
        if goes_to != target and (not end or _end(instructions, goes_to) != end):
            return False
    return True


def _does_something(instructions: list[dis.Instruction]) -> bool:
    """Whether more is done than to ask whether to raise."""
    return any(each.opname.startswith(("STORE", "DELETE", "POP_TOP", "IMPORT")) for each in instructions)


def _from(instructions: list[dis.Instruction], offset: int) -> list[dis.Instruction]:
    return [each for each in instructions if each.offset >= offset]


def _end(instructions: list[dis.Instruction], offset: int) -> list[tuple[str, object]]:
    """How a function ends from here, if it does; Python writes the same end more than once."""
    found: list[tuple[str, object]] = []
    for each in _from(instructions, offset):
        found.append((each.opname, each.argval))
        if each.opname.startswith("RETURN"):
            return found
        if "JUMP" in each.opname:
            break
    return []

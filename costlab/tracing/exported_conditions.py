"""Conditions that torch.export found while it ran, with numbers in the place of the sizes."""

import math
import re
from types import SimpleNamespace

from costlab.errors import DefinitionError
from costlab.messages import shortened

FUNCTIONS = {
    "min": min,
    "max": max,
    "math": SimpleNamespace(trunc=math.trunc, floor=math.floor, ceil=math.ceil),
    "torch": SimpleNamespace(sym_float=float, sym_int=int),
}
"""What conditions call: a map that is resized by a factor has its sizes by way of floats."""
ARITHMETIC = re.compile(
    r"(?:[\d\s()+\-*/%<>=!,.]|\b(?:and|or|not|min|max|True|False)\b"
    r"|\bmath\.(?:trunc|floor|ceil)\b|\btorch\.sym_(?:float|int)\b)*"
)
"""What a condition is once its sizes are numbers; Python evaluates it, so nothing else is let through."""
POWER = re.compile(r"\*\*\s*(\d{1,2}\b)?")
MOST_POWER = 64
"""The most that the powers in a condition come to, one of another as well: larger ones may take forever."""


def is_arithmetic(condition: str) -> bool:
    """Whether a condition is one of numbers alone, with powers that are known and small."""
    powers = [int(each or MOST_POWER + 1) for each in POWER.findall(condition)]
    return math.prod(powers) <= MOST_POWER and ARITHMETIC.fullmatch(condition) is not None


def holds(condition: str, title: str) -> bool:
    """Whether a condition of numbers holds.

    Raises:
        DefinitionError: it is none, as in a damaged file: of the program of that title.
    """
    try:
        return bool(eval(condition, {"__builtins__": {}, **FUNCTIONS}))  # noqa: S307  # numbers and signs
    except (ArithmeticError, SyntaxError, TypeError, ValueError, RecursionError, MemoryError) as error:
        what = shortened(condition, 100)
        raise DefinitionError(f"{title} holds a condition on its sizes that is none: {what}") from error

"""Axes: what varies in a space, with the values that it takes."""

from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

INPUT = "input"
"""The axis of the input's height and width, which are one number; the channels are the definition's own."""
Index: TypeAlias = tuple[int, ...]
"""A point of a space: the index along each of its axes; or the numbers of some axes."""
Exact: TypeAlias = Fraction | bool | str | tuple[Any, ...] | None
"""A value whose numbers are the decimals that they are written as: 0.1 is one tenth."""


class Axis(NamedTuple):
    """A parameter, or the size of the input, with the plain values that it takes, in order."""

    name: str
    values: tuple[Any, ...]

    def text(self, index: int) -> str:
        """A value as it is typed on a command line after ``name=``."""
        return typed(self.values[index])

    def exact(self, index: int) -> Exact:
        """A value with its numbers as they are written."""
        return exactly(self.values[index])


def typed(value: Any) -> str:
    """A plain value as it is typed on a command line."""
    return value if isinstance(value, str) else _inside(value).lower() if _is_word(value) else _inside(value)


def _is_word(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _inside(value: Any) -> str:
    """A value as it is typed in a tuple."""
    if not isinstance(value, tuple):
        return repr(value)
    return f"({','.join(map(_inside, value))}{',' if len(value) == 1 else ''})"


def exactly(value: Any) -> Exact:
    """A plain value with its numbers as the decimals that they are written as."""
    if isinstance(value, tuple):
        return tuple(map(exactly, value))
    if value is None or isinstance(value, bool | str | Fraction):
        return value
    return Fraction(str(value))

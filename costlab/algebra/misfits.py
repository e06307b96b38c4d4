"""What does not fit at some points of a grid of arrays: noted where somebody wants to know, else refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from costlab.algebra.dim import is_array

Noted = Callable[[Any], None]
_noted: ContextVar[Noted | None] = ContextVar("noted", default=None)


@contextmanager
def noting(note: Noted) -> Iterator[None]:
    """Have arrays of truths noted, one for each reason for which some points do not fit."""
    token = _noted.set(note)
    try:
        yield
    finally:
        _noted.reset(token)


def is_noted(fits: Any) -> bool:
    """Note where ``fits`` does not hold, if somebody wants to know; whether that was all there is to do.

    What holds nowhere is refused all the same.
    """
    note = _noted.get()
    if note is None or not is_array(fits):
        return False
    note(~fits)
    return bool(fits.any())

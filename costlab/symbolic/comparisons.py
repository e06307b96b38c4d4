"""What code asks of symbols while it runs.

SymPy answers ``t == 1`` by how the two are written: no, for a symbol, whatever number it will stand for. A
definition that asks so gives the form of one case; which case is what is noted here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import currentframe
from threading import RLock
from types import FrameType
from typing import Any

OURS = {"sympy", "mpmath", "costlab"}
_lock = RLock()


@contextmanager
def taken_not_to_be_zero() -> Iterator[list[Any]]:
    """The expressions that were taken not to be 0 meanwhile: by ``==``, ``!=``, ``in`` or ``if``.

    Questions that SymPy and costlab ask themselves are not noted. SymPy has no hook for this, so that its
    method is wrapped while this is open; the answers stay as they are.
    """
    from sympy import Expr

    noted: list[Any] = []
    expressions: Any = Expr
    equal = expressions.__eq__

    def watched_equal(self: Any, other: Any) -> Any:
        same = equal(self, other)
        # For a plain number the answer is NotImplemented, of which Python makes a no.
        if same is not True and isinstance(other, int | float | Expr) and _asked_by(currentframe()):
            _note(noted, self - other)
        return same

    def watched_truth(self: Any) -> bool:
        if _asked_by(currentframe()):
            _note(noted, self)
        return True

    with _lock:
        expressions.__eq__ = watched_equal
        expressions.__bool__ = watched_truth
        try:
            yield noted
        finally:
            expressions.__eq__ = equal
            del expressions.__bool__


def _asked_by(frame: FrameType | None) -> bool:
    """Whether a definition asks, rather than a library on its way."""
    frame = frame and frame.f_back
    while frame is not None and frame.f_code.co_name == "__ne__":  # which asks __eq__
        frame = frame.f_back
    name = frame.f_globals.get("__name__", "") if frame is not None else ""
    return name.partition(".")[0] not in OURS


def _note(noted: list[Any], expression: Any) -> None:
    if expression.free_symbols and expression.is_zero is None:
        noted.append(expression)

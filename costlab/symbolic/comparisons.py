"""Recording the comparisons that a definition makes with symbols.

SymPy's ``t == 1`` is structural: False for a symbol, whatever number it will stand for. A definition that
compares so takes the branch for "not equal": the expressions that it thus takes not to be 0 are recorded.
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
def record_comparisons() -> Iterator[list[Any]]:
    """The expressions that a definition assumed not to be 0 by ``==``, ``!=``, ``in`` or ``if``.

    Comparisons by SymPy and costlab are not recorded. SymPy has no hook for this, so its methods are wrapped
    while the context is open; their results are unchanged.
    """
    from sympy import Expr

    compared: list[Any] = []
    expressions: Any = Expr
    equal = expressions.__eq__

    def watched_equal(self: Any, other: Any) -> Any:
        same = equal(self, other)
        # For a plain number the result is NotImplemented, which Python takes for False.
        if (
            same is not True
            and isinstance(other, int | float | Expr)
            and _comes_from_definition(currentframe())
        ):
            _record(compared, self - other)
        return same

    def watched_truth(self: Any) -> bool:
        if _comes_from_definition(currentframe()):
            _record(compared, self)
        return True

    with _lock:
        expressions.__eq__ = watched_equal
        expressions.__bool__ = watched_truth
        try:
            yield compared
        finally:
            expressions.__eq__ = equal
            del expressions.__bool__


def _comes_from_definition(frame: FrameType | None) -> bool:
    """Whether the caller is a definition, and not SymPy or costlab."""
    frame = frame and frame.f_back
    while frame is not None and frame.f_code.co_name == "__ne__":  # which calls __eq__
        frame = frame.f_back
    name = frame.f_globals.get("__name__", "") if frame is not None else ""
    return name.partition(".")[0] not in OURS


def _record(compared: list[Any], expression: Any) -> None:
    if expression.free_symbols and expression.is_zero is None:
        compared.append(expression)

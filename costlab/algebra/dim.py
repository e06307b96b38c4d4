"""Dimensions: one arithmetic for ints, SymPy integer expressions and NumPy integer arrays.

Ints give a count, symbols its closed form, arrays a sweep over many variants at once. Neither SymPy
nor NumPy is imported here unless the caller already handed in one of their values.
"""

import math
import operator
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias, TypeGuard

from costlab.errors import DefinitionError

INT = frozenset({int})  # most dimensions are plain ints: arithmetic on those goes the short way
INT64_MAX = 2**63 - 1
ARRAY_MAX = 2**31 - 1  # leaves room for a sum or a difference of dimensions in int64


class Dim(Protocol):
    """A positive whole number: an ``int``, a SymPy integer expression or a NumPy integer array.

    Declare symbols with `symbols`, or floors never cancel. An array stands for as many variants as
    it has elements; arrays of different axes broadcast against each other as NumPy's do.
    """

    def __add__(self, other: Any, /) -> "Dim": ...
    def __radd__(self, other: Any, /) -> "Dim": ...
    def __sub__(self, other: Any, /) -> "Dim": ...
    def __rsub__(self, other: Any, /) -> "Dim": ...
    def __mul__(self, other: Any, /) -> "Dim": ...
    def __rmul__(self, other: Any, /) -> "Dim": ...
    def __floordiv__(self, other: Any, /) -> "Dim": ...
    def __rfloordiv__(self, other: Any, /) -> "Dim": ...
    def __neg__(self) -> "Dim": ...
    def __int__(self) -> int: ...


Ratio: TypeAlias = float | Dim
"""A positive multiplier of channel counts: a number, a symbol or an array."""


def symbols(names: str) -> Any:
    """``symbols("H W C")``: SymPy symbols declared as positive integers, as dimensions must be."""
    import sympy

    return sympy.symbols(names, integer=True, positive=True)


def is_array(value: object) -> TypeGuard[Any]:
    """Whether the value is a NumPy array (or scalar)."""
    return hasattr(value, "dtype")


def is_symbolic(value: object) -> TypeGuard[Any]:
    """Whether the value is a SymPy expression."""
    return hasattr(value, "free_symbols")


def as_dim(name: str, value: object, least: int = 1) -> Dim:
    """``value`` as a dimension: ints from SymPy and NumPy become ``int``, arrays read-only int64.

    Raises:
        DefinitionError: it is not a whole number, below ``least``, or an array's element exceeds
            2**31 - 1 (past which int64 arithmetic on it might wrap).
    """
    if type(value) is int and value >= least:
        return value
    dim: Any = value
    if isinstance(value, bool) or not (isinstance(value, int) or is_array(value) or is_symbolic(value)):
        raise DefinitionError(f"{name}={value!r} must be a whole number")
    if is_array(value):
        if value.dtype.kind not in "iu" or value.size == 0:
            raise DefinitionError(f"{name}={text(value)} must be an array of whole numbers")
        if int(value.max()) > ARRAY_MAX:
            raise DefinitionError(f"{name}={text(value)} must stay below 2**31 in an array")
        dim = int(value) if value.ndim == 0 else value.astype("int64")
        if is_array(dim):
            dim.setflags(write=False)  # a block is a value: nobody changes it afterwards
    elif is_symbolic(value):
        if value.is_integer is False:
            raise DefinitionError(f"{name}={value} must be a whole number")
        dim = int(value) if value.is_Integer else value
    if at_least(dim, least) is False:
        raise DefinitionError(f"{name}={text(dim)} must be at least {least}")
    return dim  # type: ignore[no-any-return]  # narrowed above, in ways mypy cannot follow


def equal(a: Dim, b: Dim) -> bool | None:
    """Whether ``a == b``: proved, refuted, or None when it cannot be decided.

    SymPy's ``==`` compares how expressions are written, so differences are compared with zero.
    """
    if type(a) is type(b) is int:
        return a == b
    verdict = _decide(a, b, operator.eq, "is_zero")
    if verdict is None:
        import sympy

        verdict = sympy.simplify(a - b).is_zero
    return verdict


def at_least(a: Dim, b: Dim) -> bool | None:
    """Whether ``a >= b``: proved, refuted, or None when it cannot be decided."""
    return a >= b if type(a) is type(b) is int else _decide(a, b, operator.ge, "is_nonnegative")


def divides(divisor: Dim, number: Any) -> bool | None:
    """Whether ``divisor`` divides ``number``: proved, refuted, or None when undecided."""
    rest = number % divisor
    return rest == 0 if type(rest) is int else _decide(rest, 0, operator.eq, "is_zero")


def _decide(a: Any, b: Any, compare: Callable[[Any, Any], Any], of_difference: str) -> bool | None:
    if is_symbolic(a) or is_symbolic(b):
        import sympy

        verdict: bool | None = getattr(sympy.expand(a - b), of_difference)
        return verdict
    holds = compare(a, b)
    return bool(holds.all()) if is_array(holds) else bool(holds)


def quotient(number: Any, divisor: Any) -> Dim:
    """``number / divisor`` where the division is known, or for symbols assumed, to be exact."""
    exact: Dim = number / divisor if is_symbolic(number) or is_symbolic(divisor) else number // divisor
    return exact


def ceil_div(number: Dim, divisor: Dim) -> Dim:
    """``number / divisor`` rounded up."""
    return -(-number // divisor)


def minimum(a: Any, b: Any) -> Dim:
    """The smaller of two dimensions, element by element for arrays."""
    smaller: Dim
    if is_symbolic(a) or is_symbolic(b):
        import sympy

        smaller = sympy.Min(a, b)
    elif is_array(a) or is_array(b):
        import numpy as np

        smaller = np.minimum(a, b)
    else:
        smaller = min(a, b)
    return smaller


def product(*factors: Dim) -> Dim:
    """The exact product. Where int64 could wrap, arrays go on as Python integers."""
    plain = INT.issuperset(map(type, factors))
    exact: Dim = math.prod(factors if plain else _unwrappable(math.prod, factors))
    return exact


def total(terms: Iterable[Dim]) -> Dim:
    """The exact sum. Where int64 could wrap, arrays go on as Python integers."""
    summands = tuple(terms)
    plain = INT.issuperset(map(type, summands))
    exact: Dim = sum(summands if plain else _unwrappable(sum, summands))
    return exact


def _unwrappable(combine: Callable[[Iterable[Any]], Any], dims: tuple[Any, ...]) -> tuple[Any, ...]:
    """The dimensions in a form whose combination cannot wrap."""
    if not any(map(is_array, dims)):
        return dims
    largest = combine(int(dim.max()) if is_array(dim) else dim for dim in dims)
    if not is_symbolic(largest) and largest <= INT64_MAX:
        return dims
    return tuple(dim.astype(object) if is_array(dim) else dim for dim in dims)


def scale(channels: Dim, width: Ratio) -> Dim:
    """``channels * width``, rounded to the nearest whole number (halves up), never below 1.

    A symbol is not rounded: its closed form holds wherever ``channels * width`` is whole.
    """
    if is_symbolic(channels) or is_symbolic(width):
        if not is_symbolic(width) and as_number("width", width) % 1:
            raise DefinitionError(f"width={width} must be whole where channels are symbolic ({channels})")
        scaled: Dim = channels * (width if is_symbolic(width) else int(width))
        return scaled
    if is_array(width) or is_array(channels):
        import numpy as np

        variants: Any = channels
        rounded: Dim = np.maximum(1, np.floor(variants * width + 0.5).astype("int64"))
        return rounded
    return max(1, math.floor(int(channels) * as_number("width", width) + 0.5))


def as_number(name: str, value: object) -> float:
    """``value`` as a positive finite number.

    Raises:
        DefinitionError: it is not one.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DefinitionError(f"{name}={value!r} must be a number")
    if not 0 < value <= ARRAY_MAX:
        raise DefinitionError(f"{name}={value} must be a positive number below 2**31")
    return value


def text(dim: object) -> str:
    """A dimension in one short line, for messages and tables."""
    if is_array(dim) and dim.size > 4:
        return f"[{dim.flat[0]} ... {dim.flat[-1]}]"
    return " ".join(str(dim).split())

"""Dimensions: one arithmetic for ints, SymPy integer expressions and NumPy integer arrays.

Ints give a count, symbols its closed form, arrays a sweep over many variants at once. Neither SymPy
nor NumPy is imported here unless the caller already handed in one of their values.
"""

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Number
from typing import Any, Protocol, TypeGuard

from costlab.errors import DefinitionError
from costlab.messages import named

INT = frozenset({int})  # most dimensions are plain ints: arithmetic on those goes the short way
INT64_MAX = 2**63 - 1
DIM_MAX = 2**31 - 1  # leaves room for sums and differences of dimensions in int64
COUNT_MAX = 1_000
"""How often a part of a network is repeated at most."""


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


MIXED = "arrays and symbols do not go together: put numbers in the place of the symbols"


def symbols(names: str) -> Any:
    """``symbols("H W C")``: SymPy symbols declared as positive integers, as dimensions must be."""
    import sympy

    return sympy.symbols(names, integer=True, positive=True)


def is_array(value: object) -> TypeGuard[Any]:
    """Whether the value is a NumPy array (or scalar)."""
    return hasattr(type(value), "__array_interface__")


def is_symbolic(value: object) -> TypeGuard[Any]:
    """Whether the value is a SymPy expression."""
    return hasattr(type(value), "free_symbols")


def is_number(*values: object) -> bool:
    """Whether all are plain numbers, and stand for one variant."""
    return all(type(value) is int for value in values)


def as_dim(name: str, value: object, least: int = 1) -> Dim:
    """``value`` as a dimension: ints from SymPy and NumPy become ``int``, arrays read-only int64.

    Raises:
        DefinitionError: it is not a whole number, or not from ``least`` to 2**31 - 1.
    """
    if type(value) is int and least <= value <= DIM_MAX:
        return value
    dim: Any = value
    if isinstance(value, bool) or not (isinstance(value, int) or is_array(value) or is_symbolic(value)):
        raise DefinitionError(f"{name}={named(value)} must be a whole number")
    if is_array(dim):
        if dim.dtype.kind not in "iu" or dim.size == 0:
            raise DefinitionError(f"{name}={text(value)} must be an array of whole numbers")
        dim = int(dim) if dim.ndim == 0 else dim
    elif is_symbolic(dim):
        if dim.is_integer is False:
            raise DefinitionError(f"{name}={value} must be a whole number")
        dim = int(dim) if dim.is_Integer else dim
    if at_least(dim, least) is False:
        raise DefinitionError(f"{name}={text(dim)} must be at least {least}")
    if not is_symbolic(dim) and not at_least(DIM_MAX, dim):
        raise DefinitionError(f"{name}={text(dim)} must be below 2**31")
    if is_array(dim):
        dim = dim.astype("int64")
        dim.setflags(write=False)  # a block is a value: nobody changes it afterwards
    checked: Dim = dim
    return checked


def as_count(name: str, value: object, least: int = 1) -> int:
    """How often a part of a network is repeated, as an ``int``; each repetition takes time and memory.

    Raises:
        DefinitionError: it is no single whole number, or not from ``least`` to `COUNT_MAX`.
    """
    count = as_dim(name, value, least)
    if not isinstance(count, int):
        raise DefinitionError(
            f"{name}={text(count)} must be a single number: it says how often a part is repeated"
        )
    if count > COUNT_MAX:
        raise DefinitionError(f"{name}={count} must be at most {COUNT_MAX}")
    return count


def equal(a: Dim, b: Dim) -> bool | None:
    """Whether ``a == b``: proved, refuted, or None when it cannot be decided.

    SymPy's ``==`` compares how expressions are written, so differences are compared with zero.
    """
    if type(a) is type(b) is int:
        return a == b
    verdict = _decide(a, b, operator.eq, "is_zero")
    if verdict is None:
        import sympy

        from costlab.algebra.floors import has_floors, unnested

        difference = sympy.expand(unnested(a - b))
        # What simplify takes minutes for is not decided: where sizes are floored, remainders decide it.
        verdict = difference.is_zero if has_floors(difference) else sympy.simplify(difference).is_zero
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
    return _chosen(a, b, min, "Min", "minimum")


def maximum(a: Any, b: Any) -> Dim:
    """The larger of two dimensions, element by element for arrays."""
    return _chosen(a, b, max, "Max", "maximum")


def _chosen(a: Any, b: Any, choose: Callable[[Any, Any], Any], of_symbols: str, of_arrays: str) -> Dim:
    """One of two dimensions: as ``choose`` does, or the functions of SymPy and NumPy of these names."""
    chosen: Dim
    if is_symbolic(a) or is_symbolic(b):
        import sympy

        chosen = getattr(sympy, of_symbols)(a, b)
    elif is_array(a) or is_array(b):
        import numpy as np

        chosen = getattr(np, of_arrays)(a, b)
    else:
        chosen = choose(a, b)
    return chosen


class Later(Protocol):
    """What puts products and sums of arrays together later than `product` and `total` do."""

    def product(self, factors: tuple[Any, ...]) -> Any: ...
    def total(self, terms: tuple[Any, ...]) -> Any: ...


_later: ContextVar[Later | None] = ContextVar("later", default=None)


@contextmanager
def put_together_by(later: Later) -> Iterator[None]:
    """Let products and sums that are not of plain numbers be put together by somebody else meanwhile."""
    token = _later.set(later)
    try:
        yield
    finally:
        _later.reset(token)


def product(*factors: Dim) -> Dim:
    """The exact product. Where int64 could wrap, arrays go on as Python integers."""
    exact: Any
    if INT.issuperset(map(type, factors)):
        exact = math.prod(factors)
    elif (later := _later.get()) is not None:
        exact = later.product(factors)
    else:
        exact = multiplied(factors)
    whole: Dim = exact
    return whole


def multiplied(factors: tuple[Any, ...]) -> Any:
    """The exact product of arrays, symbols and numbers."""
    return math.prod(_unwrappable(math.prod, factors))


def total(terms: Iterable[Dim]) -> Dim:
    """The exact sum. Where int64 could wrap, arrays go on as Python integers."""
    summands = tuple(terms)
    if INT.issuperset(map(type, summands)):
        return sum(summands)
    later = _later.get()
    exact: Dim = added_up(summands) if later is None else later.total(summands)
    return exact


def added_up(summands: tuple[Any, ...]) -> Any:
    """The exact sum of arrays, symbols and numbers."""
    if any(map(is_symbolic, summands)) and not any(map(is_array, summands)):
        import sympy

        return sympy.Add(*summands)  # far faster than one by one
    return sum(_unwrappable(sum, summands))


def _unwrappable(combine: Callable[[Iterable[Any]], Any], dims: tuple[Any, ...]) -> tuple[Any, ...]:
    """The dimensions in a form whose combination cannot wrap."""
    if not any(map(is_array, dims)):
        return dims
    largest = combine(int(dim.max()) if is_array(dim) else dim for dim in dims)
    if not is_symbolic(largest) and largest <= INT64_MAX:
        return dims
    return tuple(dim.astype(object) if is_array(dim) else dim for dim in dims)


def refuse_clashes(dims: Iterable[object]) -> None:
    """Say why dimensions cannot be put together, if that is the reason.

    Raises:
        DefinitionError: there are arrays and symbols among them, or arrays that do not broadcast.
    """
    numbers = list(dims)
    arrays = [dim for dim in numbers if is_array(dim)]
    if arrays and any(map(is_symbolic, numbers)):
        raise DefinitionError(MIXED)
    if arrays:
        import numpy as np

        try:
            np.broadcast_shapes(*(array.shape for array in arrays))
        except ValueError:
            shapes = " and ".join(dict.fromkeys(str(array.shape) for array in arrays))
            raise DefinitionError(f"arrays of shapes {shapes} do not broadcast") from None


def text(dim: object) -> str:
    """A dimension in one short line, for messages and tables; anything else by what it is."""
    if isinstance(dim, int) and abs(dim) > INT64_MAX:
        return f"about {'-' if dim < 0 else ''}2**{dim.bit_length() - 1}"
    if is_array(dim) and dim.size > 4:
        return f"[{dim.flat[0]} ... {dim.flat[-1]}]"
    dim = dim.ravel() if is_array(dim) and dim.ndim > 1 else dim
    return " ".join(str(dim).split()) if _is_plain(dim) else named(dim)


def _is_plain(value: object, deep: int = 3) -> bool:
    """Whether a value is shown by itself: numbers, arrays, formulas, texts, and tuples and lists of these."""
    if isinstance(value, tuple | list):
        return deep > 0 and all(_is_plain(each, deep - 1) for each in value)
    return value is None or isinstance(value, Number | str) or is_array(value) or is_symbolic(value)

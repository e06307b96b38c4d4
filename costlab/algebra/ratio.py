"""Ratios: multipliers of channel counts, how a product with one is rounded, and quotients, which are not."""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeAlias, TypeVar

from costlab.algebra.dim import DIM_MAX, MIXED, Dim, as_dim, divides, is_array, is_symbolic, text
from costlab.errors import DefinitionError
from costlab.messages import named

T = TypeVar("T")
Ratio: TypeAlias = float | Dim
"""A positive multiplier of channel counts: a number, a symbol or an array."""
_products: ContextVar[list[Any] | None] = ContextVar("products", default=None)


class Scaled(NamedTuple):
    """Channels, what they were multiplied by, as `scale` was given it, and the channels that this gave."""

    channels: Dim
    width: Ratio
    result: Dim


_scalings: ContextVar[list[Scaled] | None] = ContextVar("scalings", default=None)


def as_ratio(name: str, value: object) -> Ratio:
    """``value`` as a multiplier: a number, an array of numbers, or an expression with symbols.

    Raises:
        DefinitionError: it is none, or not above 0 and below 2**31.
    """
    ratio: Any = value
    if is_array(ratio) and ratio.ndim == 0:
        ratio = ratio.item()
    elif is_symbolic(ratio) and not ratio.free_symbols and ratio.is_real:
        ratio = float(ratio)
    if is_array(ratio):
        numbers = ratio.dtype.kind in "iuf" and ratio.size > 0
        ratio = ratio.astype("float64") if numbers else ratio
        inside = numbers and bool(((ratio > 0) & (ratio <= DIM_MAX)).all())
    elif is_symbolic(ratio):
        numbers = inside = bool(ratio.free_symbols)
    else:
        numbers = isinstance(ratio, int | float) and not isinstance(ratio, bool)
        inside = numbers and 0 < ratio <= DIM_MAX
    if not numbers:
        raise DefinitionError(f"{name}={named(value)} must be a number")
    if not inside:
        raise DefinitionError(f"{name}={text(value)} must be a positive number below 2**31")
    checked: Ratio = ratio
    return checked


def scale(channels: Dim, width: Ratio) -> Dim:
    """``channels * width``, rounded to the nearest whole number (halves up), never below 1.

    A product with a symbol is not rounded: its closed form holds wherever it is whole. A number in it
    counts as the decimal that it is written as, 0.1 as one tenth.

    Raises:
        DefinitionError: ``channels`` is no dimension, ``width`` no positive number, or one of them is
            symbolic while the other is an array.
    """
    base: Any = as_dim("channels", channels)
    factor: Any = as_ratio("width", width)
    if is_symbolic(base) or is_symbolic(factor):
        if is_array(base) or is_array(factor):
            raise DefinitionError(MIXED)
        import sympy

        scaled: Dim = _unrounded(base * (factor if is_symbolic(factor) else sympy.Rational(str(factor))))
    elif is_array(base) or is_array(factor):
        import numpy as np

        scaled = np.maximum(1, np.floor(base * factor + 0.5).astype("int64"))
    else:
        scaled = max(1, math.floor(base * factor + 0.5))
    made = _scalings.get()
    if made is not None:
        made.append(Scaled(base, width, scaled))
    return scaled


def products() -> AbstractContextManager[list[Any]]:
    """The products and quotients with symbols that are made meanwhile; a count needs them whole or rounds."""
    return _noted(_products)


def scalings() -> AbstractContextManager[list[Scaled]]:
    """What `scale` does meanwhile: between two widths at which no result changes, the network is the same."""
    return _noted(_scalings)


@contextmanager
def _noted(notes: ContextVar[list[T] | None]) -> Iterator[list[T]]:
    made: list[T] = []
    token = notes.set(made)
    try:
        yield made
    finally:
        notes.reset(token)


def _unrounded(product: Any) -> Any:
    made = _products.get()
    if made is not None and not product.is_integer:
        made.append(product)
    return product


def whole_quotient(name: str, number: Dim, by: str, divisor: Dim) -> Dim:
    """``number / divisor``, which has to be whole: nothing is rounded. ``name`` and ``by`` say what they are.

    A quotient with a symbol is not proved to be whole: its closed form holds wherever it is.

    Raises:
        DefinitionError: ``divisor`` does not divide ``number``, one of them is no dimension, or one is
            symbolic and the other an array.
    """
    whole: Any = as_dim(name, number)
    part: Any = as_dim(by, divisor)
    symbolic = is_symbolic(whole) or is_symbolic(part)
    if symbolic and (is_array(whole) or is_array(part)):
        raise DefinitionError(MIXED)
    if divides(part, whole) is False:
        raise DefinitionError(f"{name}={text(whole)} must be divisible by {by}={text(part)}")
    exact: Dim = _unrounded(whole / part) if symbolic else whole // part
    return exact


def in_between(first: Dim, last: Dim, step: int = 1, steps: int = 2) -> Dim:
    """The channels after ``step`` of ``steps`` from ``first`` to ``last``, each by the same factor.

    ``first * (last / first) ** (step / steps)``, rounded to the nearest whole number; for two steps the
    geometric mean. What holds a symbol is not rounded.

    Raises:
        DefinitionError: ``first`` or ``last`` is no dimension, or one is symbolic and the other an array.
    """
    ends: Any = (as_dim("channels", first), as_dim("filters", last))
    if any(map(is_symbolic, ends)):
        if any(map(is_array, ends)):
            raise DefinitionError(MIXED)
        import sympy

        power: Any = sympy.Integer(ends[0]) if isinstance(ends[0], int) else ends[0]
        symbolic: Dim = _unrounded((power ** (steps - step) * ends[1] ** step) ** sympy.Rational(1, steps))
        return symbolic
    if any(map(is_array, ends)):
        import numpy as np

        rounded: Any = np.frompyfunc(lambda a, b: _rounded_root(a ** (steps - step) * b**step, steps), 2, 1)
        swept: Dim = rounded(*(end.astype(object) if is_array(end) else end for end in ends)).astype("int64")
        return swept
    return first if ends[0] == ends[1] else _rounded_root(ends[0] ** (steps - step) * ends[1] ** step, steps)


def _rounded_root(number: int, degree: int) -> int:
    """The whole number nearest to the root, in whole numbers throughout; there are no ties."""
    low, high = 0, 1 << (number.bit_length() // degree + 1)
    while low < high:  # the largest r with (r - 1/2) ** degree <= number
        middle = (low + high + 1) // 2
        low, high = (middle, high) if (2 * middle - 1) ** degree <= number << degree else (low, middle - 1)
    return low

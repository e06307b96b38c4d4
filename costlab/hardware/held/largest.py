"""The largest of many sizes: of numbers, of arrays variant by variant, of formulas in symbols."""

from collections.abc import Iterable
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from typing import Any, NamedTuple

from costlab.algebra.dim import Dim, is_symbolic, maximum


class Line(NamedTuple):
    """What grows with a symbol: ``slope * symbol + start``."""

    slope: Any
    start: Any


class Piece(NamedTuple):
    """A formula that is the largest for whole numbers from ``first`` to ``last``, or to no end."""

    first: int
    last: int | None
    formula: Any


def largest(sizes: Iterable[Dim]) -> Dim:
    """The largest of the sizes, 0 if there is none; element by element for arrays.

    Of formulas that grow linearly with one symbol of at least 1, such as the batch, only those are left of
    which each is the largest somewhere.
    """
    distinct = list(sizes)
    if any(map(is_symbolic, distinct)):
        return _of_formulas(list(dict.fromkeys(distinct)))
    none: Dim = 0
    return reduce(maximum, distinct, none)


def _of_formulas(sizes: list[Any]) -> Dim:
    import sympy

    parts = pieces(sizes)
    largest_of: Dim = sympy.Max(*(sizes if parts is None else (part.formula for part in parts)))
    return largest_of


def pieces(sizes: Iterable[Dim]) -> tuple[Piece, ...] | None:
    """Which formula in one symbol is the largest where, from 1 on; None if they do not all grow linearly."""
    import sympy

    formulas = [sympy.sympify(size) for size in dict.fromkeys(sizes)]
    symbols = set[Any]().union(*(formula.free_symbols for formula in formulas))
    if len(symbols) != 1:
        return None
    symbol = symbols.pop()
    lines = [line for formula in formulas if (line := _line(formula, symbol)) is not None]
    if len(lines) < len(formulas):
        return None
    upper = _upper(lines)
    firsts = [1, *(_crossing(*pair) // 1 + 1 for pair in pairwise(upper))]
    lasts = [*(first - 1 for first in firsts[1:]), None]
    found = zip(firsts, lasts, upper, strict=True)
    return tuple(
        Piece(first, last, line.slope * symbol + line.start)
        for first, last, line in found
        if last is None or first <= last
    )


def _line(formula: Any, symbol: Any) -> Line | None:
    slope, start = formula.coeff(symbol, 1), formula.coeff(symbol, 0)
    is_linear = slope.is_Integer and start.is_Integer and formula == slope * symbol + start
    return Line(int(slope), int(start)) if is_linear else None


def _upper(lines: list[Line]) -> list[Line]:
    """The lines of which each is the largest somewhere from 1 on, in this order."""
    found = [max(lines, key=lambda line: (line.slope + line.start, line.slope))]
    while steeper := [line for line in lines if line.slope > found[-1].slope]:
        last = found[-1]
        found.append(min(steeper, key=lambda line: (_crossing(last, line), -line.slope)))
    return found


def _crossing(line: Line, steeper: Line) -> Fraction:
    """Where a steeper line is as large as another."""
    return Fraction(line.start - steeper.start, steeper.slope - line.slope)

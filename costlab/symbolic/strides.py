"""Settling: a count in symbols without the floors that strides make."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import lcm
from typing import Any, NamedTuple

from costlab.algebra.dim import Dim, is_symbolic, unnested
from costlab.algebra.shape import AnyShape
from costlab.counting.count import Count, count
from costlab.errors import ShapeError
from costlab.targets.target import Variant

ROUNDS = 64
"""More floors within floors than a network has strided layers."""

PERIOD_MAX = 64
"""Periods that are tried where branches join for some sizes only."""


class Settled(NamedTuple):
    """A count, and the sizes without floors, each as ``remainder + period * step`` by its symbol.

    ``anywhere`` says that the count holds for any size, and is not in the steps itself.
    """

    counted: Count
    steps: Mapping[Any, Any]
    anywhere: bool


def settle(made: Variant, sizes: AnyShape, numbers: AnyShape, batch: Dim) -> Settled:
    """The count, and for which sizes it has no floors.

    For ``remainder + period * step`` every floor comes out even, once the period is a multiple of all the
    strides on the way. Where branches join for some sizes only, the count is for those alone.

    Args:
        made: what is counted, with its symbols in place.
        sizes: its input, with symbols.
        numbers: its input in numbers; their remainders are those that the count holds for.
        batch: inputs at once.

    Raises:
        ShapeError: a part does not accept its input, or branches cannot be proved to join.
    """
    free = {
        size: number
        for size, number in list(zip(sizes, numbers, strict=True))[1:]
        if is_symbolic(size) and isinstance(number, int)
    }
    try:
        counted = count(replace(made, input=sizes), batch=batch)
    except ShapeError:
        if not free:
            raise
        block = made.resolve(sizes).block
        strides = {value for name, value in block.settings() if name == "stride" and isinstance(value, int)}
        for period in _periods(strides):
            steps = _spread(free, dict.fromkeys(free, period))
            placed = type(sizes)(*(steps.get(size, size) for size in sizes))
            try:
                counted = count(replace(made, input=placed), batch=batch)
            except ShapeError:
                continue
            if not _floors(counted.total.sizes):
                return Settled(counted, steps, anywhere=False)
        raise
    return Settled(counted, _even(counted.total.sizes, free), anywhere=True)


def _even(quantities: tuple[Any, ...], free: Mapping[Any, int]) -> Mapping[Any, Any]:
    """The steps that leave no floor: each period is enlarged until there is none. Nothing if that fails."""
    import sympy

    flat = tuple(map(unnested, quantities))
    floors = _floors(flat)
    if not floors:
        return {}
    periods = dict.fromkeys(free, 1)
    for _ in range(ROUNDS):
        spread = _spread(free, periods)
        grown = dict(periods)
        for floor in _floors(tuple(part.subs(spread) for part in floors)):
            for size, steps in spread.items():
                (step,) = steps.free_symbols
                slope = sympy.expand(floor.args[0]).coeff(step)
                if slope.is_Rational:
                    grown[size] = lcm(grown[size], periods[size] * int(slope.q))
        if grown == periods:
            break
        periods = grown
    if _floors(tuple(size.subs(spread) for size in flat)):
        return {}
    return {size: steps for size, steps in spread.items() if periods[size] > 1}


def _floors(quantities: tuple[Any, ...]) -> set[Any]:
    import sympy

    kinds = (sympy.floor, sympy.ceiling, sympy.Min, sympy.Mod)
    return {part for size in quantities if is_symbolic(size) for part in size.atoms(*kinds)}


def _spread(free: Mapping[Any, int], periods: Mapping[Any, int]) -> dict[Any, Any]:
    """Each size as ``remainder + period * step``, where ``step`` is any whole number."""
    import sympy

    return {
        size: number % periods[size] + periods[size] * sympy.Dummy(str(size), integer=True, nonnegative=True)
        for size, number in free.items()
    }


def _periods(strides: set[int]) -> Iterator[int]:
    """Products of strides, from small to large."""
    products = {1}
    fresh = {1}
    while fresh:
        fresh = {p * s for p in fresh for s in strides if s > 1 and p * s <= PERIOD_MAX} - products
        products |= fresh
    return iter(sorted(products - {1}))

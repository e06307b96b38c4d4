"""Strides: a count in symbols, and the sizes for which it has no floors."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import lcm
from typing import Any, NamedTuple

from costlab.algebra.dim import Dim, is_symbolic
from costlab.algebra.floors import unnested
from costlab.algebra.shape import AnyShape
from costlab.counting.count import Count, count
from costlab.errors import ShapeError
from costlab.targets.target import Variant

ROUNDS = 64
"""The most nested floors, more than a network has strided layers."""

PERIOD_MAX = 64
"""The largest period that is tried if branches can only be joined for some sizes."""


class CountWithoutFloors(NamedTuple):
    """A count, and sizes for which it has no floors: by symbol, as ``remainder + period * step``.

    ``for_any_size`` says that the count itself is in the sizes and holds for all; else it is in the steps.
    """

    counted: Count
    steps: Mapping[Any, Any]
    for_any_size: bool


def count_without_floors(
    variant: Variant, sizes: AnyShape, numbers: AnyShape, batch: Dim
) -> CountWithoutFloors:
    """The count, and the sizes for which it has no floors.

    For sizes ``remainder + period * step`` every floor can be resolved once the period is a multiple of all
    strides. If branches can only be joined for some sizes, the count is for those only.

    Args:
        variant: what is counted, with its symbols in place.
        sizes: its input, with symbols.
        numbers: its input in numbers, which give the remainders.
        batch: the number of inputs.

    Raises:
        ShapeError: a part does not accept its input, or branches cannot be proved to have one shape.
    """
    free = {
        size: number
        for size, number in list(zip(sizes, numbers, strict=True))[1:]
        if is_symbolic(size) and isinstance(number, int)
    }
    try:
        counted = count(replace(variant, input=sizes), batch=batch)
    except ShapeError:
        if not free:
            raise
        block = variant.resolve(sizes).block
        strides = {value for name, value in block.settings() if name == "stride" and isinstance(value, int)}
        for period in _periods(strides):
            steps = _in_steps(free, dict.fromkeys(free, period))
            placed = type(sizes)(*(steps.get(size, size) for size in sizes))
            try:
                counted = count(replace(variant, input=placed), batch=batch)
            except ShapeError:
                continue
            if not _floors(counted.total.sizes):
                return CountWithoutFloors(counted, steps, for_any_size=False)
        raise
    return CountWithoutFloors(counted, _steps_without_floors(counted.total.sizes, free), for_any_size=True)


def _steps_without_floors(quantities: tuple[Any, ...], free: Mapping[Any, int]) -> Mapping[Any, Any]:
    """The steps that leave no floor: periods grow until there is none. Empty if that fails."""
    import sympy

    flat = tuple(map(unnested, quantities))
    floors = _floors(flat)
    if not floors:
        return {}
    periods = dict.fromkeys(free, 1)
    for _ in range(ROUNDS):
        spread = _in_steps(free, periods)
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


def _in_steps(free: Mapping[Any, int], periods: Mapping[Any, int]) -> dict[Any, Any]:
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

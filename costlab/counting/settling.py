"""Settling: a count in symbols without the floors that strides make."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from costlab.algebra.dim import Dim, is_symbolic
from costlab.algebra.shape import AnyShape
from costlab.algebra.target import Variant
from costlab.counting.count import Count, count
from costlab.errors import ShapeError

PERIOD_MAX = 1024


class Settled(NamedTuple):
    """A count in steps, the sizes as ``remainder + period * step``, and the count for any size."""

    counted: Count
    steps: Mapping[Any, Any]
    anywhere: Count | None


def settle(made: Variant, sizes: AnyShape, numbers: AnyShape, batch: Dim) -> Settled:
    """The count without floors, if there is one.

    Once the period is a multiple of all the strides on the way, every floor comes out even, and branches
    that join only for some sizes are seen to join. Periods are tried from small to large.

    Args:
        made: what is counted, with its symbols in place.
        sizes: its input, with symbols.
        numbers: its input in numbers; their remainders are those that the count holds for.
        batch: inputs at once.

    Raises:
        ShapeError: branches cannot be proved to join, for any period.
    """
    refusal: ShapeError | None = None
    anywhere: Count | None = None
    try:
        anywhere = count(replace(made, input=sizes), batch=batch)
        if not _has_floors(anywhere):
            return Settled(anywhere, {}, anywhere)
    except ShapeError as error:
        refusal = error
    block = made.resolve(sizes).block
    strides = {value for name, value in block.settings() if name == "stride" and isinstance(value, int)}
    for period in _periods(strides):
        steps = _steps(sizes, numbers, period)
        try:
            counted = count(replace(made, input=type(sizes)(*(steps.get(s, s) for s in sizes))), batch=batch)
        except ShapeError:
            continue
        if not _has_floors(counted):
            return Settled(counted, steps, anywhere)
    if anywhere is None:
        assert refusal is not None
        raise refusal
    return Settled(anywhere, {}, anywhere)


def _has_floors(counted: Count) -> bool:
    import sympy

    kinds = (sympy.floor, sympy.ceiling, sympy.Min)
    return any(is_symbolic(size) and size.has(*kinds) for size in counted.total)


def _steps(sizes: AnyShape, numbers: AnyShape, period: int) -> dict[Any, Any]:
    """Each symbolic height or width as ``remainder + period * step``, where ``step`` is any whole number."""
    import sympy

    return {
        size: int(number) % period + period * sympy.Dummy(str(size), integer=True, nonnegative=True)
        for size, number in list(zip(sizes, numbers, strict=True))[1:]
        if is_symbolic(size) and size.is_Symbol and isinstance(number, int)
    }


def _periods(strides: set[int]) -> Iterator[int]:
    """Products of strides, from small to large."""
    products = {1}
    fresh = {1}
    while fresh:
        fresh = {p * s for p in fresh for s in strides if s > 1 and p * s <= PERIOD_MAX} - products
        products |= fresh
    return iter(sorted(products - {1}))

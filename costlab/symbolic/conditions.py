"""The conditions under which closed forms hold, in words."""

from collections.abc import Iterable, Mapping, Sequence
from math import gcd, lcm
from typing import Any, NamedTuple

Classes = Mapping[str, tuple[int, int]]
"""Sizes by name: the period and the remainder."""


class Domain(NamedTuple):
    """The numbers for which a closed form holds.

    It was derived at ``numbers``. Sizes have the remainders of ``classes`` and are at least ``lowest``,
    interpolated numbers are in ``ranges``; all in ``undecided`` are at least 1, none in ``nonzero`` is 0, all
    in ``whole`` are whole numbers.
    """

    numbers: Mapping[str, Any]
    classes: Classes
    ranges: Mapping[str, range]
    lowest: Mapping[str, int]
    undecided: tuple[Any, ...]
    nonzero: tuple[Any, ...]
    whole: tuple[Any, ...]


def conditions_of(domains: Sequence[Domain]) -> tuple[str, ...]:
    """The conditions under which all of the forms hold, each as ``where ...``; none if they always do.

    Forms of one comparison are derived at the same numbers, so that their periods can be combined.
    """
    classes: dict[str, tuple[int, int]] = {}
    ranges: dict[str, range] = {}
    lowest: dict[str, int] = {}
    for domain in domains:
        for name, (period, _) in domain.classes.items():
            joint = lcm(period, classes.get(name, (1, 0))[0])
            classes[name] = (joint, int(domain.numbers[name]) % joint)
        for name, numbers in domain.ranges.items():
            other = ranges.get(name, numbers)
            ranges[name] = range(max(other.start, numbers.start), min(other.stop, numbers.stop))
        for name, size in domain.lowest.items():
            lowest[name] = max(size, lowest.get(name, 0))
    smallest = {name: remainder or period for name, (period, remainder) in classes.items()}
    sizes = [
        *_remainders(classes),
        *(f"{name} is at least {size}" for name, size in lowest.items() if size > smallest.get(name, 1)),
        *(
            f"{size} is at least 1"
            for size in dict.fromkeys(s for domain in domains for s in domain.undecided)
        ),
        *_nonzero(dict.fromkeys(size for domain in domains for size in domain.nonzero)),
        *_ranges(ranges),
    ]
    wholes = [*_wholes(dict.fromkeys(size for domain in domains for size in domain.whole))]
    texts = [f"where {' and '.join(sizes)}"] if sizes else []
    if wholes:
        texts.append(f"where {' and '.join(wholes)}, so that no channel count is rounded")
    return tuple(texts)


def where(classes: Classes, ranges: Mapping[str, range]) -> str:
    """Sizes by period and remainder, and ranges, in words: ``where H % 32 = 11``."""
    return f"where {' and '.join([*_remainders(classes), *_ranges(ranges)])}"


def _remainders(classes: Classes) -> Iterable[str]:
    for name, (period, remainder) in classes.items():
        yield (
            f"{name} is {'odd' if remainder else 'even'}"
            if period == 2
            else f"{name} % {period} = {remainder}"
        )


def _ranges(ranges: Mapping[str, range]) -> Iterable[str]:
    for name, numbers in ranges.items():
        yield f"{name} is {numbers.start} to {numbers.stop - 1}, each of which was counted"


def _nonzero(sizes: Iterable[Any]) -> Iterable[str]:
    """What must not be 0, stated of a single symbol if possible."""
    for size in sizes:
        symbols = sorted(size.free_symbols, key=str)
        slopes = {symbol: size.diff(symbol) for symbol in symbols}
        alone = next(
            (s for s in symbols if abs(slopes[s]) == 1 or (symbols == [s] and slopes[s].is_Integer)), None
        )
        if alone is None:
            yield f"{size} is not 0"
        else:
            yield f"{alone} is not {-size.subs(alone, 0) / slopes[alone]}"


def _wholes(sizes: Iterable[Any]) -> Iterable[str]:
    """What must be whole; multiples of one symbol together."""
    steps: dict[Any, int] = {}
    others = []
    for size in sizes:
        number, symbol = size.as_coeff_Mul()
        if symbol.is_Symbol and number.is_Integer:
            steps[symbol] = gcd(steps.get(symbol, 0), int(number))
        else:
            others.append(size)
    for symbol, step in steps.items():
        yield f"{symbol} is a multiple of 1/{step}" if step > 1 else f"{symbol} is whole"
    for size in others:
        yield f"{size} is whole"

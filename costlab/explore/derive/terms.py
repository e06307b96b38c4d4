"""Terms: totals that stay sums of small tensors.

What an operation does is a coefficient (channels, kernels, repetitions) times the positions at which it does
it (the grid, which follows from the input's size). Multiplied out, each is as large as all axes of both; kept
as factors, those of many operations with the same positions add up to one term.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from costlab.algebra.dim import added_up, multiplied
from costlab.explore.derive.grids import axes_of, content, stacked, taken
from costlab.explore.written.axis import Index


class Term(NamedTuple):
    """``coefficient * positions``."""

    coefficient: Any
    positions: Any = 1

    @property
    def axes(self) -> Index:
        """The axes on which it depends."""
        return tuple(sorted({*axes_of(self.coefficient), *axes_of(self.positions)}))

    @property
    def key(self) -> Any:
        """Equal for terms whose coefficients can be added without growing."""
        return (axes_of(self.coefficient), content(self.positions))


@dataclass(frozen=True)
class Terms:
    """A sum of terms, at most one of each key."""

    parts: Mapping[Any, Term] = field(default_factory=dict)

    def __iter__(self) -> Any:
        return iter(self.parts.values())

    def __add__(self, other: Any) -> "Terms":
        return summed((self, other))

    __radd__ = __add__

    def __mul__(self, other: Any) -> "Terms":
        return gathered(
            Term(multiplied((a.coefficient, b.coefficient)), multiplied((a.positions, b.positions)))
            for a in self
            for b in as_terms(other)
        )

    __rmul__ = __mul__

    def at(self, axes: Index, index: Index) -> int:
        """The sum at a point: an index along each of its axes."""
        return sum(
            int(taken(term.coefficient, axes, index)) * int(taken(term.positions, axes, index))
            for term in self
        )


def as_terms(value: Any) -> Terms:
    """A number, an array or terms, as terms."""
    if isinstance(value, Terms):
        return value
    if not isinstance(value, np.ndarray) and value == 0:
        return Terms()
    term = Term(value)
    return Terms({term.key: term})


def summed(values: Iterable[Any]) -> Terms:
    """The sum of numbers, arrays and terms."""
    return gathered(term for value in values for term in as_terms(value))


def gathered(terms: Iterable[Term]) -> Terms:
    """Terms with coefficients added up where the positions are the same."""
    found: dict[Any, list[Term]] = {}
    for term in terms:
        found.setdefault(term.key, []).append(term)
    return Terms(
        {
            key: same[0]
            if len(same) == 1
            else Term(added_up(tuple(term.coefficient for term in same)), same[0].positions)
            for key, same in found.items()
        }
    )


def chosen(options: Mapping[Index, Terms], axes: Index, sizes: Index) -> Terms:
    """One sum of the sums of options along some axes; an option without a term has 0 of it."""
    positions: dict[Any, Any] = {}
    coefficients: dict[Any, dict[Index, Any]] = {}
    for index, terms in options.items():
        for key, term in terms.parts.items():
            positions[key] = term.positions
            coefficients.setdefault(key, {})[index] = term.coefficient
    return gathered(
        Term(stacked({index: of.get(index, 0) for index in options}, axes, sizes), positions[key])
        for key, of in coefficients.items()
    )


class Apart:
    """Puts products and sums together with the positions as a factor of their own.

    Positions are what depends on the axis of the input's size.
    """

    def __init__(self, axis: int | None) -> None:
        self.axis = axis

    def product(self, factors: tuple[Any, ...]) -> Any:
        if any(isinstance(factor, Terms) for factor in factors):
            whole: Any = as_terms(1)
            for factor in factors:
                whole = whole * factor
            return whole
        positions = tuple(
            factor for factor in factors if self.axis is not None and self.axis in axes_of(factor)
        )
        if not positions:
            return multiplied(factors)
        others = tuple(factor for factor in factors if self.axis not in axes_of(factor))
        term = Term(multiplied(others), multiplied(positions))
        return Terms({term.key: term})

    def total(self, terms: tuple[Any, ...]) -> Any:
        return summed(terms) if any(isinstance(term, Terms) for term in terms) else added_up(terms)

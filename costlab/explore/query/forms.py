"""Forms: whole-numbered sums over a space, of which conditions and orders are made."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from costlab.explore.derive.grids import axes_of, taken
from costlab.explore.derive.terms import Term, as_terms
from costlab.explore.written.axis import Index

INT64_SAFE = 2**62
"""Sums below it in size cannot wrap, nor can their differences."""


class Form(NamedTuple):
    """A sum of terms with whole numbers of any sign, at each point of a space."""

    terms: tuple[Term, ...]

    @property
    def bound(self) -> int:
        """What no value of it, and no sum of some of its terms, exceeds in size."""
        return sum(largest(term.coefficient) * largest(term.positions) for term in self.terms)

    @property
    def dtype(self) -> Any:
        """64 bits where they surely suffice, else Python's integers."""
        return np.int64 if self.bound < INT64_SAFE else object

    def at(self, index: Index) -> int:
        """The value at a point."""
        axes = tuple(range(len(index)))
        return sum(
            int(taken(term.coefficient, axes, index)) * int(taken(term.positions, axes, index))
            for term in self.terms
        )

    def negated(self) -> "Form":
        """The form with the other sign."""
        return Form(tuple(Term(0 - term.coefficient, term.positions) for term in self.terms))


class Condition(NamedTuple):
    """A form that is at most a limit."""

    form: Form
    limit: int


def form_of(parts: Iterable[tuple[Any, Any]]) -> Form:
    """The sum of terms, each times whole numbers along axes."""
    return Form(
        tuple(
            term if _is_one(factor) else Term(times(factor, term.coefficient), term.positions)
            for factor, value in parts
            for term in as_terms(value)
        )
    )


def masks_form(masks: Sequence[Any]) -> Form:
    """How many of the masks hold: 0 where none does."""
    return Form(
        tuple(
            Term(np.asarray(mask).astype(np.int64) if axes_of(mask) else int(np.any(mask))) for mask in masks
        )
    )


def times(a: Any, b: Any) -> Any:
    """The exact product of whole numbers of any sign, in Python's integers where 64 bits may not suffice."""
    if largest(a) * largest(b) >= INT64_SAFE:
        a, b = (each.astype(object) if isinstance(each, np.ndarray) else each for each in (a, b))
    return a * b


def largest(value: Any) -> int:
    """The largest size of a number, or in an array."""
    return int(abs(value).max()) if isinstance(value, np.ndarray) else abs(int(value))


def _is_one(factor: Any) -> bool:
    return not isinstance(factor, np.ndarray) and factor == 1

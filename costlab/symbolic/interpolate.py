"""Closed forms in a whole number that a definition's own code counts with: no symbol goes through it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from costlab.algebra.dim import symbols
from costlab.algebra.work import QUANTITIES, Work
from costlab.errors import CostlabError, DefinitionError
from costlab.symbolic.closed_form import ClosedForm

DEGREE = 4
POINTS = 8
"""Numbers that are counted: more than a polynomial of that degree needs, so that it can fail."""


def interpolated(at: Callable[[int], ClosedForm], name: str, first: int) -> ClosedForm:
    """The polynomial in the parameter ``name`` through the counts at ``first`` and the numbers around it.

    It goes through more counts than its degree asks for; ``ranges`` says through which. Numbers for which
    there is no network end the range.

    Raises:
        DefinitionError: the counts lie on no polynomial of degree 4 or less, or there are too few.
        TargetError, ShapeError: as for the first.
    """
    forms = {first: at(first)}
    for step in (1, -1):
        number = first + step
        while len(forms) < POINTS and number >= 0 and (form := _tried(at, number)):
            forms[number] = form
            number += step
    if len(forms) < POINTS:
        numbers = f"{min(forms)} to {max(forms)}"
        raise DefinitionError(
            f"{name}: only {numbers} can be counted: too few numbers for a closed form in it"
        )
    whole = _through(forms, at, name, first)
    if any(form.count.auxiliary for form in forms.values()):
        heads = {number: form.inference for number, form in forms.items()}
        return replace(whole, headless=_through(heads, lambda number: at(number).inference, name, first))
    return whole


def _tried(at: Callable[[int], ClosedForm], number: int) -> ClosedForm | None:
    try:
        return at(number)
    except CostlabError:
        return None


def _through(
    forms: Mapping[int, ClosedForm], at: Callable[[int], ClosedForm], name: str, first: int
) -> ClosedForm:
    symbol = symbols(name)
    numbers = sorted(forms)
    lowest, highest = numbers[0], numbers[-1]
    like = forms[first]
    if any(form.classes != like.classes for form in forms.values()):
        raise DefinitionError(f"{name}: the form holds for other sizes with each number: leave the sizes out")
    values = [_read(forms[number]) for number in numbers]
    found = {
        quantity: _polynomial([each[quantity] for each in values], symbol, lowest, name)
        for quantity in QUANTITIES
    }
    known = dict(forms)
    while lowest > 0 and (form := _tried(at, lowest - 1)) and _fits(found, form, symbol, lowest - 1, like):
        lowest -= 1
        known[lowest] = form
    root = like.count.root._replace(work=Work("", **found), children=())
    return replace(
        like,
        count=replace(like.count, root=root),
        symbols={**like.symbols, name: symbol},
        numbers={**like.numbers, name: first},
        anywhere=not like.steps,
        whole=_all(known, "whole"),
        sizes=_all(known, "sizes"),
        apart=_all(known, "apart"),
        cases=known,
        ranges={name: range(lowest, highest + 1)},
    )


def _all(forms: Mapping[int, ClosedForm], conditions: str) -> tuple[Any, ...]:
    """What any of the forms asks for, in the sizes."""
    found = (size.subs(form.back) for form in forms.values() for size in getattr(form, conditions))
    return tuple(dict.fromkeys(found))


def _read(form: ClosedForm) -> Mapping[str, Any]:
    """The quantities of one input: the batch is the count's business."""
    total = replace(form.count, batch=1).total
    return {quantity: form.read(getattr(total, quantity)) for quantity in QUANTITIES}


def _polynomial(values: list[Any], symbol: Any, first: int, name: str) -> Any:
    """Newton's forward differences: the sum of ``binomial(symbol - first, k)`` times the k-th of them."""
    import sympy

    rows = [values]
    while len(rows) <= DEGREE + 1:
        rows.append([sympy.expand(b - a) for a, b in pairwise(rows[-1])])
    if any(rows[DEGREE + 1]):
        numbers = f"{first} to {first + len(values) - 1}"
        raise DefinitionError(
            f"{name}: the counts at {numbers} lie on no polynomial in it of degree {DEGREE} or less: "
            "count single numbers"
        )
    terms = [row[0] * sympy.ff(symbol - first, k) / sympy.factorial(k) for k, row in enumerate(rows)]
    return sympy.expand(sympy.expand_func(sum(terms)))


def _fits(found: Mapping[str, Any], form: ClosedForm, symbol: Any, number: int, like: ClosedForm) -> bool:
    import sympy

    read = _read(form)
    same = all(sympy.expand(found[name].subs(symbol, number) - read[name]) == 0 for name in QUANTITIES)
    return same and form.classes == like.classes

"""Closed forms in an integer that a definition computes with, and that cannot be a symbol: interpolation."""

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
"""Numbers that are counted: more than determine a polynomial of that degree, so that errors show."""


def interpolate(at: Callable[[int], ClosedForm], name: str, first: int) -> ClosedForm:
    """The polynomial in the parameter ``name`` through the counts at ``first`` and neighbouring numbers.

    There are more counts than the degree needs, at all numbers of ``ranges`` of the form. The range ends
    before a number for which there is no network. ``at`` gives the form at a number.

    Raises:
        DefinitionError: the counts lie on no polynomial of degree 4 or less, or there are too few.
        TargetError, ShapeError: as ``at`` for the first number.
    """
    forms = {first: at(first)}
    for step in (1, -1):
        number = first + step
        while len(forms) < POINTS and number >= 0 and (form := _try_form(at, number)):
            forms[number] = form
            number += step
    if len(forms) < POINTS:
        numbers = f"{min(forms)} to {max(forms)}"
        raise DefinitionError(
            f"{name}: only {numbers} can be counted: too few numbers for a closed form in it"
        )
    whole = _interpolate_forms(forms, at, name, first)
    if any(form.count.auxiliary for form in forms.values()):
        heads = {number: form.inference for number, form in forms.items()}
        return replace(
            whole, without_heads=_interpolate_forms(heads, lambda number: at(number).inference, name, first)
        )
    return whole


def _try_form(at: Callable[[int], ClosedForm], number: int) -> ClosedForm | None:
    try:
        return at(number)
    except CostlabError:
        return None


def _interpolate_forms(
    forms: Mapping[int, ClosedForm], at: Callable[[int], ClosedForm], name: str, first: int
) -> ClosedForm:
    symbol = symbols(name)
    numbers = sorted(forms)
    lowest, highest = numbers[0], numbers[-1]
    first_form = forms[first]
    if any(form.classes != first_form.classes for form in forms.values()):
        raise DefinitionError(f"{name}: the form holds for other sizes with each number: leave the sizes out")
    values = [_quantities(forms[number]) for number in numbers]
    polynomials = {
        quantity: _polynomial([quantities[quantity] for quantities in values], symbol, lowest, name)
        for quantity in QUANTITIES
    }
    known = dict(forms)
    while (
        lowest > 0
        and (form := _try_form(at, lowest - 1))
        and _fits(polynomials, form, symbol, lowest - 1, first_form)
    ):
        lowest -= 1
        known[lowest] = form
    root = first_form.count.root._replace(work=Work("", **polynomials), children=())
    return replace(
        first_form,
        count=replace(first_form.count, root=root),
        symbols={**first_form.symbols, name: symbol},
        numbers={**first_form.numbers, name: first},
        for_any_size=not first_form.steps,
        whole=_all_conditions(known, "whole"),
        sizes=_all_conditions(known, "sizes"),
        nonzero=_all_conditions(known, "nonzero"),
        cases=known,
        ranges={name: range(lowest, highest + 1)},
    )


def _all_conditions(forms: Mapping[int, ClosedForm], conditions: str) -> tuple[Any, ...]:
    """The conditions of all forms, as expressions in the sizes."""
    expressions = (size.subs(form.back) for form in forms.values() for size in getattr(form, conditions))
    return tuple(dict.fromkeys(expressions))


def _quantities(form: ClosedForm) -> Mapping[str, Any]:
    """The quantities of one input; the count multiplies them by the batch."""
    total = replace(form.count, batch=1).total
    return {quantity: form.read(getattr(total, quantity)) for quantity in QUANTITIES}


def _polynomial(values: list[Any], symbol: Any, first: int, name: str) -> Any:
    """Newton's interpolation: the sum over k of ``binomial(symbol - first, k)`` times the k-th difference."""
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


def _fits(
    polynomials: Mapping[str, Any], form: ClosedForm, symbol: Any, number: int, first_form: ClosedForm
) -> bool:
    import sympy

    counted = _quantities(form)
    same = all(
        sympy.expand(polynomials[name].subs(symbol, number) - counted[name]) == 0 for name in QUANTITIES
    )
    return same and form.classes == first_form.classes

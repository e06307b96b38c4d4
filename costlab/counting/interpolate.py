"""Closed forms in a whole number that a definition's own code counts with: no symbol goes through it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from costlab.algebra.dim import symbols
from costlab.algebra.work import QUANTITIES, Work
from costlab.counting.closed_form import ClosedForm
from costlab.errors import CostlabError, DefinitionError

DEGREE = 4
POINTS = 8
"""Numbers counted from the first one up: more than a polynomial of that degree needs, so that it can fail."""


def interpolated(at: Callable[[int], ClosedForm], name: str, first: int) -> ClosedForm:
    """The polynomial in the parameter ``name`` through the counts at ``first`` and the numbers around it.

    It goes through more counts than its degree asks for; ``ranges`` says through which.

    Raises:
        DefinitionError: the counts lie on no polynomial of degree 4 or less, or one cannot be made.
    """
    forms = [at(first + i) for i in range(POINTS)]
    heads = [form.inference for form in forms]
    whole = _through(forms, at, name, first)
    if forms[0].count.auxiliary:
        return replace(whole, headless=_through(heads, lambda number: at(number).inference, name, first))
    return whole


def _through(
    forms: Sequence[ClosedForm], at: Callable[[int], ClosedForm], name: str, first: int
) -> ClosedForm:
    symbol = symbols(name)
    found = {
        quantity: _polynomial([_read(form)[quantity] for form in forms], symbol, first, name)
        for quantity in QUANTITIES
    }
    lowest = first
    while lowest > 0 and _fits(found, at, symbol, lowest - 1, forms[0]):
        lowest -= 1
    work = Work("", **found)
    root = forms[0].count.root._replace(work=work, children=())
    return replace(
        forms[0],
        count=replace(forms[0].count, root=root),
        symbols={**forms[0].symbols, name: symbol},
        numbers={**forms[0].numbers, name: first},
        anywhere=not forms[0].steps,
        ranges={name: range(lowest, first + POINTS)},
    )


def _read(form: ClosedForm) -> Mapping[str, Any]:
    """The quantities of one input: the batch is the count's business."""
    total = replace(form.count, batch=1).total
    return {quantity: form.read(getattr(total, quantity)) for quantity in QUANTITIES}


def _polynomial(values: Sequence[Any], symbol: Any, first: int, name: str) -> Any:
    """Newton's forward differences: the sum of ``binomial(symbol - first, k)`` times the k-th of them."""
    import sympy

    rows = [list(values)]
    while len(rows) <= DEGREE + 1:
        above = rows[-1]
        rows.append([sympy.expand(b - a) for a, b in pairwise(above)])
    if any(rows[DEGREE + 1]):
        raise DefinitionError(f"{name}: what is counted is no polynomial in it, from {first} up")
    terms = [row[0] * sympy.ff(symbol - first, k) / sympy.factorial(k) for k, row in enumerate(rows)]
    return sympy.expand(sympy.expand_func(sum(terms)))


def _fits(
    found: Mapping[str, Any], at: Callable[[int], ClosedForm], symbol: Any, number: int, like: ClosedForm
) -> bool:
    import sympy

    try:
        form = at(number)
    except CostlabError:
        return False
    read = _read(form)
    same = all(sympy.expand(found[name].subs(symbol, number) - read[name]) == 0 for name in QUANTITIES)
    return same and form.classes == like.classes

"""Expressions as they are shown: tidy, and ratios and savings of them in their shortest form."""

from typing import Any

from costlab.algebra.floors import has_floors

FAR_SHORTER = 0.75


def tidy(size: Any) -> Any:
    """An expression in a readable form: expanded, or factored if that is far shorter."""
    import sympy

    expanded = sympy.expand(size)
    if len(expanded.free_symbols) < 2 or has_floors(expanded):
        return expanded
    product = sympy.factor(expanded)
    enough = FAR_SHORTER if expanded.is_polynomial() else 1
    return product if _length(product) < enough * _length(expanded) else expanded


def ratio_in_symbols(size: Any, baseline: Any) -> Any:
    """``size / baseline``, simplified; None if the baseline is 0."""
    import sympy

    below = sympy.sympify(baseline)
    return None if below.is_zero else sympy.factor(sympy.cancel(sympy.sympify(size) / below))


def saving_in_symbols(ratio: Any) -> Any:
    """``1 - ratio`` in its shortest form."""
    import sympy

    rest = 1 - ratio
    return min((rest, sympy.expand(rest), sympy.factor(rest)), key=_length)


def _length(form: Any) -> int:
    return len(str(form))

"""Symbolic dimensions that are rounded: floors of SymPy's."""

from typing import Any


def unnested(size: Any) -> Any:
    """An expression whose floors hold no floors: ``floor((floor(y) + a) / n)`` is ``floor((y + a) / n)``.

    But for those within the smaller of two, which pooling that rounds up leaves.
    """
    import sympy

    expression = sympy.sympify(size)
    if not expression.has(sympy.floor):
        return expression
    return expression.replace(sympy.floor, lambda argument: _merged(sympy.expand(argument)))


def has_floors(size: Any) -> bool:
    """Whether a symbolic dimension is rounded, or the smaller of two, anywhere in it."""
    import sympy

    return bool(size.has(sympy.floor, sympy.ceiling, sympy.Min, sympy.Mod))


def _merged(argument: Any) -> Any:
    import sympy

    for inner in argument.atoms(sympy.floor):
        slope = argument.coeff(inner)
        rest = sympy.expand(argument - slope * inner)
        if slope.is_Rational and slope.p == 1 and (rest / slope).is_integer and not rest.has(inner):
            return sympy.floor(sympy.expand(slope * inner.args[0] + rest))
    return sympy.floor(argument)

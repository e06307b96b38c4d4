"""What is given to a space in Python: axes and settings, numbers and shares."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from costlab.algebra.dim import as_dim
from costlab.algebra.inputs import as_input
from costlab.errors import DefinitionError
from costlab.explore.amount import amount
from costlab.explore.written.axial import Value
from costlab.explore.written.condition import AtMost
from costlab.explore.written.linear import Linear, combined, linear
from costlab.messages import named
from costlab.targets.target import Variant


def is_several(values: Any) -> bool:
    """Whether values of a parameter are an axis: a list, a range, an array, or a text of several or all."""
    if isinstance(values, str):
        return ":" in values or "," in values or values.strip() == "*"
    return hasattr(values, "__iter__") and getattr(values, "ndim", 1) != 0


def is_axis_of_input(input: object) -> bool:
    """Whether an input is an axis of sizes, and no shape."""
    return is_several(input) and not isinstance(input, tuple)


def positive(name: str, value: object) -> int:
    """A whole number of at least 1. Raises `DefinitionError` if it is none."""
    number = as_dim(name, value)
    if not isinstance(number, int):
        raise DefinitionError(f"{name}={named(value)} must be a single number")
    return number


def share(name: str, value: object) -> Fraction:
    """A share as a number, or in percent as a text. Raises `DefinitionError` if it is none."""
    if isinstance(value, str) and value.strip().endswith("%"):
        return exact(name, value.strip()[:-1]) / 100
    return exact(name, value)


def exact(name: str, value: Any) -> Fraction:
    """A number of at least 0 as it is written: 0.1 is one tenth. Raises `DefinitionError` if it is none."""
    if isinstance(value, str):
        return Fraction(amount(value, name, least=0))
    try:
        number = Fraction(str(value)) if isinstance(value, float) else Fraction(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise DefinitionError(f"{name}={named(value)} must be a number") from error
    if number < 0 or isinstance(value, bool):
        raise DefinitionError(f"{name}={named(value)} must be a number of at least 0")
    return number


def near(sums: Linear, within: object, of: object) -> tuple[AtMost, ...]:
    """What holds where a sum of quantities is ``of``, give or take a share of it; nothing without both.

    Raises:
        DefinitionError: one of them is missing, or malformed.
    """
    if within is None and of is None:
        return ()
    if within is None or of is None:
        raise DefinitionError("within and of go together, as in within='1%', of=400e6")
    middle = exact("of", of)
    reach = middle * share("within", within)
    above: Any = combined("-", Value(middle - reach), sums)
    below: Any = combined("-", sums, Value(middle + reach))
    return (AtMost(linear(above), strict=False), AtMost(linear(below), strict=False))


def with_input(variant: Variant, input: object) -> Variant:
    """The variant at an input of its own, if one is given. Raises `DefinitionError` if it is malformed."""
    return variant if input is None else replace(variant, input=as_input(input))

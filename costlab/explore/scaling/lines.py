"""Which lines a target has: its multipliers and whole numbers, its input's side, its depth."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from costlab.algebra.dim import COUNT_MAX, Dim
from costlab.algebra.parameter import Parameter, closest
from costlab.algebra.ratio import Ratio
from costlab.algebra.shape import Shape
from costlab.errors import CostlabError, DefinitionError
from costlab.explore.scaling.compound import Compound, CompoundLine
from costlab.explore.scaling.line import Depth, Line, Multiplier, Side, Whole
from costlab.explore.scaling.subject import Subject
from costlab.messages import named
from costlab.symbolic.symbols import RATIO_INSTEAD

INPUT, DEPTH, WIDTH = "input", "depth", "width"
KINDS = (Ratio, Dim, int)
"""The types of parameters that are lines."""


def line_named(subject: Subject, name: str | None) -> Line:
    """The line of that name; without one ``width``, else the first multiplier, the input, the first line.

    Raises:
        DefinitionError: there is none.
    """
    parameters = subject.variant.parameters
    if name is None:
        return _default(subject)
    if name in parameters:
        return _of_parameter(subject, parameters[name])
    if name == INPUT:
        side = _side(subject)
        if side is None:
            raise DefinitionError(
                f"{subject.label}: the input is a vector of {subject.shape}, and has no side to scale"
            )
        return side
    if name == DEPTH:
        return _depth(subject)
    known = [*(key for key, each in parameters.items() if each.type in KINDS), INPUT, DEPTH]
    raise DefinitionError(f"{subject.label} has no axis {named(name)}{_nearest(str(name), known)}")


def _nearest(name: str, known: list[str]) -> str:
    return closest(name, known) or f"; there is {', '.join(known)}"


def _default(subject: Subject) -> Line:
    parameters = subject.variant.parameters
    ratios = [name for name, each in parameters.items() if each.type == Ratio]
    if ratios:
        return line_named(subject, WIDTH if WIDTH in ratios else ratios[0])
    known = {line.name: line for line in lines_of(subject)}
    if not known:
        raise DefinitionError(f"{subject.label} has no axis to scale: no parameter that is a number")
    return known.get(INPUT) or next(iter(known.values()))


def lines_of(subject: Subject) -> list[Line]:
    """Every line that has a number in the target: its parameters, the input's side, the depth."""
    lines = [
        _of_parameter(subject, each)
        for name, each in subject.variant.parameters.items()
        if each.type in KINDS and subject.value(name) is not None
    ]
    if (side := _side(subject)) is not None:
        lines.append(side)
    if len(subject.repeats) > 1 and DEPTH not in subject.variant.parameters:
        lines.append(_depth(subject))
    return lines


def _of_parameter(subject: Subject, parameter: Parameter) -> Line:
    name = parameter.name
    if parameter.type not in KINDS:
        remedy = RATIO_INSTEAD.format(name) if parameter.type is float else ""
        raise DefinitionError(
            f"{subject.label}: {name} takes {parameter.takes}, and is no axis to scale{remedy}"
        )
    value: Any = subject.value(name)
    if value is not None and not isinstance(value, int | float):
        raise DefinitionError(f"{subject.label}: {name}={named(value)} must be one number to be scaled")
    now = None if value is None else Fraction(value)
    if parameter.type == Ratio:
        return Multiplier(name, now)
    line = Whole(name, now, 0 if parameter.type is int else 1, arrays=parameter.type is not int)
    if name in subject.growing or (value is None and parameter.type is int):
        line.limit = Fraction(max(COUNT_MAX, value or 0))
    return line


def _side(subject: Subject) -> Side | None:
    try:
        shape = subject.shape
    except CostlabError:  # where a parameter without a value is a size of the input
        return None
    if not isinstance(shape, Shape):
        return None
    height, width = int(shape.height), int(shape.width)
    return Side(INPUT, Fraction(max(height, width)), f"{height}x{width}", height == width)


def _depth(subject: Subject) -> Depth:
    repeats: Mapping[str, int] = {name: each for name, each in subject.repeats.items() if each}
    if not repeats:
        raise DefinitionError(
            f"{subject.label} has no depth to scale: no parameter under int says how often a part is repeated"
        )
    return Depth(DEPTH, repeats, COUNT_MAX)


def compound_line(subject: Subject, rule: Compound) -> CompoundLine:
    """The line of compound scaling.

    Raises:
        DefinitionError: a coefficient is malformed, or what it scales is not there.
    """
    rule.refuse_malformed()
    depth = width = side = None
    if rule.alpha != 1:
        depth = _part(subject, "alpha", _depth)
    if rule.beta != 1:
        width = _part(subject, "beta", _only_width)
    if rule.gamma != 1:
        side = _part(subject, "gamma", _only_side)
    return CompoundLine(rule, depth, width, side)


def _part(subject: Subject, coefficient: str, find: Any) -> Any:
    try:
        return find(subject)
    except DefinitionError as error:
        raise DefinitionError(f"{error}: with {coefficient}=1 it is left as it is") from None


def _only_width(subject: Subject) -> Multiplier:
    ratios = [name for name, each in subject.variant.parameters.items() if each.type == Ratio]
    if WIDTH not in ratios and len(ratios) != 1:
        raise DefinitionError(f"{subject.label} has no width to scale: no parameter of that name under Ratio")
    line = _of_parameter(subject, subject.variant.parameters[WIDTH if WIDTH in ratios else ratios[0]])
    assert isinstance(line, Multiplier)
    if line.now is None:
        raise DefinitionError(f"{subject.label}: {line.name} has no value to scale: set it")
    return line


def _only_side(subject: Subject) -> Line:
    return line_named(subject, INPUT)

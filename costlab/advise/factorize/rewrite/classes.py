"""Which numbers of a written-out network are its number of classes, as each set of images has its own."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from costlab.advise.factorize.plan import Plan
from costlab.algebra.block import Block
from costlab.algebra.combine import Composite
from costlab.algebra.traced import child_path
from costlab.errors import CostlabError

CLASSES = "num_classes"
"""The parameter of a definition, or of what makes a module, that says how many numbers come out."""


def open_classes(plan: Plan) -> int | None:
    """The number of classes, where it is a parameter that was left at its default."""
    parameters = plan.given.parameters
    if CLASSES in plan.given.settings or CLASSES not in parameters:
        return None
    default = parameters[CLASSES].default
    return default if type(default) is int else None


def classes_in(plan: Plan) -> set[tuple[str, str]]:
    """The paths and fields of the network of a plan that are its number of classes.

    None where another number of classes changes anything else, as the network has to be written out for one.
    """
    number = open_classes(plan)
    if number is None:
        return set()
    try:
        other = plan.variant.with_settings({CLASSES: number + 1}).resolve(plan.found.input).block
    except CostlabError:
        return set()
    found = list(_differences(plan.block, other, ""))
    if any((one, another) != (number, number + 1) for *_, one, another in found):
        return set()
    return {(path, name) for path, name, *_ in found}


def _differences(one: Block, other: Block, path: str) -> Iterator[tuple[str, str, object, object]]:
    """Where two blocks differ: path, field and both values; None for what is not even of one kind."""
    if isinstance(one, Composite) and isinstance(other, Composite) and type(one) is type(other):
        if [name for name, _ in one.children] != [name for name, _ in other.children]:
            yield path, "", None, None
            return
        for (name, child), (_, another) in zip(one.children, other.children, strict=True):
            yield from _differences(child, another, child_path(path, name))
    elif type(one) is not type(other):
        yield path, "", None, None
    elif one != other:
        operation: Any = one  # a dataclass, as every operation is
        for field in fields(operation):
            values = getattr(one, field.name), getattr(other, field.name)
            if values[0] != values[1]:
                yield path, field.name, *values

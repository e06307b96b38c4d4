"""Networks of plans with another number of classes, as each set of images has its own."""

from collections.abc import Iterator
from dataclasses import fields, replace
from functools import partial
from typing import Any

from costlab.advise.factorize.plan import Plan
from costlab.advise.factorize.rewritten import with_blocks
from costlab.algebra.block import Block
from costlab.algebra.combine import Composite, seq
from costlab.algebra.define import Definition
from costlab.algebra.dim import Dim, text
from costlab.algebra.ops.convolution import Conv2d
from costlab.algebra.shape import Shape
from costlab.errors import DefinitionError

CLASSES = "num_classes"
"""The parameter of a definition that says how many numbers it gives."""


def open_classes(plan: Plan) -> int | None:
    """The number of classes of a definition, where it is a parameter that was left at its default."""
    parameters = plan.given.parameters
    if CLASSES in plan.given.settings or CLASSES not in parameters:
        return None
    default = parameters[CLASSES].default
    return default if type(default) is int else None


def with_classes(plan: Plan, num_classes: Dim) -> Block:
    """The network of a plan with another number of classes, at the ranks of the plan.

    Raises:
        DefinitionError: a convolution that is replaced is none then.
    """
    given, found = plan.given, plan.found
    settings = {**given.settings, CLASSES: num_classes}
    target = replace(given, settings=settings).resolve(found.input)
    nodes = {node.path: node for node in target.walk().nodes()}
    others = {}
    for each in plan.replacements:
        node = nodes.get(each.path)
        if node is None or not isinstance(node.block, Conv2d) or not isinstance(node.input, Shape):
            raise DefinitionError(
                f"{plan.label}: with {CLASSES}={text(num_classes)} there is no convolution {each.path}"
            )
        others[each.path] = seq(*each.scheme.parts(node.block, node.input.channels, each.rank))
    return with_blocks(target.block, others)


class PlannedDefinition(Definition[...]):
    """The network of a plan, with its number of classes as the only parameter."""

    def __init__(self, plan: Plan) -> None:
        made = partial(_network, plan, num_classes=open_classes(plan))
        super().__init__(made, input=tuple(plan.found.input), unverified=plan.given.unverified)
        self.plan, self.name = plan, plan.label

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.plan,)


def _network(plan: Plan, *, num_classes: Dim) -> Block:
    """The network of a plan.

    Args:
        plan: the plan.
        num_classes: features of the last linear layer.
    """
    return with_classes(plan, num_classes)


def classes_in(plan: Plan) -> set[tuple[str, str]] | None:
    """The paths and fields of the network of a plan that are its number of classes; None if it has none.

    Nor has it one to set where a field is something else that follows from it.
    """
    number = open_classes(plan)
    if number is None:
        return None
    try:
        other = with_classes(plan, number + 1)
    except DefinitionError:
        return None
    found = set()
    for path, name, one, another in _differences(plan.block, other, ""):
        if (one, another) != (number, number + 1):
            return None
        found.add((path, name))
    return found or None


def _differences(one: Block, other: Block, path: str) -> Iterator[tuple[str, str, object, object]]:
    """Where two blocks differ: path, field and both values; None for what is not even of one kind."""
    if type(one) is not type(other):
        yield path, "", None, None
    elif isinstance(one, Composite) and isinstance(other, Composite):
        if [name for name, _ in one.children] != [name for name, _ in other.children]:
            yield path, "", None, None
            return
        for (name, child), (_, another) in zip(one.children, other.children, strict=True):
            yield from _differences(child, another, f"{path}.{name}" if path else name)
    elif one != other:
        for field in fields(one):  # type: ignore[arg-type]  # every operation is a dataclass
            values = getattr(one, field.name), getattr(other, field.name)
            if values[0] != values[1]:
                yield path, field.name, *values

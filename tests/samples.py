"""Sampled operations: values for each field by its annotation, so that a new class needs no list here."""

import random
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_type_hints

from costlab.algebra import AnyShape, Dim, Operation, Shape, Size2d, Vector
from costlab.algebra.ops.convolution import Padding
from costlab.errors import DefinitionError, ShapeError

POOLS: dict[Any, list[Any]] = {
    bool: [False, True],
    float: [0.1, 0.5, 1.0],
    Dim: [1, 2, 3, 4, 6],
    Size2d: [1, 2, 3, (1, 3), (3, 2), (2, 1), 5],
    Size2d | None: [None, 1, 2, 3, (1, 2), (3, 1)],
    Padding: [0, 1, 2, (1, 0), (0, 2), "same", "valid"],
}
NON_NEGATIVE = {"padding": [0, 0, 1, 2, (1, 0), (0, 1)]}


def operation_classes(base: type[Operation] = Operation) -> list[type[Operation]]:
    """Every concrete operation class that is imported, those of the tests aside."""
    found: list[type[Operation]] = []
    for cls in base.__subclasses__():
        if "kind" in vars(cls) and cls.__module__.startswith("costlab."):
            found.append(cls)
        found += operation_classes(cls)
    return found


def field_pools(cls: type[Operation]) -> dict[str, list[Any]]:
    """The values tried for each field. An annotation without values is a KeyError: give it some."""
    hints = get_type_hints(cls)
    names = [field.name for field in fields(cls)]
    return {
        name: NON_NEGATIVE[name] if name in NON_NEGATIVE and hints[name] == Size2d else POOLS[hints[name]]
        for name in names
    }


def accepted_shape(operation: Operation) -> AnyShape:
    """A feature map, or a vector where the operation takes only those."""
    for x in (Shape(12, 40, 40), Vector(12)):
        try:
            operation.output(x)
        except ShapeError:
            continue
        return x
    raise AssertionError(operation)


def sampled(cls: type[Operation], count: int, seed: int = 0) -> Iterator[Operation]:
    """Distinct operations of the class, drawn from the product of its fields' values."""
    draw = random.Random(f"{cls.__name__} {seed}")
    pools = field_pools(cls)
    seen = set[Operation]()
    for _ in range(20 * count):
        try:
            operation = cls(**{name: draw.choice(values) for name, values in pools.items()})
        except DefinitionError:
            continue
        if operation not in seen:
            seen.add(operation)
            yield operation
        if len(seen) == count:
            return

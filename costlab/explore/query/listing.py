"""All members of a space as frames, in pieces."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from costlab.explore.query import queries
from costlab.explore.written.axis import Index
from costlab.explore.written.linear import Linear

if TYPE_CHECKING:
    from pandas import DataFrame

    from costlab.explore.space import Space


def frames(space: "Space") -> "Iterator[DataFrame]":
    """A column for each axis and each quantity; numbers are exact, Python's where 64 bits do not do."""
    import pandas as pd

    names = space.quantities
    linears: list[Linear] = [space.quantity(name) for name in names]
    columns: list[Any] = [_column(axis.values) for axis in space.axes]
    every = space.asked(*linears)
    dtype = object if any(asked.plan.dtype is object for asked in every) else np.int64

    def frame(indices: Any, values: Any) -> "DataFrame":
        named = {
            axis.name: column[indices[:, at]]
            for at, (axis, column) in enumerate(zip(space.axes, columns, strict=True))
        }
        return pd.DataFrame({**named, **dict(zip(names, values.astype(dtype), strict=True))})

    is_empty = True
    for asked in every:
        for indices, values in queries.rows(space.engine, asked):
            is_empty = False
            yield frame(indices, values)
    if is_empty:
        yield frame(np.zeros((0, len(columns)), np.int64), np.zeros((len(names), 0), np.int64))


def indices_of(space: "Space") -> Iterator[Index]:
    """The points of all members."""
    for asked in space.asked():
        for indices, _ in queries.rows(space.engine, asked):
            yield from map(tuple, indices.tolist())


def _column(values: tuple[object, ...]) -> Any:
    """The values of an axis as an array; a tuple is one value of it."""
    kinds = {type(value) for value in values}
    column = np.empty(len(values), kinds.pop() if kinds in ({int}, {float}, {bool}) else object)
    column[:] = values
    return column

"""All members of a space as frames, in pieces."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from costlab.algebra.work import QUANTITIES
from costlab.explore.linear import Linear
from costlab.explore.query import queries

if TYPE_CHECKING:
    from pandas import DataFrame

    from costlab.explore.space import Space


def frames(space: "Space") -> "Iterator[DataFrame]":
    """A column for each axis and each quantity; numbers are exact, Python's where 64 bits do not do."""
    import pandas as pd

    linears: list[Linear] = [space.quantity(name) for name in QUANTITIES]
    columns: list[Any] = [np.array([*axis.values], dtype=_kind(axis.values)) for axis in space.axes]
    for asked in space.asked(*linears):
        for indices, values in queries.rows(space.engine, asked):
            named = {
                axis.name: column[indices[:, at]]
                for at, (axis, column) in enumerate(zip(space.axes, columns, strict=True))
            }
            yield pd.DataFrame({**named, **dict(zip(QUANTITIES, values, strict=True))})


def _kind(values: tuple[object, ...]) -> type:
    kinds = {type(value) for value in values}
    return kinds.pop() if kinds <= {int} or kinds <= {float} or kinds <= {bool} else object

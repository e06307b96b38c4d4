"""Grids: one array rank for all axes of a space, in which a value has its own axes only.

A value along some of the axes of a space is an int, a `Grid` of the space's rank that has size 1 along every
axis on which it does not depend, or a `OneOf`.
"""

from typing import Any

import numpy as np

from costlab.algebra.several import LookedAt, OneOf
from costlab.explore.axis import Index


class Grid(np.ndarray[Any, Any]):
    """An array along axes of a space; code that wants to know a single value in it looks at its axes."""

    def _look(self, *_: object) -> Any:
        if self.size == 1:
            return self.item()
        raise LookedAt(axes_of(self))

    def __bool__(self) -> bool:
        return bool(self._look())

    def __int__(self) -> int:
        return int(self._look())

    def __index__(self) -> int:
        return int(self._look())

    def __float__(self) -> float:
        return float(self._look())

    def __round__(self, digits: int | None = None) -> Any:
        return round(self._look(), digits)

    def __format__(self, form: str) -> str:
        return format(self._look(), form)

    def __iter__(self) -> Any:
        return iter(self._look())

    def __contains__(self, value: object) -> bool:
        return value in self._look()


def along(axis: int, values: Any, rank: int) -> Grid:
    """Values along one axis, as a grid."""
    shape = [1] * rank
    shape[axis] = len(values)
    return np.asarray(values).reshape(shape).view(Grid)


def axes_of(value: Any) -> Index:
    """The axes along which a value differs."""
    if type(value) is OneOf:
        return (value.axis,)
    return tuple(axis for axis, size in enumerate(np.shape(value)) if size > 1)


def taken(array: Any, axes: Index, index: Index) -> Any:
    """The part of a number or array at one index along each of some axes; one number alone is plain."""
    if not isinstance(array, np.ndarray):
        return array
    for axis, place in zip(axes, index, strict=True):
        if array.shape[axis] > 1:
            array = array.take([place], axis)
    return plain(array)


def plain(array: Any) -> Any:
    """A number where there is only one."""
    if isinstance(array, np.ndarray) and array.size == 1:
        return array.reshape(-1)[0] if array.dtype == object else array.item()
    return array


def least(array: Any) -> Any:
    """The array without the axes along which nothing changes; a number where nothing does."""
    if not isinstance(array, np.ndarray):
        return array
    for axis in axes_of(array):
        first = array.take([0], axis)
        if (np.asarray(array) == np.asarray(first)).all():
            array = first
    return plain(array)


def stacked(parts: dict[Index, Any], axes: Index, sizes: Index) -> Any:
    """One array of a value per index along some axes, without axes along which nothing changes."""
    values = list(parts.values())
    if all(type(value) is int for value in values) and len(set(values)) == 1:
        return values[0]
    rank = len(sizes)
    arrays = {index: as_array(value, rank) for index, value in parts.items()}
    shape = list(np.broadcast_shapes(*(array.shape for array in arrays.values())))
    for axis in axes:
        shape[axis] = sizes[axis]
    dtype = np.result_type(*(array.dtype for array in arrays.values()))
    whole = np.zeros(shape, dtype).view(Grid)
    for index, array in arrays.items():
        place: list[Any] = [slice(None)] * rank
        for axis, at in zip(axes, index, strict=True):
            place[axis] = slice(at, at + 1)
        whole[tuple(place)] = array
    return least(whole)


def as_array(value: Any, rank: int) -> Any:
    """A number as an array of the rank; an array as it is."""
    if isinstance(value, np.ndarray) and value.ndim == rank:
        return value
    wide = isinstance(value, int) and abs(value) >= 2**62
    return np.asarray(value, dtype=object if wide else None).reshape((1,) * rank)


def content(array: Any) -> Any:
    """What tells a number or array from others: equal where they are."""
    if not isinstance(array, np.ndarray):
        return array
    values = tuple(array.ravel().tolist()) if array.dtype == object else array.tobytes()
    return (array.shape, array.dtype.str, values)

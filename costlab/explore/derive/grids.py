"""Grids: one array rank for all axes of a space, in which a value has its own axes only.

A value along some of the axes of a space is an int, a `Grid` of the space's rank that has size 1 along every
axis on which it does not depend, or a `OneOf`.
"""

from typing import Any

import numpy as np

from costlab.algebra.several import LookedAt, OneOf, asked_by_code, maker
from costlab.explore.written.axis import Index

WRAPPING = frozenset({np.add, np.subtract, np.multiply, np.power, np.left_shift})
"""What of whole numbers may be beyond 64 bits."""
DIVIDING = frozenset({np.floor_divide, np.true_divide, np.remainder, np.divmod})
"""What there is no value of where the second number is 0."""


class Grid(np.ndarray[Any, Any]):
    """An array along axes of a space; code that wants to know a single value in it looks at its axes.

    Arithmetic on it gives what it gives on each value: nothing wraps, and nothing is changed in place.
    """

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

    def __str__(self) -> str:
        return str(self._look()) if asked_by_code() else super().__str__()

    def __hash__(self) -> int:  # type: ignore[override]  # arrays have none, numbers do
        return hash(self._look())

    def __len__(self) -> int:
        return len(self._look())

    def __iter__(self) -> Any:
        return iter(self._look())

    def __contains__(self, value: object) -> bool:
        return value in self._look()

    def __getattr__(self, name: str) -> Any:  # what numbers of Python have and arrays have not
        if name.startswith("_") or not asked_by_code():
            raise AttributeError(name)
        return getattr(self._look(), name)

    @property  # type: ignore[misc]  # `isinstance` asks for it, where it is no array that is asked for
    def __class__(self) -> Any:
        return type(self._look()) if self.size > 1 and asked_by_code() else Grid

    def all(self, *args: Any, **kwargs: Any) -> Any:
        """Whether all are true; what differs within a grid is looked at while blocks are made."""
        everywhere = super().all(*args, **kwargs)
        if not (args or kwargs or everywhere) and maker() is not None and self.any():
            self._look()
        return everywhere

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        arrays = []
        for each in inputs:
            if isinstance(each, list | tuple | str):
                self._look()  # numbers do something else with them than arrays
            arrays.append(np.asarray(each) if isinstance(each, np.ndarray) else each)
        careful = method == "__call__" and (ufunc in WRAPPING or ufunc in DIVIDING)
        if careful and _is_numbers_own(ufunc, arrays):
            raise LookedAt(tuple({axis for each in arrays for axis in axes_of(each)}))
        if careful and ufunc in WRAPPING and _may_wrap(ufunc, arrays):
            arrays = [each.astype(object) if isinstance(each, np.ndarray) else each for each in arrays]
        made = getattr(ufunc, method)(*arrays, **kwargs)
        several = made if isinstance(made, tuple) else (made,)
        grids = tuple(each.view(Grid) if isinstance(each, np.ndarray) else each for each in several)
        return grids if isinstance(made, tuple) else grids[0]


def _is_numbers_own(ufunc: Any, arrays: list[Any]) -> bool:
    """Whether NumPy gives something else than numbers by themselves: it divides by 0, and rounds powers."""
    if ufunc in DIVIDING:
        return not np.all(arrays[1])
    return ufunc is np.power and any(np.asarray(each).dtype.kind == "f" for each in arrays)


def _may_wrap(ufunc: Any, numbers: list[Any]) -> bool:
    """Whether a result may be beyond 64 bits, where all are whole numbers."""
    if not all(isinstance(each, int) or np.asarray(each).dtype.kind in "iub" for each in numbers):
        return False
    bits = [max(1, int(np.abs(np.asarray(each)).max()).bit_length()) for each in numbers]
    if ufunc is np.power or ufunc is np.left_shift:
        most = int(np.max(numbers[-1]))
        return (bits[0] * most if ufunc is np.power else bits[0] + most) > 62
    return (sum(bits) if ufunc is np.multiply else max(bits) + 1) > 62


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

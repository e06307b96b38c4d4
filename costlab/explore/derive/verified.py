"""Holding what was derived of a space against counts of some of its members, one by one."""

from collections.abc import Callable
from random import Random

import numpy as np

from costlab.algebra.define import Definition
from costlab.algebra.work import QUANTITIES
from costlab.counting.count import count
from costlab.errors import DefinitionError
from costlab.explore.derive.derived import Derived, is_array
from costlab.explore.member import variant_of
from costlab.explore.written.axis import Axis, Index
from costlab.targets.target import Variant

FEWEST, MOST = 32, 200
"""How many members are counted: at least one for each value at which code looks, as far as these allow."""
MISFITS = 20
"""Of how many parts members that do not fit are counted: code may catch what is wrong with some values."""


def hold_against_counts(
    derived: Derived, variant: Variant, axes: tuple[Axis, ...], progress: Callable[[str, float], None]
) -> None:
    """Count some members as `costlab.count` does.

    A definition may ask for a value in a way that nobody sees, such as ``type(x) is int``, and then be the
    same for all values.

    Raises:
        DefinitionError: one of them has other totals, or fits where it should not, or the other way round.
    """
    sizes = [len(axis.values) for axis in axes]
    definition = variant.subject
    assert isinstance(definition, Definition)
    looked_at = [len(axis.values) for axis in axes if not is_array(definition, axis)]
    many = min(MOST, max([FEWEST, *looked_at]))
    chosen = list(dict.fromkeys([*members(sizes, many), *misfits(derived, sizes)]))
    for done, index in enumerate(chosen, 1):
        _hold(derived, variant_of(variant, axes, index), index)
        progress("holding it against counts", done / len(chosen))


def members(sizes: list[int], many: int) -> list[Index]:
    """Both ends of all axes, and so many members; every value of an axis is among them, if there is room."""
    random = Random(0)  # noqa: S311  # a draw that can be repeated, and no secret
    columns = [_column(size, many, random) for size in sizes]
    ends = [tuple(0 for _ in sizes), tuple(size - 1 for size in sizes)]
    return list(dict.fromkeys([*ends, *zip(*columns, strict=True)]))


def misfits(derived: Derived, sizes: list[int]) -> list[Index]:
    """Members that do not fit: two for each of the first parts at which some do not."""
    random = Random(0)  # noqa: S311  # a draw that can be repeated, and no secret
    found = []
    for _, mask in derived.misfits[:MISFITS]:
        array = np.asarray(mask).reshape(np.shape(mask) or (1,) * len(sizes))
        places = np.argwhere(array)
        for place in places[[0, -1]].tolist():
            ranges = (
                range(at, at + 1) if n > 1 else range(size)
                for at, n, size in zip(place, array.shape, sizes, strict=True)
            )
            found.append(tuple(map(random.choice, ranges)))
    return found


def _column(size: int, many: int, random: Random) -> list[int]:
    """Places along an axis in a random order: each as often as any other, or as many as there is room for."""
    places = random.sample(range(size), min(size, many))
    column = [places[at % len(places)] for at in range(many)]
    random.shuffle(column)
    return column


def _hold(derived: Derived, variant: Variant, index: Index) -> None:
    misfit = derived.misfit_at(index)
    try:
        counted = count(variant)
    except Exception as error:  # of the definition's own, too
        if misfit is None:
            raise _different(variant, f"it does not fit: {error}") from error
        return
    if misfit is not None:
        raise _different(variant, f"it fits, and was held not to at {misfit or 'the root'}")
    totals = derived.at(index)
    for name in QUANTITIES:
        if counted.size(name) != totals[name]:
            raise _different(
                variant, f"{name} is {counted.size(name):,} when it is counted, not {totals[name]:,}"
            )


def _different(variant: Variant, what: str) -> DefinitionError:
    return DefinitionError(
        f"{variant.label}: {what}; the definition asks for a value in a way that cannot be followed, such as "
        "`type(x) is int`: ask by comparing it"
    )

"""The axes at which a space is cut, so that the others fall apart into groups, and halves of these."""

from collections.abc import Iterable
from math import prod

from costlab.explore.written.axis import Index


def cut_of(signatures: Iterable[Index], sizes: Index, most: int) -> tuple[Index, tuple[Index, ...]]:
    """Axes without which the others fall apart into groups of at most ``most`` points that share no term."""
    sets = {frozenset(signature) for signature in signatures}
    axes = sorted({axis for each in sets for axis in each})
    cut: list[int] = []
    while True:
        groups = _connected([axis for axis in axes if axis not in cut], sets)
        large = [group for group in groups if prod(sizes[axis] for axis in group) > most]
        if not large:
            return tuple(sorted(cut)), tuple(groups)
        group = set(large[0])

        def ties(axis: int, group: set[int] = group) -> tuple[int, int]:
            near = {other for each in sets if axis in each for other in each if other in group}
            return (len(near), sizes[axis])

        cut.append(max(group, key=ties))


def _connected(axes: list[int], sets: set[frozenset[int]]) -> list[Index]:
    """Axes in groups that share no term."""
    groups: list[Index] = []
    left = set(axes)
    while left:
        group, pending = set(), [min(left)]
        while pending:
            axis = pending.pop()
            if axis in group:
                continue
            group.add(axis)
            pending += [other for each in sets if axis in each for other in each if other in left]
        left -= group
        groups.append(tuple(sorted(group)))
    return groups


def halved(groups: tuple[Index, ...], sizes: Index) -> tuple[Index, Index]:
    """The groups in two halves with about as many points: each, the largest first, where there are fewer."""
    points = {group: prod(sizes[axis] for axis in group) for group in groups}
    halves: tuple[list[Index], list[Index]] = ([], [])
    for group in sorted(groups, key=lambda group: -points[group]):
        min(halves, key=lambda half: prod(points[each] for each in half)).append(group)
    left, right = (tuple(axis for group in half for axis in group) for half in halves)
    return left, right

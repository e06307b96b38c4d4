"""What each module, or each kind of operation, holds: sums over what ran."""

from collections.abc import Iterator
from typing import NamedTuple

from costlab.algebra.dim import Dim, maximum, total
from costlab.hardware.held.moments import Kept, Moment, Part


class MemoryRow(NamedTuple):
    """What a module with all below it, or a kind of operation, holds: bytes of weights, of buffers, and kept.

    ``live`` is the most that is allocated, by all, while a module runs, forward or back; of a kind it is 0.
    """

    name: str
    weights: Dim
    buffers: Dim
    kept: Dim
    live: Dim


def rows(
    parts: tuple[Part, ...], keeps: tuple[Kept, ...], moments: tuple[Moment, ...], depth: int | None
) -> tuple[MemoryRow, ...]:
    """The rows of modules at a depth, or without one of kinds, in the order in which they run first.

    What is kept of the input is not in them.
    """
    by_kind = depth is None
    keeps = tuple(each for each in keeps if not each.is_input)
    sums: dict[str, MemoryRow] = {}

    def row(path: str, kind: str = "") -> MemoryRow:
        name = kind if by_kind else ".".join(path.split(".")[:depth])
        return sums.setdefault(name, MemoryRow(name, 0, 0, 0, 0))

    for path, kind in _kinds_in_turn((*parts, *keeps), moments) if by_kind else _modules_in_turn(moments):
        row(path, kind)
    for part in parts:
        old = row(part.path, part.kind)
        sums[old.name] = old._replace(
            weights=total((old.weights, part.weights)), buffers=total((old.buffers, part.buffers))
        )
    for each in keeps:
        old = row(each.path, each.kind)
        sums[old.name] = old._replace(kept=total((old.kept, each.size)))
    for moment in () if by_kind else moments:
        if moment.phase in ("forward", "backward"):
            old = row(moment.path)
            sums[old.name] = old._replace(live=maximum(old.live, moment.live))
    return tuple(sums.values())


def _modules_in_turn(moments: tuple[Moment, ...]) -> Iterator[tuple[str, str]]:
    return ((moment.path, "") for moment in moments if moment.phase == "forward")


def _kinds_in_turn(
    holders: tuple[Part | Kept, ...], moments: tuple[Moment, ...]
) -> Iterator[tuple[str, str]]:
    turn: dict[str, int] = {}
    for path, _ in _modules_in_turn(moments):
        turn.setdefault(path, len(turn))
    in_turn = sorted(holders, key=lambda each: turn.get(each.path, len(turn)))
    return ((each.path, each.kind) for each in in_turn)

"""Rooflines: the least time that each operation takes on a device, by its peak and its bandwidth alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import repeat
from math import fsum
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from costlab.algebra.combine import marked
from costlab.algebra.dim import is_number, text
from costlab.algebra.work import QUANTITIES
from costlab.counting.breakdown import module_at
from costlab.counting.count import Count
from costlab.counting.count import count as count_target
from costlab.counting.overview import LEVELS, Overview
from costlab.errors import DefinitionError
from costlab.hardware.device import Device
from costlab.hardware.device import device as device_of
from costlab.hardware.traffic import Moved, traffic
from costlab.targets.like import TargetLike

Limit: TypeAlias = Literal["compute", "memory", "both", ""]
"""What bounds: the peak, the bandwidth, for several operations one or the other, or nothing at all."""


class TimeBound(NamedTuple):
    """The bound of one operation, or of several one after another; all is for the whole batch.

    ``flop`` are two per multiply-add, ``seconds`` the least time: for each operation the larger of
    ``flop / peak`` and ``bytes / bandwidth``. Of that ``memory_seconds`` are spent in operations that the
    bandwidth bounds. ``share`` is the part of the whole network's. ``operations`` are those that move or
    compute anything. ``predicted`` are the seconds that somebody predicts beside the bound.
    """

    path: str
    kind: str
    operations: int
    multiply_adds: int
    flop: int
    bytes: int
    limit: Limit
    seconds: float
    memory_seconds: float
    share: float
    predicted: float | None = None

    @property
    def intensity(self) -> float | None:
        """FLOP per byte; None where nothing is moved."""
        return self.flop / self.bytes if self.bytes else None


@dataclass(frozen=True, repr=False)
class Roofline(Overview):
    """A network on a device: a lower bound on its time, which is no prediction.

    Each operation runs alone and after the one before it, at the ``peak`` of the device in ``dtype`` and at
    its ``bandwidth``; every tensor is read and written once; nothing is held in a cache, and to launch an
    operation takes no time. What runs takes longer, unless a cache holds what is handed on. The count is that
    of inference. ``predicted`` are the seconds that a model of the device predicts for each operation of the
    count, in its order; see `beside`.
    """

    count: Count
    device: Device
    dtype: str = "float32"
    fused: bool = False
    predicted: tuple[float, ...] | None = None

    @property
    def peak(self) -> int:
        """FLOP per second of the device in the type."""
        return self.device.peak(self.dtype)

    @property
    def bandwidth(self) -> int:
        """Bytes per second of its memory."""
        return self.device.known_bandwidth()

    @property
    def ridge(self) -> float:
        """FLOP per byte from which on the peak bounds an operation, and below it the bandwidth."""
        return self.device.ridge(self.dtype)

    @cached_property
    def operations(self) -> tuple[TimeBound, ...]:
        """The bound of each operation, in the order of execution; of what is free or absorbed, nothing."""
        whole = self.total.seconds
        return tuple(self._add_up([part], part.moved.node.path, _kind(part), whole) for part in self._parts)

    @property
    def moved(self) -> tuple[Moved, ...]:
        """What each operation moves, in the order of execution."""
        return tuple(part.moved for part in self._parts)

    @cached_property
    def total(self) -> TimeBound:
        """The whole network, its operations one after another."""
        return self._add_up(self._parts, "", self.count.total_name, None)

    @property
    def seconds(self) -> float:
        """The lower bound on its time."""
        return self.total.seconds

    def beside(self, predicted: Sequence[float]) -> "Roofline":
        """The same with the seconds that are predicted for each operation, in the order of `operations`.

        Raises:
            DefinitionError: they are not as many.
        """
        if len(predicted) != len(self.moved):
            raise DefinitionError(
                f"{self.count.label}: {len(predicted)} predictions for {len(self.moved)} operations"
            )
        return replace(self, predicted=tuple(predicted))

    def modules(self, depth: int = 1) -> tuple[TimeBound, ...]:
        """One bound per module at ``depth``; they add up to the total.

        Raises:
            DefinitionError: ``depth`` is no whole number of at least 0.
        """
        self.count.modules(depth)  # which says what is wrong with a depth
        key = module_at(depth)
        return self._grouped(lambda part: key(part.moved.node), lambda path, parts: (path, _kind_of(parts)))

    def kinds(self) -> tuple[TimeBound, ...]:
        """One bound per kind of operation; they add up to the total."""
        return self._grouped(_kind, lambda kind, _: ("", kind))

    @property
    def title(self) -> str:
        """What stands on which device, on one line."""
        name = marked(self.device.name, self.device.unverified)
        return f"{self.count.title}, on {name} in {self.dtype}{', fused' if self.fused else ''}"

    def _lines(self) -> Sequence[str]:
        whole = self.total
        return (
            self.title,
            f"at least {whole.seconds:.4g} seconds, a lower bound and no prediction",
            f"{whole.flop:,} FLOP, two per multiply-add",
            f"{whole.bytes:,} bytes",
            f"{whole.memory_seconds:.4g} seconds in operations that memory bounds",
        )

    def _in_notebook(self) -> Sequence[str]:
        from costlab.counting.folded import Line, by_level, said, tree

        def cells(name: str, row: TimeBound) -> list[str]:
            return [name, row.limit, f"{row.multiply_adds:,}", f"{row.bytes:,}", f"{row.seconds:.4g}"]

        lines = by_level(self.modules, lambda row: row.path, cells)
        lines.append(Line(cells(self.total.kind, self.total)))
        titles = ["module", "bound by", "multiply-adds", "bytes", "at least, seconds"]
        return [said(self._lines()[1:]), tree(titles, lines, text=2, instead=LEVELS)]

    @cached_property
    def _parts(self) -> "tuple[_Part, ...]":
        predicted = repeat(None) if self.predicted is None else self.predicted
        moved = traffic(self.count, self.dtype, fused=self.fused)
        return tuple(self._least(each, guess) for each, guess in zip(moved, predicted, strict=False))

    def _grouped(
        self,
        key: "Callable[[_Part], str]",
        name: "Callable[[str, Sequence[_Part]], tuple[str, str]]",
    ) -> tuple[TimeBound, ...]:
        groups: dict[str, list[_Part]] = {}
        for part in self._parts:
            groups.setdefault(key(part), []).append(part)
        whole = self.total.seconds
        return tuple(self._add_up(group, *name(each, group), whole) for each, group in groups.items())

    def _add_up(self, group: "Sequence[_Part]", path: str, kind: str, whole: float | None) -> TimeBound:
        seconds = fsum(part.seconds for part in group)
        by_memory = fsum(part.seconds for part in group if part.limit == "memory")
        limits = {part.limit for part in group if part.limit}
        macs, moved = sum(part.multiply_adds for part in group), sum(part.bytes for part in group)
        limit: Limit = "both" if len(limits) > 1 else next(iter(limits), "")
        share = 1.0 if whole is None else seconds / whole if whole else 0.0
        many = sum(part.limit != "" for part in group)
        guesses = None if self.predicted is None else fsum(part.predicted or 0.0 for part in group)
        return TimeBound(path, kind, many, macs, 2 * macs, moved, limit, seconds, by_memory, share, guesses)

    def _least(self, moved: Moved, predicted: float | None) -> "_Part":
        """The least time of one operation: the larger of two, which are compared exactly."""
        work = moved.node.work
        assert work is not None
        macs, size = int(work.multiply_adds) * int(self.count.batch), int(moved.bytes)
        compute, memory = Fraction(2 * macs, self.peak), Fraction(size, self.bandwidth)
        limit: Limit = "" if not macs and not size else "compute" if compute >= memory else "memory"
        return _Part(moved, limit, float(max(compute, memory)), macs, size, predicted)


class _Part(NamedTuple):
    """One operation with its bound, and perhaps what is predicted."""

    moved: Moved
    limit: Limit
    seconds: float
    multiply_adds: int
    bytes: int
    predicted: float | None


def roofline(
    target: TargetLike,
    device: str | Device,
    dtype: str = "float32",
    *,
    batch: int = 1,
    fused: bool = False,
    input: object = None,
    devices: str | Path | None = None,
    **settings: Any,
) -> Roofline:
    """The lower bound on the time of a target in inference on a device, operation by operation.

    ``device`` is a `Device` or the name of one, of the table or of a CSV file ``devices``; ``dtype`` a type
    that it has a peak for, in whose elements everything is stored. With ``fused``, batch norm and activation
    functions that follow a layer move nothing of their own. ``target``, ``input`` and ``settings`` are as for
    `count`.

    Raises:
        DeviceError: there is no such device, or it has no peak for the type, or no bandwidth that is known.
        DefinitionError: the count is for symbols or arrays; or as `count`.
        TargetError, ShapeError: as `count`.
    """
    on = device_of(device, devices)
    on.ridge(dtype)  # says what is not known before anything is counted
    return of_count(count_target(target, input, batch=batch, **settings), on, dtype, fused=fused)


def of_count(count: Count, device: Device, dtype: str = "float32", *, fused: bool = False) -> Roofline:
    """The roofline of a count, without its auxiliary heads.

    Raises:
        DeviceError: the device has no peak for the type, or no bandwidth that is known.
        DefinitionError: the count is for symbols or arrays, or of a step of training.
    """
    device.ridge(dtype)
    for name in QUANTITIES:
        if not is_number(size := count.size(name)):
            raise DefinitionError(
                f"{count.label}: {name}={text(size)} is no single number; a bound needs numbers"
            )
    made = Roofline(count.inference if count.auxiliary else count, device, dtype, fused)
    made.moved  # noqa: B018  # a step of training is refused here, and not where it is shown
    return made


def _kind(part: _Part) -> str:
    work = part.moved.node.work
    return work.kind if work else ""


def _kind_of(group: Sequence[_Part]) -> str:
    """The kind of the operations of a module, where they are all of one."""
    kinds = {_kind(part) for part in group}
    return kinds.pop() if len(kinds) == 1 else ""

"""The peaks of the memory of all members of a space: one run for all that are built alike.

A peak is the largest of many sums, and no sum of small tensors. So there is a table with one for each member:
for each way in which members are built, a network of arrays is run as `costlab.memory` runs one of numbers.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from math import prod
from typing import Any

import numpy as np

from costlab.algebra.block import Block
from costlab.algebra.dim import INT64_MAX
from costlab.errors import DefinitionError
from costlab.explore.derive.choice import axes_chosen, axes_within, restricted, with_parts
from costlab.explore.derive.derived import Derived
from costlab.explore.derive.grids import least
from costlab.explore.derive.terms import Terms, as_terms
from costlab.explore.derive.verified import members
from costlab.explore.member import variant_of
from costlab.explore.quantities import PEAK_MEMORY
from costlab.explore.written.axis import Axis, Index
from costlab.hardware.memory import memory
from costlab.targets.target import Variant

RUNS_MAX = 2_000
"""The most runs that are made for that: for members that are built alike, or for one where that cannot be."""
TOGETHER = 4_096
"""The most members that are run at once."""
SAFE = 2.0**40
"""What is below this, in elements of all operations together, is far from wrapping as bytes in 64 bits."""
DOING = "working out peaks of memory"
HELD = 32
"""About how many members are held against a run of their own."""


class Peaks:
    """Works out the peaks of a space, run with some options of `costlab.memory`."""

    def __init__(
        self,
        derived: Derived,
        variant: Variant,
        axes: tuple[Axis, ...],
        running: Mapping[str, Any],
        progress: Callable[[str, float], None],
    ) -> None:
        self.derived, self.variant, self.axes, self.running = derived, variant, axes, running
        self.progress = progress
        self.sizes = tuple(len(axis.values) for axis in axes)
        self.fits = np.zeros((1,) * len(axes), bool)
        self.alone = self.fits
        self.done = self.share = 0.0
        self.apart = 0

    def terms(self) -> Terms:
        """The most bytes that each member holds at once; of what does not fit, nothing.

        Raises:
            DefinitionError: there are too many ways to build them, or one that is run by itself holds more or
                less.
            CostlabError: as `costlab.memory`.
        """
        self.fits, self.alone = np.ones(self.sizes, bool), np.zeros(self.sizes, bool)
        for _, mask in self.derived.misfits:
            self.fits &= ~np.asarray(mask, bool)
        table = self._table()
        self._hold(table)
        return as_terms(least(table))

    def _table(self) -> Any:
        table = np.zeros(self.sizes, np.int64)
        self.share = 1 / max(1, int(self.fits.sum()))
        for points, block, shape in self._alike():
            for start in range(0, len(points), TOGETHER):
                some = points[start : start + TOGETHER]
                peaks = self._together(some, block, shape)
                if np.max(peaks) > INT64_MAX:
                    table = table.astype(object)
                table[tuple(some.T)] = peaks
                self.done += len(some) * self.share
                self.progress(DOING, self.done)
        return table

    def _alike(self) -> Iterator[tuple[Any, Block, Any]]:
        """Members that are built alike: their indices, with a network and an input of arrays along axes."""
        block, shape = self.derived.block, self.derived.input
        assert block is not None
        chosen = axes_chosen((block, tuple(shape or ())))
        runs = prod(self.sizes[axis] for axis in chosen)
        self._refuse_many(runs, chosen)
        for index in product(*(range(self.sizes[axis]) for axis in chosen)):
            at = dict(zip(chosen, index, strict=True))
            box = tuple(
                slice(at[axis], at[axis] + 1) if axis in at else slice(None)
                for axis in range(len(self.sizes))
            )
            points = np.argwhere(self.fits[box])
            for axis, place in at.items():
                points[:, axis] = place
            if len(points):
                yield points, restricted(block, chosen, index), restricted(shape, chosen, index)

    def _refuse_many(self, runs: int, chosen: Index) -> None:
        if runs > RUNS_MAX:
            named = " and ".join(self.axes[axis].name for axis in chosen)
            raise DefinitionError(
                f"{PEAK_MEMORY}: {named} build {runs:,} different networks, and more than {RUNS_MAX:,} are "
                "not run: vary fewer of them, or fewer of their values"
            )

    def _together(self, points: Any, block: Block, shape: Any) -> Any:
        """The peaks of some members that are built alike; one by one where that takes no arrays."""
        if self._is_safe(points):
            try:
                return memory(self._together_at(points, block, shape), **self.running).total
            except Exception:
                self._one(points[0])  # says what is wrong, if that is not the arrays
        self.apart += len(points)
        if self.apart > RUNS_MAX:
            raise DefinitionError(
                f"{PEAK_MEMORY}: {self.variant.label} does not run for many members at once, and more than "
                f"{RUNS_MAX:,} are not run one by one: vary fewer parameters, or fewer of their values"
            )
        self.alone[tuple(points.T)] = True
        peaks = np.empty(len(points), object)
        for place, point in enumerate(points):
            peaks[place] = self._one(point)
            self.progress(DOING, self.done + (place + 1) * self.share)
        return peaks

    def _together_at(self, points: Any, block: Block, shape: Any) -> Variant:
        made, x = at_points(block, points), at_points(shape, points)
        return replace(self.variant, subject=made, settings={}, input=x)

    def _one(self, point: Any) -> int:
        index = tuple(map(int, point))
        try:
            return int(memory(variant_of(self.variant, self.axes, index), **self.running).total)
        except DefinitionError as error:
            at = ", ".join(f"{axis.name}={axis.text(i)}" for axis, i in zip(self.axes, index, strict=True))
            raise DefinitionError(f"{PEAK_MEMORY} at {at}: {error}") from None

    def _is_safe(self, points: Any) -> bool:
        """Whether no sum of bytes can come near to the end of 64 bits."""
        sums = (self.derived.sums[name] for name in ("inputs", "outputs", "parameters"))
        elements = sum(
            at_points(np.asarray(term.coefficient, float), points)
            * at_points(np.asarray(term.positions, float), points)
            for terms in sums
            for term in terms
        )
        return bool(np.max(elements) * self.variant.batch * self.running.get("batch", 1) < SAFE)

    def _hold(self, table: Any) -> None:
        """Run some members by themselves, as `costlab.memory` does."""
        chosen = [
            index for index in members([*self.sizes], HELD) if self.fits[index] and not self.alone[index]
        ]
        for done, index in enumerate(chosen, 1):
            if (peak := self._one(index)) != table[index]:
                label = variant_of(self.variant, self.axes, index).label
                raise DefinitionError(
                    f"{label}: {PEAK_MEMORY} is {peak:,} when it is run by itself, not {table[index]:,}: "
                    "something in it asks for a value in a way that cannot be followed"
                )
            self.progress("holding peaks of memory against runs", done / len(chosen))


def at_points(value: Any, points: Any) -> Any:
    """A value, or a block, with its arrays along the axes of a space as arrays over some points of it."""
    if isinstance(value, np.ndarray):
        if value.size == 1:
            return value.item()
        rows = value.view(np.ndarray)
        return rows[tuple(np.where(np.array(rows.shape) > 1, points, 0).T)]
    if isinstance(value, Block) and not axes_within(value):
        return value
    return with_parts(value, lambda part: at_points(part, points))

"""What was measured: the times of each operation and of the whole, round by round, in nanoseconds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import NamedTuple, TypeAlias

from costlab.algebra.dim import as_dim
from costlab.counting.count import Count
from costlab.counting.overview import LEVELS, Overview
from costlab.hardware.timing.calibration import Machine
from costlab.hardware.timing.features import Features, added_up

Times: TypeAlias = tuple[int, ...]
"""Nanoseconds, one for each round."""
THREAD, WALL, SYNCHRONIZED = "CPU time of the thread", "wall time", "wall time, synchronized"
"""What clocks measure."""


class Spread(NamedTuple):
    """The median of times, and the quartiles around it, in whole nanoseconds."""

    median: int
    low: int
    high: int


def spread(times: Sequence[int]) -> Spread:
    """The median and the quartiles of some times; of a single one, itself."""
    if len(times) == 1:
        return Spread(times[0], times[0], times[0])
    low, middle, high = quantiles(times, n=4, method="inclusive")
    return Spread(round(middle), round(low), round(high))


class TimedRow(NamedTuple):
    """Operations that were timed together: one, as a rule, or those of a module or a kind.

    ``features`` are their sums, for the whole batch, with bytes in float32; ``paths`` those of all of them.
    """

    path: str
    kind: str
    features: Features
    times: Times
    paths: tuple[str, ...]

    @property
    def operations(self) -> int:
        """How many they are."""
        return len(self.paths)

    @property
    def spread(self) -> Spread:
        """The median over rounds, and the quartiles."""
        return spread(self.times)

    @property
    def moved(self) -> int:
        """Bytes read and written, weights among them."""
        return self.features.read + self.features.written + self.features.weights

    @property
    def multiply_adds_per_second(self) -> int | None:
        """The rate that was achieved; None where there are none, or no time was seen."""
        return _rate(self.features.multiply_adds, self.spread.median)

    @property
    def bytes_per_second(self) -> int | None:
        """The rate at which tensors were read and written, as if each were once."""
        return _rate(self.moved, self.spread.median)


def _rate(amount: int, nanoseconds: int) -> int | None:
    return round(amount * 1_000_000_000 / nanoseconds) if amount and nanoseconds else None


@dataclass(frozen=True, repr=False)
class Measurement(Overview):
    """A network as it was timed: a row per operation, and ``whole`` runs of it.

    The operations were timed in runs of their own, with a clock around each operator; ``elsewhere`` is the
    time of operators that are part of none, such as copies between them. What Python does between operators
    is in the whole alone.
    """

    count: Count
    machine: Machine
    rounds: int
    whole: Times
    rows: tuple[TimedRow, ...]
    elsewhere: Times

    @property
    def spread(self) -> Spread:
        """The time of the whole: the median over rounds, and the quartiles."""
        return spread(self.whole)

    @property
    def within(self) -> Times:
        """By round, the time of all operators."""
        return tuple(map(sum, zip(self.elsewhere, *(row.times for row in self.rows), strict=True)))

    @property
    def total(self) -> TimedRow:
        """The whole in one row."""
        return _together("", "", self.rows)._replace(times=self.whole)

    def modules(self, depth: int) -> tuple[TimedRow, ...]:
        """One row per module at ``depth`` below the root, or above it where paths end earlier.

        Raises:
            DefinitionError: ``depth`` is no whole number of at least 0.
        """
        as_dim("depth", depth, least=0)
        return tuple(self._grouped(lambda row: ".".join(row.path.split(".")[:depth]), named=False))

    def kinds(self) -> tuple[TimedRow, ...]:
        """One row per kind of operation, in the order in which they first appear."""
        return tuple(self._grouped(lambda row: row.kind, named=True))

    def share(self, row: TimedRow) -> float:
        """The part of the time of all operators that a row has."""
        whole = median(self.within)
        return median(row.times) / whole if whole else 0.0

    def _lines(self) -> Sequence[str]:
        whole, rounds = self.spread, "1 round" if self.rounds == 1 else f"{self.rounds} rounds"
        quartiles = f", quartiles {_milli(whole.low)} and {_milli(whole.high)}" if self.rounds > 1 else ""
        within = f"{_milli(round(median(self.within)))} ms in its operators, each timed by itself"
        return [
            f"{self.count.title}, on {self.machine}",
            f"{_milli(whole.median)} ms, the median of {rounds}{quartiles}",
            within,
        ]

    def _in_notebook(self) -> Sequence[str]:
        from costlab.counting.folded import by_level, said, tree

        def cells(name: str, row: TimedRow) -> list[str]:
            share = f"{self.share(row):.1%}"
            macs = f"{row.features.multiply_adds:,}"
            return [name, row.kind, macs, f"{row.moved:,}", _milli(row.spread.median), share]

        lines = by_level(self.modules, lambda row: row.path, cells)
        titles = ["module", "operation", "multiply-adds", "bytes", "time, ms", "share"]
        return [said(self._lines()[1:]), tree(titles, lines, text=2, instead=LEVELS)]

    def _grouped(self, key: Callable[[TimedRow], str], *, named: bool) -> Iterator[TimedRow]:
        groups: dict[str, list[TimedRow]] = {}
        for row in self.rows:
            groups.setdefault(key(row), []).append(row)
        for name, rows in groups.items():
            if len(rows) == 1 and not named:
                yield rows[0]
            else:
                yield _together("" if named else name, name if named else "", rows)


def _milli(nanoseconds: int) -> str:
    """Milliseconds in four digits."""
    return f"{nanoseconds / 1e6:.4g}"


def _together(path: str, kind: str, rows: Iterable[TimedRow]) -> TimedRow:
    held = list(rows)
    times = tuple(map(sum, zip(*(row.times for row in held), strict=True)))
    features = added_up(row.features for row in held)
    return TimedRow(path, kind, features, times, tuple(path for row in held for path in row.paths))

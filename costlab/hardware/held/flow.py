"""Which operation reads and writes which tensor, in the order of execution, forward and without gradients."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from costlab.algebra.dim import Dim


class Step(NamedTuple):
    """One operation: the values that it reads and the one that it writes, by their numbers.

    ``scratch`` are the bytes that it needs besides while it runs, such as the indices of a max pool.
    """

    path: str
    kind: str
    reads: tuple[int, ...]
    writes: int
    scratch: Dim = 0


@dataclass(frozen=True)
class Flow:
    """The values of a run, with their bytes, and its steps. Views are no values: they are what they view.

    Value 0 is what comes in, which the caller holds: it takes nothing here, and is told apart. ``outputs``
    are the values that are given to the caller.
    """

    sizes: tuple[Dim, ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    def last_reads(self) -> dict[int, int]:
        """By value, the number of the last step that reads it; what is put out is read by nobody last."""
        last = {value: number for number, step in enumerate(self.steps) for value in step.reads}
        return {value: number for value, number in last.items() if value not in self.outputs}

    def segments(self) -> Iterator[range]:
        """The steps between moments at which a single value is alive, as ranges of their numbers."""
        last = self.last_reads()
        alive: set[int] = {0}
        start = 0
        for number, step in enumerate(self.steps):
            alive.add(step.writes)
            alive -= {value for value in step.reads if last.get(value) == number}
            if len(alive) == 1:
                yield range(start, number + 1)
                start = number + 1
        if start < len(self.steps):
            yield range(start, len(self.steps))

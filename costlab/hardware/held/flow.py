"""Which operation reads and writes which tensor, in the order of execution, forward and without gradients."""

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

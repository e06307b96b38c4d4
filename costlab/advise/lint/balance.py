"""Width and depth on each grid, which are reported: nowhere is it said what they should be."""

from fractions import Fraction
from typing import NamedTuple

from costlab.advise.graph import Graph
from costlab.counting.family import family_of


class Grid(NamedTuple):
    """The convolutions whose outputs have one grid, its sizes behind the channels.

    ``multiply_adds`` are theirs, of the whole batch, and ``share`` is of those of all convolutions, from 0
    to 1. ``widths`` are their numbers of filters, in the order in which they run.
    """

    sizes: tuple[int, ...]
    multiply_adds: int
    share: float
    widths: tuple[int, ...]

    @property
    def convolutions(self) -> int:
        """How many there are."""
        return len(self.widths)

    @property
    def mean_width(self) -> Fraction:
        """Filters on average."""
        return Fraction(sum(self.widths), len(self.widths))

    @property
    def widest(self) -> int:
        """The most filters of one."""
        return max(self.widths)


class Balance(NamedTuple):
    """The grids of a network, in the order in which they are first met, and the multiply-adds.

    ``multiply_adds_of_convolutions`` are those of all convolutions, in any number of dimensions and
    transposed ones too; ``multiply_adds`` those of all operations. Both are of the whole batch.
    """

    grids: tuple[Grid, ...]
    multiply_adds_of_convolutions: int
    multiply_adds: int

    def share_of_convolutions(self, multiply_adds: int) -> float:
        """A part of the convolutions' multiply-adds, from 0 to 1."""
        whole = self.multiply_adds_of_convolutions
        return multiply_adds / whole if whole else 0.0

    def share(self, multiply_adds: int) -> float:
        """A part of all multiply-adds, from 0 to 1."""
        return multiply_adds / self.multiply_adds if self.multiply_adds else 0.0


def balance_of(graph: Graph) -> Balance:
    """Width and depth on each grid of a network."""
    convolutions = [step for step in graph.steps if family_of(step.kind) == "convolution"]
    whole = sum(step.multiply_adds for step in convolutions)
    balance = Balance((), whole, graph.multiply_adds)
    grids = []
    for sizes in dict.fromkeys(step.grid for step in convolutions):
        here = [step for step in convolutions if step.grid == sizes]
        done = sum(step.multiply_adds for step in here)
        widths = tuple(step.sizes[1] for step in here)
        grids.append(Grid(sizes, done, balance.share_of_convolutions(done), widths))
    return balance._replace(grids=tuple(grids))

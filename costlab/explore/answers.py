"""What a space answers beside numbers and members."""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from costlab.counting.overview import few
from costlab.explore.member import Member


class Misfit(NamedTuple):
    """Members that do not fit at a part, and do before it: how many, and what is said of one of them."""

    path: str
    members: int
    example: str


class Extremes(NamedTuple):
    """The members with the least and the most of a quantity."""

    quantity: str
    least: Member
    most: Member


class Histogram(NamedTuple):
    """How many members have a value from each edge to below the next."""

    by: str
    edges: tuple[Fraction, ...]
    counts: tuple[int, ...]

    def __repr__(self) -> str:
        rows = (f"  {row[self.by]} to {row['below']}: {row['members']}" for row in self._records())
        return "\n".join((self._title, *few([*rows], lambda more: f"  ... and {more} more")))

    def _repr_html_(self) -> str:
        from costlab.counting.folded import framed, table

        return framed(self._title, table(self._records()))

    @property
    def _title(self) -> str:
        return f"Histogram: {sum(self.counts):,} members by {self.by}"

    def _records(self) -> list[Mapping[str, str]]:
        """Each bin: from where, to below where, how many members, and their share."""
        every = sum(self.counts) or 1
        edges = [_written(edge) for edge in self.edges]
        return [
            {self.by: low, "below": high, "members": f"{many:,}", "share": f"{many / every:.1%}"}
            for low, high, many in zip(edges, edges[1:], self.counts, strict=False)
        ]


def _written(edge: Fraction) -> str:
    """A whole number exactly, another in six digits."""
    return f"{edge.numerator:,}" if edge.denominator == 1 else f"{float(edge):,.6g}"

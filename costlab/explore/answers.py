"""What a space answers beside numbers and members."""

from fractions import Fraction
from typing import NamedTuple

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

"""What was counted on a line, number by number."""

from bisect import bisect_right, insort
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from costlab.algebra.ratio import Scaled, scalings
from costlab.counting.count import Count
from costlab.explore.scaling.line import Line
from costlab.explore.scaling.span import Span
from costlab.explore.scaling.subject import Subject

WALK = 1_000
"""As many numbers in a row as may give no network before that is taken for the end."""


class Member(NamedTuple):
    """What the numbers of a span lead to: a network, with the total of the quantity, or an error.

    ``own`` was scaled by the number itself, ``others`` by other ratios.
    """

    number: Fraction
    span: Span
    counted: Count | None
    total: int
    error: Exception | None
    own: tuple[Scaled, ...]
    others: tuple[Scaled, ...]

    @property
    def bases(self) -> frozenset[int]:
        """The channel counts that the number scales."""
        return frozenset(int(scaled.channels) for scaled in self.own)

    def same(self, other: "Member") -> bool:
        """Whether the other costs the same in all quantities."""
        if self.counted is None or other.counted is None or self.total != other.total:
            return False
        return self.counted.total.sizes == other.counted.total.sizes


class Trail:
    """The members of a line that were counted; no network is counted twice unless that is asked for."""

    def __init__(self, subject: Subject, line: Line) -> None:
        self.subject = subject
        self.line = line
        self.members: list[Member] = []
        self.counts = 0

    def at(self, number: Fraction) -> Member:
        """What a number leads to; it is counted unless another of its span was."""
        place = bisect_right(self.members, number, key=lambda member: member.span.low)
        for member in self.members[max(place - 2, 0) : place]:  # a span may begin where the number lies
            if member.span.holds(number):
                return member
        member = self.fresh(number)
        insort(self.members, member, key=lambda member: member.span.low)
        return member

    def fresh(self, number: Fraction) -> Member:
        """What a number leads to, counted anew."""
        values = self.line.values(number)
        count, total = None, 0
        error: Exception | None = None
        self.counts += 1
        with scalings() as made:
            try:
                count = self.subject.count(values)
                total = self.subject.total_of(count)
            except Exception as reason:  # of the definition's own, too
                error = reason
        own = self.line.own(values, made)
        mine = set(map(id, own))
        others = tuple(scaled for scaled in made if id(scaled) not in mine)
        return Member(number, self.line.span(number, values, made), count, total, error, tuple(own), others)

    def above(self, member: Member) -> Member | None:
        """The next network above; None where the line ends."""
        if member.span.high is None or member.span.high > self.line.limit:
            return None
        return self.existing_from(self.line.above(member.span), self.line.limit)

    def existing_from(self, number: Fraction, high: Fraction) -> Member | None:
        """The network at a number, or the next above it; None if there is none near, or below ``high``."""
        for _ in range(WALK):
            member = self.at(number)
            if member.error is None:
                return member
            if member.span.high is None or member.span.high >= high or member.span.is_one_float:
                return None  # one float in a row of many says nothing of the next
            number = self.line.above(member.span)
        return None

    def in_order(self) -> list[Member]:
        """The networks that were counted, in the order of the line."""
        return [member for member in self.members if member.error is None]


def falls(members: Sequence[Member]) -> bool:
    """Whether one of members in their order costs less than the one before it."""
    return any(before.total > after.total for before, after in pairwise(members))

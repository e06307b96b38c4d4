"""The search on a line for the largest network within a budget."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple, NoReturn

from costlab.errors import DefinitionError
from costlab.explore.scaling.line import Line, Positions
from costlab.explore.scaling.subject import Subject
from costlab.explore.scaling.trail import Member, Trail, falls

FEW = 32
"""As many networks as are always counted one by one, where that cannot be done in one go."""
HOLES = 1_024
"""As many as are counted one by one where some numbers of a line of arrays give no network, or costs fall."""
SPREAD = 16
"""As many as are counted besides, from the lowest to the highest, where not all are."""
REFINED = 4
"""As many times as some networks are looked at between two of others, where all would be too many."""
FLAT = 3
"""After so many steps without a change the number is taken to change nothing any more."""


class NoMemberError(DefinitionError):
    """No network on a line is within the budget."""


class Found(NamedTuple):
    """The largest network within a budget, and the next above it that is over it.

    ``looked_at`` networks were looked at, ``every`` says whether these are all from the lowest up to ``top``,
    and ``falls`` that one of them costs less than one below it.
    """

    best: Member
    above: Member | None
    looked_at: int
    every: bool
    falls: bool
    top: Fraction


class Search:
    """One search, with the trail of what it counted; ``in_one_go`` says whether it could, by arrays."""

    def __init__(self, subject: Subject, line: Line, budget: int) -> None:
        self.subject = subject
        self.line = line
        self.budget = budget
        self.trail = Trail(subject, line)
        self.in_one_go = False
        self._flat: Member | None = None
        self._top = self._end = line.limit + 1 if line.whole_numbers else line.limit

    def run(self) -> Found:
        """The largest network within the budget.

        Raises:
            NoMemberError: there is none, or the line does not change the quantity.
            CostlabError: the target itself cannot be counted.
        """
        start = self.start()
        if start.error is not None:
            raise start.error
        over = start if start.total > self.budget else self._over(start)
        lowest = self._lowest(start)
        if self._flat is not None and self._flat.total == start.total == lowest.total:
            self._refuse_flat(start)
        if over is start and lowest.total > self.budget:
            over = self._under(start) or start  # where the line falls, what fits is above
        self._top = min(self.line.beyond(over.number), self._end) if over else self._end
        few = HOLES if self.line.arrays else FEW
        found = self._in_one_go(lowest) or self._one_by_one(lowest, few) or self._by_halving(lowest)
        if few < HOLES and not (found and found.every) and falls(self.trail.in_order()):
            found = self._one_by_one(lowest, HOLES) or found
        return found or self._refuse(lowest, start)

    def start(self) -> Member:
        """The target itself; on a line where it has no number, the first."""
        return self.trail.at(Fraction(1) if self.line.now is None else self.line.now)

    def _fits(self, member: Member) -> bool:
        return member.total <= self.budget

    def _over(self, start: Member) -> Member | None:
        """A network above the budget, looked for from ``start`` up; None where the line ends before."""
        best, flat = start, 0
        while best.number < self.line.limit:
            number = self._further(best)
            member = self.trail.existing_from(number, self.line.limit)
            if member is None:
                self._end = number
                return None
            if member.total > self.budget:
                return member
            flat = flat + 1 if member.total == best.total else 0
            if flat == FLAT:
                self._flat, self._end = member, member.number
                return None
            best = member
        return None

    def _under(self, start: Member) -> Member | None:
        """A network within the budget above one that is over it, as far as the line falls."""
        before, member = start, self.trail.existing_from(self._further(start), self.line.limit)
        while member is not None and before.number < member.number and member.total < before.total:
            if self._fits(member):
                return member
            before, member = member, self.trail.existing_from(self._further(member), self.line.limit)
        return None

    def _further(self, best: Member) -> Fraction:
        """A number of another network, which may well be over the budget."""
        ratio = max(self.budget / best.total, 1.0) if best.total else 4.0
        further = self.line.further(best.number, ratio)
        if best.span.high is not None:
            further = max(further, self.line.above(best.span))
        return min(further, self.line.limit)

    def _lowest(self, start: Member) -> Member:
        """The lowest network: by halving between numbers that give none and those that do."""
        least = self.trail.at(self.line.least)
        if least.error is None:
            return least
        low, lowest = least.span.high, start
        while low is not None and low < lowest.span.low:
            member = self.trail.at(self.line.between(low, lowest.span.low))
            if member.error is None and member.span.low < lowest.span.low:
                lowest = member
            elif member.error is None or member.span.high is None or member.span.high <= low:
                break
            else:
                low = member.span.high
        if lowest.total > self.budget:  # there may be others below: every number is tried
            lowest = self.trail.existing_from(self.line.least, lowest.number) or lowest
        return lowest

    def _in_one_go(self, lowest: Member) -> Found | None:
        """By arrays; None where these cannot be counted, or one network counted alone has another total."""
        positions = (
            self.line.positions(lowest.span.low, self._top, lowest.bases) if self.line.arrays else None
        )
        totals = self._totals(positions)
        if positions is None or totals is None:
            return None
        if not positions.whole:
            positions, totals = self._refined(positions, totals, lowest)
        place = _largest(totals, self.budget)
        if place is None:
            self.in_one_go = True
            return None
        over = next((i for i in range(place + 1, len(totals)) if totals[i] > self.budget), None)
        if over is None:
            place = totals.index(totals[place])
        best = self._alone(positions, totals, place, lowest)
        above = None if over is None else self._alone(positions, totals, over, lowest)
        if best is None or (above is None and over is not None):
            return None
        self.in_one_go = True
        return self._found(best, above, totals, every=positions.whole)

    def _alone(
        self, positions: Positions, totals: Sequence[int], place: int, lowest: Member
    ) -> Member | None:
        """One network of many, counted alone; None if that says something else."""
        member = self.trail.at(Fraction(positions.numbers[place].item()))
        alike = member.error is None and member.total == totals[place] and member.bases == lowest.bases
        return member if alike else None

    def _totals(self, positions: Positions | None) -> list[int] | None:
        """The totals at all positions, from one count; None where that cannot be."""
        if positions is None or len(positions) < 2:
            return None
        self.trail.counts += 1
        totals = self.subject.totals(self.line.many(positions.numbers))
        if isinstance(totals, int):  # no size depends on the number
            return [totals] * len(positions)
        return totals.tolist() if getattr(totals, "shape", None) == (len(positions),) else None

    def _refined(
        self, positions: Positions, totals: list[int], lowest: Member
    ) -> tuple[Positions, list[int]]:
        """Some networks, with all of those between the ones next to the budget, or some of them again."""
        import numpy as np

        numbers = positions.numbers
        for _ in range(REFINED):
            best = _largest(totals, self.budget)
            before, after = (0, 1) if best is None else (best - 1, best + 1)
            low = lowest.span.low if before < 0 else Fraction(numbers[before].item())
            high = numbers[min(after, len(totals) - 1)].item()
            between = self.line.positions(low, Fraction(high), lowest.bases)
            more = self._totals(between)
            if between is None or more is None:
                break
            joined, order = (
                [*totals, *more],
                np.argsort(np.concatenate([numbers, between.numbers]), kind="stable"),
            )
            numbers = np.concatenate([numbers, between.numbers])[order]
            totals = [joined[i] for i in order.tolist()]
            if between.whole:
                break
        return Positions(numbers, whole=False), totals

    def _one_by_one(self, lowest: Member, few: int) -> Found | None:
        """All networks if they are as few."""
        positions = self.line.positions(lowest.span.low, self._top, lowest.bases)
        if positions is None or len(positions) > few:
            return None
        member: Member | None = lowest
        if self.line.whole_numbers:  # there may be others below, beyond numbers that give none
            member = self.trail.existing_from(self.line.least, lowest.number) or lowest
        members: list[Member] = []
        while member is not None and member.number < self._top and len(members) <= HOLES:
            members.append(member)
            member = self.trail.above(member)
        if len(members) > HOLES:
            return None
        # Where a multiplier takes no arrays, the definition may look at it between two that were counted.
        return self._of(members, every=self.line.whole_numbers or not self.line.arrays)

    def _of(self, members: Sequence[Member], *, every: bool) -> Found | None:
        """The largest within the budget of members in their order."""
        totals = [member.total for member in members]
        place = _largest(totals, self.budget)
        if place is None:
            return None
        above = next((each for each in members[place + 1 :] if each.total > self.budget), None)
        if above is None:  # of those at the end that cost the same, the first
            place = totals.index(totals[place])
        return self._found(members[place], above, totals, every=every)

    def _found(self, best: Member, above: Member | None, totals: Sequence[int], *, every: bool) -> Found:
        return Found(best, above, len(totals), every, any(a > b for a, b in pairwise(totals)), self._top)

    def _by_halving(self, lowest: Member) -> Found | None:
        """From some networks, by halving wherever one fits and the next of them does not, or the reverse."""
        for i in range(1, SPREAD):
            number = lowest.number + (self._top - lowest.number) * i / SPREAD
            self.trail.at(Fraction(math.floor(number)) if self.line.whole_numbers else number)
        members = self.trail.in_order()
        for lower, higher in pairwise(members):
            if self._fits(lower) != self._fits(higher):
                self._halve(lower, higher.span.low)
        if self._fits(members[-1]):
            self._halve(members[-1], self._end)
        found = self._of(self.trail.in_order(), every=False)
        if found is None or found.above is None:
            return found
        above = self.trail.above(found.best)
        return found if above is None or self._fits(above) else found._replace(above=above)

    def _halve(self, lower: Member, high: Fraction) -> None:
        """Count what lies next to where the networks from ``lower`` to ``high`` begin to fit, or cease to."""
        low = lower.span.high
        while low is not None and low < high:
            middle = self.line.between(low, high)
            first = self.trail.at(middle)
            member = self.trail.existing_from(middle, high)
            if member is not None and self._fits(member) == self._fits(lower):
                if member.span.high is not None and member.span.high <= low:
                    break
                low = member.span.high
            elif first.span.low < high:
                high = first.span.low
            else:
                break

    def _refuse(self, lowest: Member, start: Member) -> NoReturn:
        other = lowest
        if lowest.number == start.number:
            other = self.trail.existing_from(self._further(start), self.line.limit) or start
        if other.number != start.number and other.total == start.total:
            self._refuse_flat(start)
        least = min((lowest, *self.trail.in_order()), key=lambda member: member.total)
        shown = self.line.typed(least.number, least.span, least.own).number
        which = "the lowest" if least.number == lowest.number else "the least of those looked at"
        raise NoMemberError(
            f"even {self.line.name}={shown}, {which}, has {least.total:,} {self.subject.words}"
        )

    def _refuse_flat(self, start: Member) -> NoReturn:
        raise NoMemberError(
            f"{self.line.name} does not change the {self.subject.words}: it has {start.total:,} at each "
            "number that was counted"
        )


def _largest(totals: Sequence[int], budget: int) -> int | None:
    """The place of the largest total within the budget, the last of several."""
    fits = [(total, place) for place, total in enumerate(totals) if total <= budget]
    return max(fits)[1] if fits else None

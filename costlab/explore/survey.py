"""Surveys: what there is to say of a space before anything particular is asked."""

from dataclasses import dataclass, field

from costlab.explore.answers import Extremes, Histogram, Misfit
from costlab.explore.quantities import shown_of
from costlab.explore.space import Space

SPREAD_MAX = 100_000_000
"""The most members whose histogram is counted without being asked for."""


@dataclass
class Survey:
    """What was found of a space so far; ``make`` goes on until all is, or until it is interrupted."""

    space: Space
    by: str = "multiply_adds"
    bins: int | None = None
    misfits: tuple[Misfit, ...] | None = None
    meeting: int | None = None
    extremes: list[Extremes] = field(default_factory=list)
    histogram: Histogram | None = None
    unfinished: str = ""

    @property
    def fitting(self) -> int | None:
        """How many members fit, whatever the conditions."""
        return None if self.misfits is None else self.space.size - sum(each.members for each in self.misfits)

    def make(self) -> None:
        """Find everything: what fits, what meets the conditions, the extremes, and how members are spread."""
        self._begin("what fits is not counted")
        self.misfits = self.space.misfits()
        self._begin("what meets the conditions is not counted")
        self.meeting = self.space.count() if self.space.stated else self.fitting
        for quantity in shown_of(self.space.quantities) if self.meeting else ():
            self._begin(f"extremes of {quantity} are not searched")
            least, most = self.space.min(quantity), self.space.max(quantity)
            if least and most:
                self.extremes.append(Extremes(quantity, least, most))
        if self.meeting and (self.bins or self.space.size <= SPREAD_MAX):
            self._begin("the histogram is not counted")
            self.histogram = self.space.histogram(self.by, self.bins or 12)
        self.unfinished = ""

    @property
    def is_spread_left_out(self) -> bool:
        """Whether there is no histogram because nobody asked for one of so many members."""
        return bool(self.meeting) and self.histogram is None and not self.unfinished

    def interrupted(self) -> None:
        """Say how far what is unfinished came; what fits is counted part by part, and has no share."""
        if self.misfits is None or not self.space.engine.covered:
            return
        self.unfinished += f": {self.space.engine.covered:.1%} of it was gone over"
        if (many := self.space.counted()) is not None:
            self.unfinished += f", with {many:,} members in it"

    def _begin(self, unfinished: str) -> None:
        self.unfinished = unfinished
        self.space.engine.begin()

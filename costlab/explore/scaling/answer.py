"""The answer on one line: the largest network, how it is typed, and the numbers that give it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from costlab.algebra.ratio import Scaled, scale
from costlab.counting.count import Count
from costlab.counting.overview import Overview
from costlab.errors import DefinitionError
from costlab.explore.scaling.compound import CompoundLine
from costlab.explore.scaling.line import AnyMultiplier, Line, Multiplier, Typed
from costlab.explore.scaling.search import Found, NoMemberError, Search
from costlab.explore.scaling.span import NARROW, Span, decimal
from costlab.explore.scaling.subject import Subject, Values
from costlab.explore.scaling.trail import Member, Trail
from costlab.explore.scaling.typed import retyped

LONGEST = 10
"""The most characters of a number up to which networks were looked at."""


@dataclass(frozen=True)
class Network:
    """A network on a line: the ``number`` that leads to it, as it is typed, and its total.

    ``low`` and ``high`` bound the numbers that give it, of which the first is among them, or with ``ends_in``
    the second; on a line of whole numbers there are none. ``target`` and ``input`` are what is typed for it.
    """

    number: str
    total: int
    target: str
    input: str | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    ends_in: bool = False

    @property
    def interval(self) -> str:
        """The numbers that give it: ``[837/896, 299/320)``."""
        return "" if self.low is None else str(Span(self.low, self.high, self.ends_in))


@dataclass(frozen=True, repr=False)
class Scaling(Overview):
    """The largest network of a target within a budget, on one axis.

    ``words`` say what it is ``of``. ``best`` is the network, ``count`` its count, and ``above`` the next on
    the axis that is over the budget, if there is one. ``reason`` says why there is none, and then all three
    are None. ``looked_at`` networks below ``up_to`` were looked at with ``counts`` counts, all that there are
    where ``every`` says so; ``falls`` says that the quantity falls somewhere on the way up. ``notes`` are in
    words.
    """

    label: str
    axis: str
    of: str
    words: str
    budget: int
    now: str
    best: Network | None = None
    count: Count | None = None
    above: Network | None = None
    looked_at: int = 0
    up_to: str = ""
    counts: int = 0
    every: bool = False
    falls: bool = False
    reason: str = ""
    notes: tuple[str, ...] = ()
    _others: Callable[[], Iterator["Scaling"]] = field(default=lambda: iter(()), compare=False, repr=False)

    @property
    def alternatives(self) -> tuple["Scaling", ...]:
        """The same for every other axis of the target, each by itself; they are looked for when asked."""
        return tuple(self._others())

    def _lines(self) -> Sequence[str]:
        title = f"{self.label} along {self.axis}, within {self.budget:,} {self.words}"
        if self.best is None:
            return [title, f"no network: {self.reason}", *self.notes]
        found = (f"{row['network']}: {row['target']}, {row[self.words]}" for row in self._records())
        return [title, *found, *self.notes]

    def _notes(self) -> Sequence[str]:
        return [f"no network: {self.reason}", *self.notes] if self.best is None else self.notes

    def _records(self) -> Sequence[Mapping[str, str]]:
        shown = {"the largest": self.best, "the next above": self.above}
        return [
            {
                "network": name,
                self.axis: each.number,
                "target": f"{each.target}{f' --input {each.input}' if each.input else ''}",
                self.words: f"{each.total:,}",
            }
            for name, each in shown.items()
            if each is not None
        ]


def answer(target: object, subject: Subject, line: Line, budget: int) -> Scaling:
    """The largest network on a line within the budget.

    Raises:
        NoMemberError: there is none.
        CostlabError: the target itself cannot be counted.
    """
    search = Search(subject, line, budget)
    if not isinstance(line, Multiplier):
        return _told(target, search, search.run())
    found = _if_scaled_only(search)
    if found is None:
        line = AnyMultiplier(line.name, line.now)
        loose = Search(subject, line, budget)
        loose.trail.counts = search.trail.counts
        search, found = loose, loose.run()
        found = found._replace(best=_widened(search.trail, found.best))
        if found.above is not None:
            found = found._replace(above=_widened(search.trail, found.above))
    return _told(target, search, found)


def _if_scaled_only(search: Search) -> Found | None:
    """What is found where channels are scaled by the number; None where it is used in other ways, too."""
    if not search.start().own:
        return None
    try:
        found = search.run()
    except NoMemberError:
        counted = search.trail.in_order()
        if search.in_one_go and all(each.others == counted[0].others for each in counted):
            raise
        return None
    return found if _holds(search.trail, found) and _is_whole(search, found.best) else None


def _holds(trail: Trail, found: Found) -> bool:
    """Whether the network is the same at both ends of its span, and as typed; and so is the next above."""
    best, above = found.best, found.above
    for number in (*trail.line.ends(best.span, best.own), best.span.short):
        member = trail.fresh(number)
        if not member.same(best) or member.others != best.others:
            return False
    if above is not None:
        typed = (Fraction(above.span.first), above.span.short)
        return all(trail.fresh(number).same(above) for number in typed)
    return True


def _is_whole(search: Search, best: Member) -> bool:
    """Whether the network is another beside its span; what is scaled may have no effect, as in a minimum."""
    if search.in_one_go:  # arrays hide no choice
        return True
    beside = [] if best.span.high is None else [search.line.above(best.span)]
    if best.span.low > 0:
        beside.append(best.span.low * (1 - NARROW))
    return not any(search.trail.at(number).same(best) for number in beside)


def _widened(trail: Trail, best: Member) -> Member:
    """A network with all floats beside its own that give the same, found by halving."""
    below = [m.number for m in trail.in_order() if m.number < best.number and not m.same(best)]
    above = [m.number for m in trail.in_order() if m.number > best.number and not m.same(best)]
    first = _last_same(trail, best, max(below, default=trail.line.least))
    farthest = min(above, default=min(2 * best.number, trail.line.limit))
    last = best if farthest == best.number else _last_same(trail, best, farthest)
    low = Fraction(0) if first.number == trail.line.least else first.span.low
    high = None if last.number == farthest else last.span.high
    return best._replace(span=Span(low, high))


def _last_same(trail: Trail, best: Member, other: Fraction) -> Member:
    """The same network that is next to a number which gives another; at that number where it does not."""
    same = trail.at(other)
    if same.same(best):
        return same
    same = best
    while (middle := Fraction(float((same.number + other) / 2))) not in (same.number, other):
        step = trail.at(middle)
        if step.same(best):
            same = step
        else:
            other = middle
    return same


def _told(target: object, search: Search, found: Found) -> Scaling:
    subject, line = search.subject, search.line
    best = _network(target, subject, line, found.best)
    count = found.best.counted
    if isinstance(line, CompoundLine):  # its width is typed with fewer digits
        search.trail.counts += 1
        count = subject.count(_parsed(subject, line.typed(*_place(found.best))))
        if count.size(subject.of) != best.total:
            width = line.width.name if line.width else ""
            raise DefinitionError(f"{subject.label}: {width} is used in other ways than scale does")
    assert count is not None
    return Scaling(
        label=subject.label,
        axis=line.name,
        of=subject.of,
        words=subject.words,
        budget=search.budget,
        now=line.shown_now(),
        best=best,
        count=replace(count, label=best.target),
        above=None if found.above is None else _network(target, subject, line, found.above),
        looked_at=found.looked_at,
        up_to=_short(found.top),
        counts=search.trail.counts,
        every=found.every,
        falls=found.falls,
        notes=tuple(_remarks(search, found)),
    )


def _short(number: Fraction) -> str:
    text = decimal(number)
    return text if len(text) <= LONGEST else f"{float(number):.6g}"


def _place(member: Member) -> tuple[Fraction, Span, tuple[Scaled, ...]]:
    return member.number, member.span, member.own


def _remarks(search: Search, found: Found) -> list[str]:
    """What is to be known of an answer: where its end is rounded, where the line ends, what was not tried."""
    line, name = search.line, search.line.name
    notes = []
    if isinstance(line, AnyMultiplier):
        notes.append(
            f"{name} is used in other ways than scale(channels, {name}): networks were looked for float by "
            "float"
        )
    elif isinstance(line, Multiplier):
        nearest = float(found.best.span.low)
        if nearest and any(scale(each.channels, nearest) != each.result for each in found.best.own):
            notes.append(
                f"the float next to {found.best.span.low}, {nearest!r}, gives the network below; "
                f"{name}={found.best.span.first!r} is the lowest that gives this one"
            )
    if found.above is None:
        notes.append(f"{name}: no higher number was found whose network is over the budget")
    if found.falls:
        notes.append(
            f"the {search.subject.words} do not only rise with {name}: a higher number may fit where a lower "
            "one does not"
        )
    return notes


def _parsed(subject: Subject, typed: Typed) -> Values:
    """What the typed settings are read as."""
    parameters = subject.variant.parameters
    settings = {name: parameters[name].parse(text, subject.label) for name, text in typed.settings.items()}
    return Values(settings, typed.side)


def _network(target: object, subject: Subject, line: Line, member: Member) -> Network:
    typed = line.typed(*_place(member))
    variant = subject.at(_parsed(subject, typed))
    span = None if line.whole_numbers else member.span
    return Network(
        number=typed.number,
        total=member.total,
        target=retyped(target, subject.variant, typed.settings),
        input=None if variant.input is None else str(variant.input),
        low=None if span is None else span.low,
        high=None if span is None else span.high,
        ends_in=span is not None and span.ends_in,
    )

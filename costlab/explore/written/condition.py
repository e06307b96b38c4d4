"""Conditions as conjunctions of which at most one holds for a member, so that what they count adds up."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from typing import NamedTuple, TypeAlias

from costlab.errors import DefinitionError
from costlab.explore.written.axial import Axial, Value
from costlab.explore.written.axis import Axis, Exact
from costlab.explore.written.formula import And, Bound, Cases, Formula, Negated, Totals, Truth, Values, all_of
from costlab.explore.written.interval import Direction, End, Interval, end_of
from costlab.explore.written.linear import Linear
from costlab.explore.written.statements import Every, Not, Some, every, opposite

MOST = 256
"""The most conjunctions of a condition."""
LOOKED_THROUGH = 2_000
"""The most values at which statements are compared to find those that contradict each other."""


class AtMost(NamedTuple):
    """``linear <= 0``, or ``< 0`` where it is ``strict``. Its coefficients have a value for every member."""

    linear: Linear
    strict: bool

    def holds(self, values: Values, totals: Totals) -> bool:
        """Whether it does for the member with these values of the axes and these totals."""
        number = self.linear.at(values, totals)
        return number < 0 or (number == 0 and not self.strict)


class Holds(NamedTuple):
    """A statement about axes has this truth."""

    axial: Axial
    value: bool

    def holds(self, values: Values, totals: Totals) -> bool:  # as of AtMost
        """Whether it does for the member with these values of the axes."""
        return self.axial.at(values) == self.value


Atom: TypeAlias = AtMost | Holds
Conjunction: TypeAlias = frozenset[int]
"""Numbers of leaves, negative where the opposite holds."""


@dataclass(frozen=True)
class Condition:
    """What has to hold for the members of a space, as it was written; ``option`` is where."""

    text: str
    option: str
    formula: Formula
    axes: tuple[Axis, ...]

    @property
    def quantities(self) -> frozenset[str]:
        """The quantities that it is about."""
        return self.formula.quantities

    def holds(self, values: Values, totals: Totals) -> bool:
        """Whether it does for the member with these values of the axes and these totals."""
        return self.formula.holds(values, totals)


def all_conditions(conditions: Iterable[Condition]) -> Condition:
    """The condition that all of several hold; there is at least one."""
    several = tuple(conditions)
    axes = {axis.name: axis for each in several for axis in each.axes}
    text = " and ".join(f"({each.text})" for each in several) if len(several) > 1 else several[0].text
    return Condition(text, several[0].option, all_of(each.formula for each in several), tuple(axes.values()))


def conjunctions(condition: Condition) -> tuple[tuple[Atom, ...], ...]:
    """Conjunctions of which exactly one holds where the condition does, and none where it does not.

    No conjunction means that it never holds; one without atoms, that it always does.

    Raises:
        DefinitionError: there are more than 256.
    """
    splitter = _Splitter(condition)
    split = splitter.split(condition.formula, True)
    return tuple(splitter.atoms(each) for each in split if splitter.has_members(each))


class _Splitter:
    """The conjunctions of a condition's formulas, with the leaves of these by number."""

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.axes = {axis.name: axis for axis in condition.axes}
        self.leaves: list[Bound | Axial] = []
        self.numbers: dict[Bound | Axial, int] = {}
        self.masks: dict[int, int | None] = {}
        self.ends: dict[int, tuple[Direction, End, bool] | None] = {}
        self.occurring: dict[tuple[int, ...], bool] = {}
        self.done: dict[tuple[int, bool], tuple[Conjunction, ...]] = {}

    def split(self, formula: Formula, wanted: bool) -> tuple[Conjunction, ...]:
        """The conjunctions for which the formula holds, or with ``wanted`` False does not."""
        key = (id(formula), wanted)
        if key not in self.done:
            self.done[key] = self._limited(self._split(formula, wanted))
        return self.done[key]

    def _split(self, formula: Formula, wanted: bool) -> Iterable[Conjunction]:
        if isinstance(formula, Negated):
            return self.split(formula.of, not wanted)
        if isinstance(formula, Bound):
            return self._crossed([frozenset()], [frozenset([self._number(formula, wanted)])])
        if isinstance(formula, Truth):
            return self._crossed([frozenset()], self._of_statement(formula.statement, wanted))
        if isinstance(formula, Cases):
            return [
                each
                for case, decided in formula.of
                for each in self._crossed(self.split(case, True), self.split(decided, wanted))
            ]
        if isinstance(formula, And) == wanted:
            found: Iterable[Conjunction] = [frozenset()]
            for part in formula.of:
                found = self._limited(self._crossed(found, self.split(part, wanted)))
            return found
        return self._one_of(formula.of, wanted)

    def _one_of(self, parts: tuple[Formula, ...], wanted: bool) -> Iterator[Conjunction]:
        """One of several holds: the first, or the second and not the first, and so on."""
        others: Iterable[Conjunction] = [frozenset()]
        for i, part in enumerate(parts):
            yield from self._crossed(others, self.split(part, wanted))
            if i < len(parts) - 1:
                others = self._limited(self._crossed(others, self.split(part, not wanted)))

    def _of_statement(self, statement: Axial, wanted: bool) -> list[Conjunction]:
        if isinstance(statement, Not):
            return self._of_statement(statement.of, not wanted)
        if isinstance(statement, Every if wanted else Some):
            parts = (self._of_statement(each, wanted) for each in statement.parts)
            return [frozenset[int]().union(*each) for each in product(*parts)]  # one, or none
        if isinstance(statement, Value):
            return [frozenset()] if statement.value == wanted else []
        return [frozenset([self._number(statement, wanted)])]

    def _number(self, leaf: Bound | Axial, wanted: bool) -> int:
        if leaf not in self.numbers:
            self.leaves.append(leaf)
            self.numbers[leaf] = len(self.leaves)
        return self.numbers[leaf] * (1 if wanted else -1)

    def _crossed(self, some: Iterable[Conjunction], others: Iterable[Conjunction]) -> Iterator[Conjunction]:
        """Each of some with each of others, where the two do not contradict each other."""
        several = tuple(others)
        together = (self._joined(one | other) for one in some for other in several)
        return (each for each in together if each is not None)

    def _limited(self, found: Iterable[Conjunction]) -> tuple[Conjunction, ...]:
        kept: list[Conjunction] = []
        for each in found:
            kept.append(each)
            if len(kept) > MOST:
                raise DefinitionError(
                    f"{self.condition.option}: it splits into more than {MOST} cases, each with its own "
                    "limits: write it with fewer alternatives"
                )
        return tuple(kept)

    def _joined(self, conjunction: Conjunction) -> Conjunction | None:
        """A conjunction without what follows from the rest; None where it contradicts itself."""
        if any(-number in conjunction for number in conjunction):
            return None
        narrowest = self._narrowest(conjunction)
        possible = all(self._mask(group) != 0 for group in self._groups(conjunction).values())
        return narrowest if possible else None

    def _groups(self, conjunction: Conjunction) -> dict[frozenset[str], list[int]]:
        """The statements by the axes that they depend on."""
        groups: dict[frozenset[str], list[int]] = {}
        for number in sorted(conjunction, key=abs):
            leaf = self.leaves[abs(number) - 1]
            if isinstance(leaf, Axial):
                groups.setdefault(leaf.names, []).append(number)
        return groups

    def has_members(self, conjunction: Conjunction) -> bool:
        """Whether its statements hold for some values of the axes, as far as is looked through."""
        parts: list[tuple[frozenset[str], list[int]]] = []
        for names, numbers in self._groups(conjunction).items():
            joined = [part for part in parts if part[0] & names]
            parts = [part for part in parts if part not in joined]
            together = [number for part in joined for number in part[1]]
            parts.append((names.union(*(part[0] for part in joined)), sorted(together + numbers)))
        return all(self._occurs(names, tuple(numbers)) for names, numbers in parts)

    def _occurs(self, names: frozenset[str], numbers: tuple[int, ...]) -> bool:
        """Whether statements that share axes hold together for some values of these."""
        if numbers not in self.occurring:
            statements = [(self._statement(abs(number)), number > 0) for number in numbers]
            self.occurring[numbers] = self._size(names) > LOOKED_THROUGH or any(
                all(each.at(point) is wanted for each, wanted in statements) for point in self._points(names)
            )
        return self.occurring[numbers]

    def _points(self, names: Iterable[str]) -> Iterator[dict[str, Exact]]:
        """All the values of some axes."""
        axes = [self.axes[name] for name in sorted(names)]
        exact = ([axis.exact(i) for i in range(len(axis.values))] for axis in axes)
        return (dict(zip([axis.name for axis in axes], point, strict=True)) for point in product(*exact))

    def _mask(self, group: list[int]) -> int | None:
        """The values of their axes at which all of a group hold, as bits; None where there are too many."""
        together: int | None = None
        for number in group:
            mask = self._mask_of(abs(number))
            if mask is None:
                return None
            mask = mask if number > 0 else ~mask & (1 << self._size(self._statement(abs(number)).names)) - 1
            together = mask if together is None else together & mask
        return together

    def _mask_of(self, number: int) -> int | None:
        if number not in self.masks:
            statement = self._statement(number)
            small = self._size(statement.names) <= LOOKED_THROUGH
            points = self._points(statement.names) if small else iter(())
            holding = (1 << i for i, point in enumerate(points) if statement.at(point) is True)
            self.masks[number] = sum(holding) if small else None
        return self.masks[number]

    def _size(self, names: Iterable[str]) -> int:
        """How many values some axes have together."""
        return prod(len(self.axes[name].values) for name in names)

    def _end(self, number: int) -> tuple[Direction, End, bool] | None:
        """Of a bound with constant coefficients the sum that it is about, where this ends, and if above."""
        if number not in self.ends:
            leaf = self.leaves[abs(number) - 1]
            constants = leaf.linear.constants if isinstance(leaf, Bound) else None
            self.ends[number] = end_of(constants, number) if constants else None
        return self.ends[number]

    def _narrowest(self, conjunction: Conjunction) -> Conjunction | None:
        """A conjunction without the bounds that follow from others; None where they contradict each other."""
        found: dict[Direction, Interval] = {}
        rest = []
        for number in sorted(conjunction, key=abs):
            known = self._end(number)
            if known is None:
                rest.append(number)
                continue
            sums, end, is_high = known
            least = End(Fraction(0), False) if all(ratio > 0 for _, ratio in sums) else None  # quantities are
            found[sums] = found.get(sums, Interval(low=least)).narrowed(end, is_high=is_high)
        if any(each.is_empty for each in found.values()):
            return None
        return frozenset([*rest, *(end.leaf for each in found.values() for end in each if end and end.leaf)])

    def atoms(self, conjunction: Conjunction) -> tuple[Atom, ...]:
        """What has to hold."""
        bounds = []
        for number in sorted(conjunction, key=abs):
            leaf = self.leaves[abs(number) - 1]
            if isinstance(leaf, Bound):
                bounds.append(AtMost(leaf.linear if number > 0 else leaf.linear.negative(), number < 0))
        return (*self._statements(conjunction), *bounds)

    def _statements(self, conjunction: Conjunction) -> Iterator[Holds]:
        """The statements, those together that depend on the same axes, or on some of them."""
        merged: dict[frozenset[str], list[int]] = {}
        groups = self._groups(conjunction)
        for names in sorted(groups, key=lambda each: (-len(each), sorted(each))):
            if self._mask(groups[names]) == (1 << self._size(names)) - 1:
                continue  # it is always true
            place = next((wider for wider in merged if names <= wider), names)
            merged.setdefault(place, []).extend(groups[names])
        for numbers in merged.values():
            if len(numbers) == 1:
                yield Holds(self._statement(abs(numbers[0])), numbers[0] > 0)
            else:
                signed = ((self._statement(abs(number)), number > 0) for number in numbers)
                yield Holds(every(each if holds else opposite(each) for each, holds in signed), True)

    def _statement(self, number: int) -> Axial:
        statement = self.leaves[number - 1]
        assert isinstance(statement, Axial)
        return statement

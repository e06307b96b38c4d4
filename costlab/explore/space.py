"""Spaces: all members of a definition along axes, asked as a whole."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from costlab.algebra.block import Block
from costlab.errors import DefinitionError, TargetError
from costlab.explore.answers import Histogram, Misfit
from costlab.explore.given import is_axis_of_input, is_several, positive, with_input
from costlab.explore.member import Member, Selection, selection, variant_of
from costlab.explore.region import Region
from costlab.explore.written.axis import INPUT
from costlab.explore.written.vary import axes_of
from costlab.targets.like import TargetLike
from costlab.targets.resolve import find_with_settings

if TYPE_CHECKING:
    from pandas import DataFrame

ROWS_MAX = 100_000_000
"""Rows above which a listing says how many it will write."""
FRAME_MAX = 10_000_000
"""Rows of a frame, of about a hundred bytes each, above which it has to be asked for with a limit."""


class Space(Region):
    """The networks that a definition gives along axes: ``Space("inception_v3", width="0.5:2:.1", n=[3, 5])``.

    Each axis is a parameter with a list of values (a range, an array), or with a text as `costlab explore`
    takes it after ``--vary``; a parameter with a single value is a setting. ``input`` is a shape, as
    ``(3, 299, 299)``, or, as a list, a range or a text, an axis of sizes of square inputs.

    What is asked is answered exactly, for all members, without counting them one by one: the definition runs
    once with its axes in the place of values, and for each value only where it looks at one. What was derived
    so is held against counts of some members before anything is said.

    Raises:
        TargetError: the target names nothing, or is made already.
        DefinitionError: an axis or a setting is malformed.
    """

    def __init__(self, target: TargetLike, input: object = None, **axes: Any) -> None:
        varied = {name: values for name, values in axes.items() if is_several(values)}
        settings = {name: value for name, value in axes.items() if name not in varied}
        variant = find_with_settings(target, settings)
        definition = variant.subject
        if isinstance(definition, Block):
            raise TargetError(f"{variant.label} is made already, and has no axes: name a definition")
        if input is not None and is_axis_of_input(input):
            varied[INPUT] = input
        else:
            variant = with_input(variant, input)
        self._begin(variant, axes_of(varied, definition, variant.settings))

    def count(self) -> int:
        """How many members fit and meet the conditions."""
        from costlab.explore.query import queries

        return queries.count(self.engine, [each.plan for each in self.asked()])

    def min(self, by: str = "multiply_adds") -> Member | None:
        """The member with the least of a quantity, or of a sum of them; None if there is no member."""
        return next(iter(self._best(1, by, -1)), None)

    def max(self, by: str = "multiply_adds") -> Member | None:
        """The member with the most of a quantity, or of a sum of them; None if there is no member."""
        return next(iter(self._best(1, by, 1)), None)

    def top(self, many: int, by: str = "multiply_adds") -> Selection:
        """The members with the most of a quantity, or of a sum of them: ``by="-parameters"`` for the least.

        Which of equals are among them is fixed, and has no meaning.

        Raises:
            DefinitionError: ``many`` is no number of at least 1, ``by`` no sum of quantities.
        """
        found = self._best(positive("top", many), by, 1)
        of = by.strip()
        end = f"least {of[1:]}" if of[:1] == "-" and of[1:].isidentifier() else f"most {of}"
        return selection(self, f"the {len(found)} with the {end}", found)

    def front(self, *objectives: str) -> Selection:
        """The members that none surpasses: less is better, so that ``-parameters`` asks for more of them.

        They are in the order of the first objective; of members that are equal in all, one is among them.

        Raises:
            DefinitionError: there are fewer than two, or one is no sum of quantities.
        """
        from costlab.explore.query import queries

        if len(objectives) < 2:
            raise DefinitionError("front: give two objectives or more, such as multiply_adds and -parameters")
        linears = [self.quantity(each, "front") for each in objectives]
        found = queries.pareto(self.engine, self.asked(*linears), "searching the front")
        members = sorted(map(self.member, found.members), key=lambda each: self.value(linears[0], each))
        return selection(self, f"the front of {' and '.join(objectives)}", members)

    def sample(
        self, many: int, within: object = None, of: object = None, by: str = "multiply_adds", seed: int = 0
    ) -> Selection:
        """Members drawn at random: any set of so many is as likely as any other.

        With ``within`` (0.01, or ``"1%"``) and ``of`` (400e6) from those whose ``by`` is so near to ``of``.

        Raises:
            DefinitionError: a number is malformed, or one of ``within`` and ``of`` is missing.
        """
        from costlab.explore.query import queries

        many = positive("sample", many)
        plans = [each.plan for each in self.near(within, of, by).asked()]
        drawn = queries.sample(self.engine, plans, many, seed)
        title = f"{len(drawn.members)} drawn from {drawn.among:,}"
        return replace(selection(self, title, [*map(self.member, drawn.members)]), among=drawn.among)

    def histogram(self, by: str = "multiply_adds", bins: int = 20) -> Histogram:
        """How the members are spread over a quantity, or a sum of them, in bins of equal width."""
        from costlab.explore.query import queries

        asked = self.asked(self.quantity(by))
        values, counts = queries.histogram(self.engine, asked, positive("bins", bins), by)
        return Histogram(by, values, counts)

    def misfits(self) -> tuple[Misfit, ...]:
        """What does not fit, whatever the conditions: members by the first part at which they do not."""
        from costlab.explore.query import queries

        found = []
        for path, plan in self.lowering.misfits():
            if many := queries.count(self.engine, [plan], "counting what does not fit"):
                (index,) = queries.sample(self.engine, [plan], 1, 0).members
                found.append(Misfit(path, many, self._reason(index)))
        return tuple(found)

    def to_frame(self, limit: int = FRAME_MAX) -> "DataFrame":
        """All members that meet the conditions as a pandas frame: a column for each axis and each quantity.

        Raises:
            DefinitionError: there are more than ``limit``.
        """
        import pandas as pd

        if (many := self.count()) > limit:
            raise DefinitionError(
                f"{many:,} members are more than limit={limit:,}: narrow the space, or raise it"
            )
        return pd.concat(list(self.frames()), ignore_index=True)

    def frames(self) -> "Iterator[DataFrame]":
        """The same in pieces, for what does not fit into memory."""
        from costlab.explore.query.listing import frames

        return frames(self)

    def found(self) -> Selection | None:
        """The members that were found by what was interrupted; None where it searched for none."""
        from costlab.explore.query import queries

        points = queries.points_of(self.engine.found)
        return selection(self, "found so far", [*map(self.member, points)]) if points else None

    def counted(self) -> int | None:
        """How many members were counted by what was interrupted; None where it counted none."""
        counts = self.engine.found
        return sum(counts) if isinstance(counts, list) and all(type(each) is int for each in counts) else None

    def member(self, index: tuple[int, ...]) -> Member:
        """The member with these indices along the axes. Raises `ShapeError` if it does not fit."""
        variant = variant_of(self.variant, self.axes, index)
        if self.lowering.derived.misfit_at(index) is not None:
            variant.resolve().walk()  # says what does not fit
        values = {axis.name: axis.values[i] for axis, i in zip(self.axes, index, strict=True)}
        return Member(tuple(index), values, self.lowering.at(index), variant)

    def _best(self, many: int, by: str, sign: int) -> list[Member]:
        from costlab.explore.query import queries

        ranked = queries.top(self.engine, self.asked(self.quantity(by)), sign, many, f"searching by {by}")
        return [self.member(each.point) for each in ranked]

    def _reason(self, index: tuple[int, ...]) -> str:
        try:
            variant_of(self.variant, self.axes, index).resolve().walk()
        except Exception as error:
            return str(error)
        return ""

"""Regions: a definition along axes, the conditions that its members meet, and what is derived of them."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Executor
from copy import copy
from fractions import Fraction
from functools import cached_property, partial
from math import prod
from typing import TYPE_CHECKING, Any, Self

from costlab.algebra.work import QUANTITIES
from costlab.counting.overview import Overview
from costlab.errors import DefinitionError
from costlab.explore.given import near, positive
from costlab.explore.member import Member
from costlab.explore.quantities import ASKED, PEAK_MEMORY
from costlab.explore.running import changed_of, refuse_untrained
from costlab.explore.written.axis import Axis, Index
from costlab.explore.written.condition import AtMost, Atom, Condition, all_conditions, conjunctions
from costlab.explore.written.expression import parse_condition, parse_quantity
from costlab.explore.written.linear import Linear
from costlab.targets.target import Variant

if TYPE_CHECKING:
    from costlab.explore.query.engine import Engine, Progress
    from costlab.explore.query.lowered import Asked, Lowering

PEAKS_MAX = 1_000_000
"""The most members of a space for which the peaks of memory are worked out."""
AXES_MAX = 32
"""The most axes: NumPy's arrays broadcast along no more."""


def together(stated: Sequence[str]) -> str:
    """Conditions as one: of several, those with an ``or`` are in brackets."""
    several = len(stated) > 1
    return " and ".join(f"({each})" if several and " or " in each else each for each in stated)


class Region(Overview):
    """The members of a space that meet some conditions; what they cost is derived when it is first asked."""

    @classmethod
    def along(cls, variant: Variant, axes: tuple[Axis, ...]) -> Self:
        """The space of a variant along axes that are made already."""
        space = cls.__new__(cls)
        space._begin(variant, axes)  # noqa: SLF001  # it is of this class
        return space

    def _begin(self, variant: Variant, axes: tuple[Axis, ...]) -> None:
        if len(axes) > AXES_MAX:
            raise DefinitionError(f"{variant.label}: {len(axes)} axes are more than {AXES_MAX}: vary fewer")
        self.variant, self.axes = variant, axes
        self.conditions: tuple[Condition, ...] = ()
        self.atoms: tuple[Atom, ...] = ()
        self.stated: tuple[str, ...] = ()  # what members meet, as it was written
        self.running: Mapping[str, Any] | None = None  # the options of costlab.memory, if they were given
        self._engine: Engine | None = None
        self._made: dict[str, Any] = {}  # what is derived once for all spaces with these axes

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each axis has."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def size(self) -> int:
        """How many members there are, whether or not they fit and meet the conditions."""
        return prod(self.sizes)

    def __len__(self) -> int:
        return self.size

    @cached_property
    def _named(self) -> Mapping[str, Axis]:
        return {axis.name: axis for axis in self.axes}

    def where(self, *conditions: str, option: str = "where") -> Self:
        """The members for which conditions hold: ``"multiply_adds <= 5e9 and parameters < 25e6"``.

        They are about quantities and axes, and are read, never run. ``option`` begins messages.

        Raises:
            DefinitionError: one is no condition.
        """
        parameters = tuple(self.variant.parameters)
        parsed = [parse_condition(text, self._named, option, parameters) for text in conditions]
        for each in parsed:
            self._refuse_large(option, each.quantities)
        space = copy(self)
        space.conditions = (*self.conditions, *parsed)
        space.stated = (*self.stated, *(each.text for each in parsed))
        space._refuse_contradiction(option)  # noqa: SLF001  # it is of this class
        return space

    def _refuse_contradiction(self, option: str) -> None:
        """Refuse conditions on axes that no values of theirs meet."""
        from costlab.explore.query.lowered import hold_somewhere

        axial = [condition for condition in self.conditions if not condition.quantities]
        if axial and not any(
            hold_somewhere(self.axes, atoms) for atoms in conjunctions(all_conditions(axial))
        ):
            stated = together([condition.text for condition in axial])
            raise DefinitionError(f"{option}: {stated}: holds for no values of the axes")

    def with_memory(
        self,
        *,
        batch: int = 1,
        train: bool = False,
        optimizer: str = "sgd",
        momentum: bool = False,
        average: bool = False,
        dtype: str | None = None,
    ) -> Self:
        """The space with the ``peak_memory`` of its members: the most bytes held at once, as they run so.

        The options are those of `costlab.memory`; without them ``peak_memory`` is that of one input, in
        inference. It is worked out when it is first asked, of all members of a space of at most a million.

        Raises:
            DefinitionError: options do not go together, as of training without ``train``; or the space is
                larger.
        """
        from costlab.hardware.memory import optimizer_of

        options = {"optimizer": optimizer, "momentum": momentum, "average": average, "dtype": dtype}
        running = changed_of(train=train, **options)
        refuse_untrained(running, str)
        optimizer_of(train=train, optimizer=optimizer, momentum=momentum, average=average, dtype=dtype)
        self._refuse_large(self.variant.label, (PEAK_MEMORY,))
        space = copy(self)
        space.running = {"batch": positive("batch", batch), **running}
        space._made = {}  # noqa: SLF001  # it is of this class
        return space

    @property
    def quantities(self) -> tuple[str, ...]:
        """The quantities of a member that are shown: the peak of its memory, if anything asks for that."""
        lowering: Lowering | None = self._made.get("lowering")
        known = self.running is not None or (lowering is not None and lowering.has_peaks)
        asked = known or any(PEAK_MEMORY in each.quantities for each in self.conditions)
        return ASKED if asked else QUANTITIES

    def _refuse_large(self, option: str, quantities: Collection[str]) -> None:
        """Refuse to ask a space for the memory of more members than it is worked out for."""
        if PEAK_MEMORY in quantities and self.size > PEAKS_MAX:
            raise DefinitionError(
                f"{option}: {PEAK_MEMORY} is worked out for each member, and {self.size:,} are more than "
                f"{PEAKS_MAX:,}: vary fewer parameters, or fewer of their values"
            )

    def unconditional(self) -> Self:
        """The space without its conditions."""
        space = copy(self)
        space.conditions, space.atoms, space.stated = (), (), ()
        return space

    def on(
        self,
        workers: int | None = None,
        executor: Executor | None = None,
        progress: "Progress | None" = None,
    ) -> Self:
        """The space, gone over on so many threads, or by an executor; ``progress`` is told of it."""
        from costlab.explore.query.engine import Engine, quiet

        many = None if workers is None else positive("workers", workers)
        space = copy(self)
        space._engine = Engine(many, executor, progress or quiet)  # noqa: SLF001  # it is of this class
        return space

    def near(self, within: object, of: object, by: str = "multiply_adds") -> Self:
        """The members whose ``by`` is ``of``, give or take a share of it; all if both are None.

        Raises:
            DefinitionError: one is missing, or malformed.
        """
        space = copy(self)
        space.atoms = (*self.atoms, *near(self.quantity(by), within, of))
        if within is not None:
            space.stated = (*self.stated, f"{by} within {within} of {of}")
        return space

    def quantity(self, text: str, option: str = "by") -> Linear:
        """A sum of quantities as it is written. Raises `DefinitionError` if it is none."""
        sums = parse_quantity(text, self._named, option, tuple(self.variant.parameters))
        self._refuse_large(option, sums.quantities)
        return sums

    def value(self, sums: Linear, member: Member) -> Fraction:
        """The value of a sum of quantities for a member."""
        named = {axis.name: axis.exact(i) for axis, i in zip(self.axes, member.index, strict=True)}
        return sums.at(named, member.sizes)

    def asked(self, *linears: Linear) -> "list[Asked]":
        """Plans of sets of members that do not overlap: together, all that meet the conditions."""
        every = conjunctions(all_conditions(self.conditions)) if self.conditions else ((),)
        plans = (self.lowering.plan((*each, *self.atoms), linears) for each in every)
        return [asked for asked in plans if asked.plan.is_possible]

    def has(self, index: Index) -> bool:
        """Whether the member with these indices along the axes fits and meets the conditions."""
        if self.lowering.derived.misfit_at(index) is not None:
            return False
        named = {axis.name: axis.exact(i) for axis, i in zip(self.axes, index, strict=True)}
        totals = self.lowering.at(index)
        return all(each.holds(named, totals) for each in (*self.conditions, *self.atoms))

    def bounds(self) -> tuple[Linear, ...]:
        """The sums of quantities that are at most 0 for all members, if the conditions are one."""
        every = conjunctions(all_conditions(self.conditions)) if self.conditions else ()
        return tuple(atom.linear for atom in every[0] if isinstance(atom, AtMost)) if len(every) == 1 else ()

    @property
    def engine(self) -> "Engine":
        """What goes over the space, and knows how far it came."""
        from costlab.explore.query.engine import Engine

        if self._engine is None:
            self._engine = Engine()
        return self._engine

    @property
    def lowering(self) -> "Lowering":
        """What every member costs, and what makes forms of that."""
        from costlab.explore.query.lowered import lowering_of

        if "lowering" not in self._made:
            self._made["lowering"] = lowering_of(self.variant, self.axes, self.engine.progress, self.running)
        lowering: Lowering = self._made["lowering"]
        if PEAK_MEMORY in self.quantities:
            lowering.work_out_peaks()  # before there are members, which are to know theirs
        return lowering

    def _lines(self) -> Sequence[str]:
        axes = (
            f"{each.name}: {len(each.values):,} values, {each.text(0)} to {each.text(-1)}"
            for each in self.axes
        )
        return [f"{self.variant.label}, {self.size:,} members", *axes, *self._where()]

    def _where(self) -> Sequence[str]:
        return [f"where {each}" for each in self.stated]

    def _notes(self) -> Sequence[str]:
        asked = "fit and meet the conditions" if self.stated else "fit"
        return [*self._where(), f".count() says how many of the {self.size:,} members {asked}"]

    def _in_notebook(self) -> Sequence[str]:
        from costlab.counting.folded import Line, said, spread, tree

        def values(axis: Axis) -> Sequence[Line]:
            return spread([axis.text(place) for place in range(len(axis.values))])

        lines = [
            Line([each.name, f"{len(each.values):,}", each.text(0), each.text(-1)], partial(values, each))
            for each in self.axes
        ]
        titles = ["axis", "values", "first", "last"]
        return [said(self._notes()), tree(titles, lines, text=1, instead=".axes holds all values")]

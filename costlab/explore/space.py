"""Spaces: all members of a definition along axes, asked as a whole."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from math import ceil, floor, prod
from typing import TYPE_CHECKING, Any, NamedTuple

from costlab.algebra.block import Block
from costlab.algebra.dim import as_dim
from costlab.algebra.inputs import as_input
from costlab.counting.overview import Overview
from costlab.errors import DefinitionError, TargetError
from costlab.explore.amount import amount
from costlab.explore.axial import Value
from costlab.explore.axis import INPUT, Axis
from costlab.explore.condition import AtMost, Atom, Condition, all_conditions, conjunctions
from costlab.explore.expression import parse_condition, parse_quantity
from costlab.explore.linear import Linear, combined, linear
from costlab.explore.member import Member, Selection, variant_of
from costlab.explore.vary import axes_of
from costlab.messages import named
from costlab.targets.resolve import TargetLike, find, find_with_settings
from costlab.targets.target import Variant

if TYPE_CHECKING:
    from pandas import DataFrame

    from costlab.explore.derive.derived import Derived
    from costlab.explore.query.engine import Engine, Progress
    from costlab.explore.query.lowered import Asked, Lowering

Index = tuple[int, ...]
ROWS_MAX = 100_000_000
"""Rows above which a listing has to be asked for twice."""


class Space(Overview):
    """The networks that a definition gives along axes: ``Space("inception_v3", width="0.25:2:0.01", n=[3, 5, 7])``.

    Each axis is a parameter with a list of values (a range, an array), or with a text as `costlab explore --vary`
    takes it; a parameter with a single value is a setting. ``input`` is a shape, ``(3, 299, 299)``, or, as a list
    or range, an axis of sizes of square inputs.

    What is asked is answered exactly, for all members, without counting them one by one: the definition is run
    once with its axes in the place of values, and runs for each value only where it looks at one. What was derived
    so is held against counts of some members before anything is said.

    Raises:
        TargetError: the target names nothing, or is made already.
        DefinitionError: an axis or a setting is malformed.
    """

    def __init__(self, target: TargetLike, input: object = None, **axes: Any) -> None:
        variant = find(target)
        if isinstance(variant.subject, Block):
            raise TargetError(f"{variant.label} is made already, and has no axes: name a definition")
        varied = {name: values for name, values in axes.items() if _is_several(values)}
        settings = {name: value for name, value in axes.items() if name not in varied}
        variant = _with_settings(variant, settings)
        if input is not None and _is_axis(input):
            varied[INPUT] = input
        elif input is not None:
            variant = replace(variant, input=as_input(input))
        self._begin(variant, axes_of(varied, variant.subject, variant.settings), (), _Shared())

    @classmethod
    def of(
        cls, variant: Variant, axes: tuple[Axis, ...], conditions: Sequence[str] = (), option: str = "where"
    ) -> "Space":
        """The space of a variant along axes that are made already, with conditions."""
        space = cls.__new__(cls)
        space._begin(variant, axes, (), _Shared())
        return space._narrowed(conditions, option) if conditions else space

    def _begin(
        self, variant: Variant, axes: tuple[Axis, ...], conditions: tuple[Condition, ...], shared: "_Shared"
    ) -> None:
        self.variant, self.axes, self.conditions, self._shared = variant, axes, conditions, shared

    # What it is

    @property
    def sizes(self) -> Index:
        """How many values each axis has."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def size(self) -> int:
        """How many members there are, those that do not fit among them, whatever the conditions."""
        return prod(self.sizes)

    def __len__(self) -> int:
        return self.size

    @cached_property
    def _axes(self) -> Mapping[str, Axis]:
        return {axis.name: axis for axis in self.axes}

    def member(self, index: Index) -> Member:
        """The member with these indices along the axes. Raises `ShapeError` if it does not fit."""
        variant = variant_of(self.variant, self.axes, index)
        if self._derived.misfit_at(index) is not None:
            variant.resolve().walk()  # says what does not fit
        values = {axis.name: axis.values[i] for axis, i in zip(self.axes, index, strict=True)}
        return Member(tuple(index), values, self._derived.at(index), variant)

    def on(
        self, workers: int | None = None, executor: Executor | None = None, progress: "Progress | None" = None
    ) -> "Space":
        """The space, gone over on as many threads, or by an executor; ``progress`` is told what and how far."""
        from costlab.explore.query.engine import Engine, quiet

        if workers is not None:
            as_dim("workers", workers)
        space = self._like(self.conditions)
        space._shared = replace(self._shared, engine=Engine(workers, executor, progress or quiet))
        return space

    def where(self, *conditions: str) -> "Space":
        """The members for which conditions hold: ``"multiply_adds <= 5e9 and parameters < 25e6"``.

        They are about quantities and axes, and read, never run. Raises `DefinitionError` for what is none.
        """
        return self._narrowed(conditions, "where")

    def _narrowed(self, conditions: Sequence[str], option: str) -> "Space":
        known = self.variant.parameters
        parsed = (parse_condition(text, self._axes, option, tuple(known)) for text in conditions)
        return self._like((*self.conditions, *parsed))

    def _like(self, conditions: tuple[Condition, ...]) -> "Space":
        space = type(self).__new__(type(self))
        space._begin(self.variant, self.axes, conditions, self._shared)
        return space

    # What is asked

    def count(self) -> int:
        """How many members fit and meet the conditions."""
        from costlab.explore.query import queries

        return queries.count(self._engine, [each.plan for each in self._asked()])

    def min(self, by: str = "multiply_adds") -> Member | None:
        """The member with the least of a quantity, or of a sum of them; None if there is none."""
        return next(iter(self._best(1, self._quantity(by), -1)), None)

    def max(self, by: str = "multiply_adds") -> Member | None:
        """The member with the most of a quantity, or of a sum of them; None if there is none."""
        return next(iter(self._best(1, self._quantity(by), 1)), None)

    def top(self, many: int, by: str = "multiply_adds") -> Selection:
        """The members with the most of a quantity, or of a sum of them: ``by="-parameters"`` for the least.

        Among equals it is fixed, but not said, which come first.
        """
        found = self._best(_positive("top", many), self._quantity(by), 1)
        return self._selection(f"the {len(found)} with the most {by}", found)

    def front(self, *objectives: str) -> Selection:
        """The members that none surpasses, by the first objective: less is better, so ``-parameters`` wants more.

        Of members that are equal in all objectives one is shown.
        """
        from costlab.explore.query import queries

        if len(objectives) < 2:
            raise DefinitionError("front: give two objectives or more, such as multiply_adds and -parameters")
        linears = [self._quantity(each) for each in objectives]
        front = queries.pareto(self._engine, self._asked(*linears), [1] * len(linears), "searching the front")
        members = sorted(map(self.member, front.members), key=lambda member: self._value(linears[0], member))
        return self._selection(f"front of {' and '.join(objectives)}", members)

    def sample(
        self, many: int, within: object = None, of: object = None, by: str = "multiply_adds", seed: int = 0
    ) -> Selection:
        """Members drawn at random, each as likely as any other, none twice.

        With ``within`` (0.01, "1%") and ``of`` (400e6) from those whose ``by`` is so near to ``of``.
        """
        from costlab.explore.query import queries

        many = _positive("sample", many)
        atoms = () if within is None and of is None else self._near(within, of, by)
        drawn = queries.sample(self._engine, [each.plan for each in self._asked(atoms=atoms)], many, seed)
        title = f"{len(drawn.members)} drawn from {drawn.among:,}"
        return replace(self._selection(title, [*map(self.member, drawn.members)]), among=drawn.among)

    def histogram(self, by: str = "multiply_adds", bins: int = 20) -> "Histogram":
        """How the members are spread over a quantity, or a sum of them, in bins of equal width."""
        from costlab.explore.query import queries

        bins = _positive("bins", bins)
        linear = self._quantity(by)
        asked = self._asked(linear)
        ends = [queries.top(self._engine, asked, sign, 1, f"searching the range of {by}") for sign in (-1, 1)]
        if not all(ends):
            return Histogram(by, (), ())
        low, high = sorted(each[0].value for each in ends)
        step = -(-(high - low + 1) // bins)
        edges = [low + place * step for place in range(-(-(high - low + 1) // step) + 1)]
        counts = queries.histogram(self._engine, asked, edges, f"counting by {by}")
        wanted = asked[0].wanted[0]
        values = [wanted.scale * edge + wanted.constant for edge in edges]
        if wanted.scale < 0:
            values, counts = values[::-1], counts[::-1]
        return Histogram(by, tuple(values), tuple(counts))

    def misfits(self) -> "tuple[Misfit, ...]":
        """The members that do not fit, whatever the conditions, by the first part at which they do not."""
        from costlab.explore.query import queries

        found = []
        for path, plan in self._lowering.misfits():
            if many := queries.count(self._engine, [plan], "counting what does not fit"):
                (index,) = queries.sample(self._engine, [plan], 1, 0).members
                found.append(Misfit(path, many, self._reason(index)))
        return tuple(found)

    def to_frame(self, limit: int = ROWS_MAX) -> "DataFrame":
        """All members that meet the conditions as a pandas frame: a column for each axis and each quantity.

        Raises:
            DefinitionError: there are more than ``limit``.
        """
        import pandas as pd

        if (many := self.count()) > limit:
            raise DefinitionError(
                f"{many:,} members are more than limit={limit:,} rows: narrow the space, or raise it"
            )
        frames = list(self.frames())
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def frames(self) -> "Iterator[DataFrame]":
        """The same in pieces, for what does not fit into memory."""
        from costlab.explore.query.listing import frames

        return frames(self)

    # How it is answered

    @property
    def _engine(self) -> "Engine":
        return self._shared.engine_of()

    @property
    def _derived(self) -> "Derived":
        return self._shared.derived_of(self.variant, self.axes)

    @cached_property
    def _lowering(self) -> "Lowering":
        from costlab.explore.query.lowered import Lowering

        return Lowering(self.axes, self._derived)

    def _asked(self, *linears: Linear, atoms: Sequence[Atom] = ()) -> "list[Asked]":
        """Plans of members that do not overlap, for all that meet the conditions and the atoms."""
        every = conjunctions(all_conditions(self.conditions)) if self.conditions else ((),)
        return [self._lowering.plan((*each, *atoms), linears) for each in every]

    def _quantity(self, text: str) -> Linear:
        return parse_quantity(text, self._axes, "by", tuple(self.variant.parameters))

    def _best(self, many: int, linear: Linear, sign: int) -> list[Member]:
        from costlab.explore.query import queries

        ranked = queries.top(self._engine, self._asked(linear), sign, many, "searching extremes")
        return [self.member(each.index) for each in ranked]

    def _value(self, linear: Linear, member: Member) -> Fraction:
        exact = {axis.name: axis.exact(i) for axis, i in zip(self.axes, member.index, strict=True)}
        return linear.at(exact, member.sizes)

    def _near(self, within: object, of: object, by: str) -> tuple[Atom, ...]:
        """What is so near to a value: its absolute distance is at most a share of it."""
        if within is None or of is None:
            raise DefinitionError("sample: within and of go together, as in within='1%', of=400e6")
        share, middle, linear_by = _share(within), _exact("of", of), self._quantity(by)
        low, high = middle - abs(middle) * share, middle + abs(middle) * share
        above = linear(combined("-", Value(low), linear_by))
        return (
            AtMost(above, strict=False),
            AtMost(linear(combined("-", linear_by, Value(high))), strict=False),
        )

    def _selection(self, title: str, members: Sequence[Member]) -> Selection:
        variants = {}
        base = replace(self.variant, label=self.variant.label)
        try:
            base.resolve().walk()
            variants[base.label] = base
        except Exception:  # noqa: S110  # it needs what is varied, or does not fit: the first member leads
            pass
        for member in members:
            at = f" at {member.input}" if member.input is not None else ""
            variants.setdefault(f"{member.target}{at}", member.variant)
        if not variants:
            raise DefinitionError(f"{self.variant.label}: no member was selected")
        name = self.variant.label.split(":")[0]
        return Selection(name, f"{self.variant.label}: {title}", variants, members=tuple(members))

    def _reason(self, index: Index) -> str:
        try:
            variant_of(self.variant, self.axes, index).resolve().walk()
        except Exception as error:
            return str(error)
        return ""

    def _lines(self) -> Sequence[str]:
        conditions = [f"where {condition.text}" for condition in self.conditions]
        axes = [
            f"{axis.name}: {len(axis.values)} values, {axis.text(0)} to {axis.text(-1)}" for axis in self.axes
        ]
        return [f"{self.variant.label}, {self.size:,} members", *axes, *conditions]

    def _records(self) -> Sequence[Mapping[str, str]]:
        return [
            {
                "axis": axis.name,
                "values": f"{len(axis.values):,}",
                "first": axis.text(0),
                "last": axis.text(-1),
            }
            for axis in self.axes
        ]


class Misfit(NamedTuple):
    """Members that do not fit: the first part at which they do not, how many, and what is said of one of them."""

    path: str
    members: int
    example: str


class Histogram(NamedTuple):
    """How many members have a value from each edge to below the next."""

    by: str
    edges: tuple[Fraction, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class _Shared:
    """What spaces with the same axes have in common: what was derived, and what goes over it."""

    engine: "Engine | None" = None
    derived: "dict[str, Derived]" = field(default_factory=dict)

    def engine_of(self) -> "Engine":
        from costlab.explore.query.engine import Engine

        return self.engine or Engine()

    def derived_of(self, variant: Variant, axes: tuple[Axis, ...]) -> "Derived":
        if "" not in self.derived:
            from costlab.explore.derive.derived import derive
            from costlab.explore.derive.verified import hold_against_counts

            progress = self.engine_of().progress
            made = derive(variant, axes, lambda: None)
            hold_against_counts(made, variant, axes, lambda done: progress("checking the space", done))
            self.derived[""] = made
        return self.derived[""]


def _is_several(values: Any) -> bool:
    """Whether values of a parameter are an axis: a list, a range, an array, or a text with several in it."""
    if isinstance(values, str):
        return ":" in values or "," in values
    return hasattr(values, "__iter__") and getattr(values, "ndim", 1) != 0


def _is_axis(input: object) -> bool:
    """Whether an input is an axis of sizes, and no shape."""
    return _is_several(input) and not isinstance(input, tuple)


def _with_settings(variant: Variant, settings: Mapping[str, Any]) -> Variant:
    """The variant with settings, which are added to its label."""
    return find_with_settings(variant, settings) if settings else variant


def _positive(name: str, value: object) -> int:
    number = as_dim(name, value)
    if not isinstance(number, int):
        raise DefinitionError(f"{name}={named(value)} must be a single number")
    return number


def _share(within: object) -> Fraction:
    """A share as a number, or in percent as a text."""
    if isinstance(within, str) and within.strip().endswith("%"):
        return _exact("within", within.strip()[:-1]) / 100
    return _exact("within", within)


def _exact(name: str, value: object) -> Fraction:
    """A number as it is written."""
    if isinstance(value, str):
        return Fraction(amount(value, name, least=0))
    try:
        number = Fraction(str(value)) if isinstance(value, float) else Fraction(value)  # type: ignore[arg-type]  # or it fails
    except (TypeError, ValueError) as error:
        raise DefinitionError(f"{name}={named(value)} must be a number") from error
    if number < 0:
        raise DefinitionError(f"{name}={named(value)} must be at least 0")
    return number

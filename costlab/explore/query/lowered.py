"""Conditions and orders as they are written, made into plans of whole-numbered forms."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import ceil, floor, gcd, lcm, prod
from typing import Any, NamedTuple

import numpy as np

from costlab.errors import CostlabError, DefinitionError, ShapeError
from costlab.explore.derive.derived import Derived, derive
from costlab.explore.derive.peaks import Peaks
from costlab.explore.derive.terms import Terms
from costlab.explore.derive.verified import hold_against_counts
from costlab.explore.member import variant_of
from costlab.explore.quantities import PEAK_MEMORY
from costlab.explore.query.forms import Form, form_of, masks_form
from costlab.explore.query.slices import Plan
from costlab.explore.query.within import counts
from costlab.explore.written.axial import Axial
from costlab.explore.written.axis import Axis, Index
from costlab.explore.written.condition import Atom, Holds
from costlab.explore.written.linear import CONSTANT, Linear
from costlab.targets.target import Variant

STATES_MAX = 5_000_000
"""The most combinations of axes for which a statement is decided one by one."""
FAR = 2**1000


class Lowered(NamedTuple):
    """A linear expression as a form: its value is ``scale * form + constant``."""

    key: Any
    form: Form
    scale: Fraction
    constant: Fraction


class Lowering:
    """Makes forms of expressions about the members of one space; equal ones are made once."""

    def __init__(
        self, axes: tuple[Axis, ...], derived: Derived, peaks: Callable[[], Terms] | None = None
    ) -> None:
        self.axes, self.derived, self._peaks = axes, derived, peaks
        self._peak_memory: Terms | None = None
        self.sizes = tuple(len(axis.values) for axis in axes)
        self._places = {axis.name: place for place, axis in enumerate(axes)}
        self._misfits = [mask for _, mask in derived.misfits]
        self._made: dict[Any, Lowered] = {}

    def work_out_peaks(self) -> Terms:
        """The peaks of the memory of all members, which are worked out when they are first asked for."""
        if self._peak_memory is None:
            assert self._peaks is not None
            self._peak_memory = self._peaks()
        return self._peak_memory

    @property
    def has_peaks(self) -> bool:
        """Whether the peaks of memory are worked out already."""
        return self._peak_memory is not None

    def at(self, index: Index) -> dict[str, int]:
        """All quantities of a member that are known."""
        sizes = self.derived.at(index)
        if self._peak_memory is not None:
            sizes[PEAK_MEMORY] = self._peak_memory.at(tuple(range(len(index))), index)
        return sizes

    def _sum(self, name: str) -> Terms:
        return self.work_out_peaks() if name == PEAK_MEMORY else self.derived.sums[name]

    def plan(self, atoms: Sequence[Atom], asked: Iterable[Linear] = (), misfits: Any = None) -> "Asked":
        """The plan for members that fit and for which all of the atoms hold, with what is asked of them.

        ``misfits`` are other masks than the space's own, of members that are left out.
        """
        masks = list(self._misfits if misfits is None else misfits)
        forms: dict[Any, Form] = {}
        intervals: dict[Any, tuple[int, int]] = {}
        for atom in atoms:
            if isinstance(atom, Holds):
                masks.append(self.states(atom.axial) != atom.value)
                continue
            lowered = self.lowered(atom.linear)
            low, high = intervals.get(lowered.key, (-FAR, FAR))
            end = -lowered.constant / lowered.scale  # scale * form <= -constant
            if lowered.scale > 0:
                high = min(high, ceil(end) - 1 if atom.strict else floor(end))
            else:
                low = max(low, floor(end) + 1 if atom.strict else ceil(end))
            forms[lowered.key], intervals[lowered.key] = lowered.form, (low, high)
        if any(np.any(mask) for mask in masks):
            forms["masks"], intervals["masks"] = masks_form(masks), (0, 0)
        wanted = [self.lowered(linear) for linear in asked]
        for lowered in wanted:
            forms.setdefault(lowered.key, lowered.form)
        if not forms:  # all members, of which nothing is asked
            forms["nothing"] = Form(())
        places = {key: place for place, key in enumerate(forms)}
        plan = Plan(self.sizes, tuple(forms.values()), tuple(intervals.values()))
        return Asked(plan, tuple(places[lowered.key] for lowered in wanted), tuple(wanted))

    def misfits(self) -> Iterator[tuple[str, Plan]]:
        """For each part at which members do not fit, the plan for those that fit at all parts before it."""
        masks: dict[str, list[Any]] = {}
        for path, mask in self.derived.misfits:
            masks.setdefault(path, []).append(mask)
        before: list[Any] = []
        for path, here in masks.items():
            forms = (masks_form(before), masks_form(here)) if before else (masks_form(here),)
            intervals = ((0, 0), (1, FAR)) if before else ((1, FAR),)
            yield path, Plan(self.sizes, forms, intervals)
            before += here

    def states(self, axial: Axial) -> Any:
        """The values of a statement or an expression over its axes: an array of the space's rank."""
        places = sorted(self._places[name] for name in axial.names)
        combinations = prod(self.sizes[place] for place in places)
        if combinations > STATES_MAX:
            together = " and ".join(self.axes[place].name for place in places)
            raise DefinitionError(f"a condition on {together} has {combinations:,} cases: give simpler ones")
        exact = [[self.axes[place].exact(i) for i in range(self.sizes[place])] for place in places]
        names = [self.axes[place].name for place in places]
        values = [axial.at(dict(zip(names, each, strict=True))) for each in product(*exact)]
        shape = tuple(size if place in places else 1 for place, size in enumerate(self.sizes))
        kind = bool if all(isinstance(value, bool) for value in values) else object
        array = np.empty(len(values), dtype=kind)
        array[:] = values
        return array.reshape(shape)

    def lowered(self, linear: Linear) -> Lowered:
        """The form of a linear expression."""
        constants = linear.constants
        key: Any = None if constants is None else _normal(constants)
        if key is None:
            key = linear
        if key not in self._made:
            self._made[key] = self._along_axes(linear) if constants is None else self._of_constants(constants)
        made = self._made[key]
        if constants is None:
            return made
        first = next(
            (value for name, value in sorted(constants.items()) if name != CONSTANT and value), Fraction(1)
        )
        unit = next((value for _, value in key), 1)
        return made._replace(scale=first / unit, constant=Fraction(constants.get(CONSTANT, 0)))

    def _of_constants(self, constants: Mapping[str, Fraction]) -> Lowered:
        key = _normal(constants)
        form = form_of((value, self._sum(name)) for name, value in key)
        return Lowered(key, form, Fraction(1), Fraction(0))

    def _along_axes(self, linear: Linear) -> Lowered:
        """The form of an expression whose coefficients depend on axes, without their denominators."""
        factors = {name: self.states(axial) for name, axial in linear.items}
        shared = lcm(*(Fraction(value).denominator for array in factors.values() for value in array.flat))
        whole = {name: _whole(array, shared) for name, array in factors.items()}
        parts = [(factor, 1 if name == CONSTANT else self._sum(name)) for name, factor in whole.items()]
        return Lowered(linear, form_of(parts), Fraction(1, shared), Fraction(0))


def lowering_of(
    variant: Variant,
    axes: tuple[Axis, ...],
    progress: Callable[[str, float], None],
    running: Mapping[str, Any] | None = None,
) -> Lowering:
    """What a variant along axes costs, held against counts of some members.

    ``running`` are the options of `costlab.memory` with which the peaks of memory are worked out.

    Raises:
        DefinitionError: no member fits.
        CostlabError: as `derive`, and `hold_against_counts`.
    """
    try:
        derived = derive(variant, axes, progress)
    except ShapeError as error:
        raise DefinitionError(f"no member fits: {_first_misfit(variant, axes) or error}") from error
    hold_against_counts(derived, variant, axes, progress)
    return Lowering(axes, derived, Peaks(derived, variant, axes, running or {}, progress).terms)


def hold_somewhere(axes: tuple[Axis, ...], atoms: Iterable[Atom]) -> bool:
    """Whether statements about axes hold together for some values of theirs."""
    lowering = Lowering(axes, Derived({}, ()))
    plan = lowering.plan([atom for atom in atoms if isinstance(atom, Holds)]).plan
    return any(counts(plan, plan.slice(number)).any() for number in range(plan.slices))


def _first_misfit(variant: Variant, axes: tuple[Axis, ...]) -> str:
    """What is said of the first member when it is counted by itself."""
    first = variant_of(variant, axes, (0,) * len(axes))
    try:
        first.resolve().walk()
    except CostlabError as error:
        return f"{first.label}: {error}"
    return ""


class Asked(NamedTuple):
    """A plan, with the places among its forms of what is asked, and how values follow from those."""

    plan: Plan
    places: tuple[int, ...]
    wanted: tuple[Lowered, ...]


def _normal(constants: Mapping[str, Fraction]) -> tuple[tuple[str, int], ...]:
    """The coefficients of quantities as whole numbers without a common divisor, the first above 0."""
    fractions = {name: value for name, value in sorted(constants.items()) if name != CONSTANT and value}
    if not fractions:
        return ()
    shared = lcm(*(value.denominator for value in fractions.values()))
    whole = {name: int(value * shared) for name, value in fractions.items()}
    divisor = gcd(*whole.values()) * (1 if next(iter(whole.values())) > 0 else -1)
    return tuple((name, value // divisor) for name, value in whole.items())


def _whole(array: Any, shared: int) -> Any:
    """Fractions times a shared denominator; in 64 bits where they fit."""
    values = [int(Fraction(value) * shared) for value in array.flat]
    fits = all(abs(value) < 2**62 for value in values)
    whole = np.array(values, dtype=np.int64 if fits else object).reshape(array.shape)
    return int(whole.flat[0]) if whole.size == 1 else whole

"""Budgets: what a network may cost, what it costs, and which modules are responsible where that is more."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from costlab.algebra.dim import Dim, is_number
from costlab.counting.count import Count
from costlab.counting.count import count as count_target
from costlab.counting.overview import Overview
from costlab.counting.row import DEFAULT
from costlab.errors import DefinitionError
from costlab.explore.budgets.limits import as_increase, as_limit, refuse_useless
from costlab.explore.budgets.reference import Reference, ReferenceLike, reference_of
from costlab.explore.budgets.responsible import Part, largest
from costlab.explore.quantities import PEAK_MEMORY
from costlab.explore.running import changed_of
from costlab.hardware.memory import Memory, memory
from costlab.targets.like import TargetLike

NOT_COUNTED = "not_counted"
"""What is held where a budget is strict: how many operations there are of which nobody knows the cost."""


class Check(NamedTuple):
    """A quantity held against its limit, the largest size that is within the budget.

    ``increase`` is the share by which it may be more than ``before``, its size in the reference; both are
    None of a maximum. ``modules`` are those that are responsible where it is over, the first the most; None
    where the reference does not say.
    """

    quantity: str
    limit: int
    size: int
    increase: Fraction | None = None
    before: int | None = None
    modules: tuple[Part, ...] | None = ()

    @property
    def over(self) -> bool:
        """Whether it is more than its limit."""
        return self.size > self.limit

    @property
    def headroom(self) -> int:
        """How much more it could be; below 0 where it is over."""
        return self.limit - self.size

    @property
    def change(self) -> Fraction | None:
        """How much more it is than in the reference, as a share of that; None if that had nothing of it."""
        return Fraction(self.size - self.before, self.before) if self.before else None


@dataclass(frozen=True, repr=False)
class Budget(Overview):
    """A network held against its budget: ``checks`` has each quantity with its limit.

    ``memory`` is what it holds in memory, where that has a limit.
    """

    count: Count
    checks: tuple[Check, ...]
    reference: Reference | None = None
    memory: Memory | None = None

    @property
    def over(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.over)

    @property
    def within(self) -> bool:
        """Whether the network is within its budget."""
        return not self.over

    def _lines(self) -> Sequence[str]:
        verdict = "within budget" if self.within else "over budget"
        lines = (
            f"{row['quantity']} {row['used']} of {row['limit']}: {row['verdict']}" for row in self._records()
        )
        return [f"{self.count.title}: {verdict}", *lines]

    def _records(self) -> Sequence[Mapping[str, str]]:
        return [
            {
                "quantity": check.quantity.replace("_", "-"),
                "limit": f"{check.limit:,}",
                "used": f"{check.size:,}",
                "headroom": f"{check.headroom:,}",
                "verdict": "over" if check.over else "within",
            }
            for check in self.checks
        ]


class Outcome(NamedTuple):
    """What became of a budget, by the name that it has: ``failure`` says why it could not be held."""

    name: str
    target: str
    budget: Budget | None
    failure: str = ""


def budget(
    target: TargetLike,
    input: object = None,
    *,
    batch: Dim = 1,
    inference: bool = False,
    convention: str = DEFAULT,
    max_multiply_adds: float | str | None = None,
    max_parameters: float | str | None = None,
    max_activations: float | str | None = None,
    max_bias_adds: float | str | None = None,
    max_weights: float | str | None = None,
    max_inputs: float | str | None = None,
    max_outputs: float | str | None = None,
    max_scalings: float | str | None = None,
    max_cost: float | str | None = None,
    max_peak_memory: float | str | None = None,
    train: bool = False,
    optimizer: str = "sgd",
    momentum: bool = False,
    average: bool = False,
    dtype: str | None = None,
    against: ReferenceLike | None = None,
    max_increase: str | Fraction | None = None,
    strict: bool = False,
    **settings: Any,
) -> Budget:
    """Hold a target against a budget: the largest size of each quantity, ``6_000_000_000`` or ``"6e9"``.

    The target, ``input``, ``batch`` and ``settings`` are those of `costlab.count`. ``inference`` leaves
    auxiliary heads out, ``max_cost`` limits what it costs under a ``convention``, and ``max_peak_memory``,
    ``"16GiB"``, the bytes that are held at once where it runs as the options of `costlab.memory` say.
    ``against`` is a reference: a target, a `Count`, or the path of what ``costlab count -f json`` wrote
    before; its multiply-adds (or cost), parameters and activations may grow by ``max_increase``, ``"1%"`` or
    ``Fraction(1, 100)``. With ``strict`` no operation may be without a rule, as then its cost is in no total.

    Raises:
        DefinitionError: a limit is malformed, there is none, or they do not go together.
        TargetError, ShapeError: as `costlab.count`; also for a reference that was not counted alike, or is
            no count.
        OutputError: a reference cannot be read.
    """
    limits = {
        "multiply_adds": max_multiply_adds,
        "parameters": max_parameters,
        "activations": max_activations,
        "bias_adds": max_bias_adds,
        "weights": max_weights,
        "inputs": max_inputs,
        "outputs": max_outputs,
        "scalings": max_scalings,
        "cost": max_cost,
        PEAK_MEMORY: max_peak_memory,
    }
    most = {name: as_limit(f"max_{name}", value, name) for name, value in limits.items() if value is not None}
    increase = None if max_increase is None else as_increase("max_increase", max_increase)
    running = changed_of(train=train, optimizer=optimizer, momentum=momentum, average=average, dtype=dtype)
    refuse_useless(most, against, increase, convention, str, running, inference=inference)
    return hold(
        target,
        input,
        most,
        batch=batch,
        inference=inference,
        convention=convention,
        against=against,
        increase=increase,
        strict=strict,
        settings=settings,
        running=running,
    )


def hold(
    target: TargetLike,
    input: object,
    most: Mapping[str, int],
    *,
    batch: Dim,
    inference: bool,
    convention: str,
    against: ReferenceLike | None,
    increase: Fraction | None,
    strict: bool,
    settings: Mapping[str, Any],
    running: Mapping[str, Any],
) -> Budget:
    """The same with limits that are read already, and go together. Raises what `budget` does."""
    counted = count_target(target, input, batch=batch, **settings)
    counted = (counted.inference if inference else counted).under(convention)
    reference = None
    if against is not None:
        reference = reference_of(against, input, batch=batch, inference=inference, convention=convention)
    used = memory(target, input, batch=batch, **running, **settings) if PEAK_MEMORY in most else None
    return held(counted, most, reference, increase, strict=strict, used=used)


def held(
    count: Count,
    most: Mapping[str, int],
    reference: Reference | None = None,
    increase: Fraction | None = None,
    *,
    strict: bool = False,
    used: Memory | None = None,
) -> Budget:
    """A count held against the largest size of some quantities, and its measures against a reference.

    Raises:
        DefinitionError: the count is for symbols or arrays.
        TargetError: the reference was not counted alike.
    """
    if not is_number(count.batch, *count.total.sizes):
        raise DefinitionError(f"{count.label}: a budget is for numbers, and not for symbols or arrays")
    checks = [_maximum(count, quantity, limit) for quantity, limit in most.items() if quantity != PEAK_MEMORY]
    if used is not None:
        checks.append(_peak(used, most[PEAK_MEMORY]))
    if reference is not None and increase is not None:
        reference.refuse_unlike(count)
        checks += [_growth(count, quantity, reference, increase) for quantity in reference.sizes]
    if strict:
        paths = Counter(path for paths in count.unsupported.values() for path in paths)
        parts = tuple(Part(path, times) for path, times in paths.most_common())
        checks.append(Check(NOT_COUNTED, 0, paths.total(), modules=parts))
    return Budget(count, tuple(checks), reference, used)


def _maximum(count: Count, quantity: str, limit: int) -> Check:
    size = int(count.size(quantity))
    return Check(quantity, limit, size, modules=largest(count, quantity) if size > limit else ())


def _peak(used: Memory, limit: int) -> Check:
    size = int(used.total)
    return Check(PEAK_MEMORY, limit, size, modules=_at_the_peak(used) if size > limit else ())


def _at_the_peak(used: Memory) -> tuple[Part, ...]:
    """What stays, which is the whole network's, and what is allocated at the module where the peak is."""
    parts = Counter({"": int(used.resident)}) + Counter({used.peak.path: int(used.peak.live)})
    return tuple(Part(path, size) for path, size in parts.most_common())


def _growth(count: Count, quantity: str, reference: Reference, increase: Fraction) -> Check:
    before, size = reference.sizes[quantity], int(count.size(quantity))
    limit = before * (1 + increase) // 1  # sizes are whole, so that rounding down refuses no more
    modules = reference.grown(count, quantity) if size > limit else ()
    return Check(quantity, limit, size, increase, before, modules)

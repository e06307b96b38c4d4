"""Recomputing: counts that are taken, and each step with the numbers put in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, NamedTuple

from costlab.algebra.parameter import closest
from costlab.counting.count import Count, count
from costlab.errors import DefinitionError
from costlab.paper.stated import Value
from costlab.symbolic.closed_form import ClosedForm
from costlab.symbolic.derive import closed_form
from costlab.targets.resolve import find, find_ablation
from costlab.targets.target import Variant


class Step(NamedTuple):
    """One line of a derivation: what it is of, the formula with the numbers put in, and what it comes to.

    ``reported`` says that it follows from figures that the paper reports, and nothing is counted;
    ``unverified`` that a definition is counted in it that was not held against its source.
    """

    name: str
    formula: str
    value: Value
    reported: bool = False
    unverified: bool = False


@dataclass
class Working:
    """What a claim is recomputed with. Every number that is counted becomes a step, and what is made of it.

    ``unverified`` says that a definition is counted that was not held against its source. Whatever is
    counted raises as `costlab.count` does; a name that a set does not have is a `DefinitionError`.
    """

    steps: list[Step] = field(default_factory=list)
    unverified: bool = False

    def step(self, name: str, formula: str, value: Value, *, reported: bool = False) -> Any:
        """Write a step down; gives its value."""
        self.steps.append(Step(name, formula, value, reported, self.unverified and not reported))
        return value

    def size(self, target: str, quantity: str = "multiply_adds", input: object = None) -> int:
        """A quantity of a target."""
        counted = self.count(target, input)
        return self._taken(f"{counted.shown}, {counted.input}", counted, quantity)

    def variant(self, ablation: str, label: str, quantity: str = "multiply_adds") -> int:
        """A quantity of a variant of a named set."""
        made = self._variants(ablation, label)[label]
        counted = replace(self._counted(made), label=label)
        return self._taken(f"{ablation}: {counted.shown}", counted, quantity)

    def forms(self, ablation: str, *labels: str, symbols: str = "") -> tuple[ClosedForm, ...]:
        """The closed forms of variants of a named set, in its own symbols where none are given."""
        variants = self._variants(ablation, *labels)
        names = (symbols,) if symbols else find_ablation(ablation).symbols
        found = tuple(closed_form(variants[label], *names) for label in labels)
        self.unverified = self.unverified or any(form.unverified for form in found)
        return found

    def count(self, target: str, input: object = None) -> Count:
        """The count of a target, of which the claim takes what it needs."""
        return self._counted(find(target), input)

    def ratio(
        self, name: str, size: int | Fraction, whole: int | Fraction, *, reported: bool = False
    ) -> Fraction:
        """``size / whole``. Raises `DefinitionError` if the whole is 0."""
        formula = f"{shown(size)} / {shown(whole)}"
        return Fraction(self.step(name, formula, _by(name, size, whole), reported=reported))

    def saving(
        self, name: str, size: int | Fraction, whole: int | Fraction, *, reported: bool = False
    ) -> Fraction:
        """``1 - size / whole``. Raises `DefinitionError` if the whole is 0."""
        formula = f"1 - {shown(size)} / {shown(whole)}"
        return Fraction(self.step(name, formula, 1 - _by(name, size, whole), reported=reported))

    def _variants(self, ablation: str, *labels: str) -> Mapping[str, Variant]:
        variants = find_ablation(ablation).variants
        for label in labels:
            if label not in variants:
                raise DefinitionError(f"{ablation}: there is no {label!r}{closest(label, variants)}")
        return variants

    def _counted(self, made: Variant, input: object = None) -> Count:
        self.unverified = self.unverified or made.unverified  # known even where counting fails
        counted = count(made, input)
        self.unverified = self.unverified or counted.unverified
        return counted

    def _taken(self, name: str, counted: Count, quantity: str) -> int:
        size = int(getattr(counted.total, quantity))
        self.steps.append(Step(name, quantity.replace("_", "-"), size, False, counted.unverified))
        return size


Recompute = Callable[[Working], "list[Value]"]


def _by(name: str, size: int | Fraction, whole: int | Fraction) -> Fraction:
    if not whole:
        raise DefinitionError(f"{name}: {shown(size)} / 0")
    return Fraction(size) / Fraction(whole)


def shown(number: int | Fraction) -> str:
    """A number as it stands in a formula."""
    number = Fraction(number)
    if number.denominator == 1:
        return f"{number.numerator:,}"
    decimal = f"{float(number):.10g}"
    return decimal if Fraction(decimal) == number else f"({number})"

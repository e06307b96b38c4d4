"""The derivation of a claim: the counts that it takes, and the steps from them to its figures."""

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
from costlab.targets.find_ablation import find_ablation
from costlab.targets.resolve import find
from costlab.targets.target import Variant


class Step(NamedTuple):
    """One line of a derivation: its name, the formula with numbers inserted, and its value.

    ``reported`` says that it follows from figures that the paper reports, not from counts; ``unverified``
    that a definition is counted that was not compared with its source.
    """

    name: str
    formula: str
    value: Value
    reported: bool = False
    unverified: bool = False


@dataclass
class Derivation:
    """Recomputes a claim and records how: every count and every result computed from counts is a step.

    ``unverified`` says that a definition was counted that was not compared with its source. Counting raises
    as `costlab.count` does; a label that an ablation does not have is a `DefinitionError`.
    """

    steps: list[Step] = field(default_factory=list)
    unverified: bool = False

    def step(self, name: str, formula: str, value: Value, *, reported: bool = False) -> Any:
        """Record a step; returns its value."""
        self.steps.append(Step(name, formula, value, reported, self.unverified and not reported))
        return value

    def size(self, target: str, quantity: str = "multiply_adds", input: object = None) -> int:
        """A quantity of a target, recorded as a step."""
        counted = self.count(target, input)
        return self._add_count(f"{counted.shown}, {counted.input}", counted, quantity)

    def variant(self, ablation: str, label: str, quantity: str = "multiply_adds") -> int:
        """A quantity of a variant of an ablation, recorded as a step."""
        variant = self._variants(ablation, label)[label]
        counted = replace(self._counted(variant), label=label)
        return self._add_count(f"{ablation}: {counted.shown}", counted, quantity)

    def forms(self, ablation: str, *labels: str, symbols: str = "") -> tuple[ClosedForm, ...]:
        """The closed forms of variants of an ablation; in its own symbols if none are given."""
        variants = self._variants(ablation, *labels)
        names = (symbols,) if symbols else find_ablation(ablation).symbols
        forms = tuple(closed_form(variants[label], *names) for label in labels)
        self.unverified = self.unverified or any(form.unverified for form in forms)
        return forms

    def count(self, target: str, input: object = None) -> Count:
        """The count of a target; it is not recorded as a step."""
        return self._counted(find(target), input)

    def ratio(
        self, name: str, size: int | Fraction, whole: int | Fraction, *, reported: bool = False
    ) -> Fraction:
        """``size / whole``. Raises `DefinitionError` if the whole is 0."""
        formula = f"{format_number(size)} / {format_number(whole)}"
        return Fraction(self.step(name, formula, _quotient(name, size, whole), reported=reported))

    def saving(
        self, name: str, size: int | Fraction, whole: int | Fraction, *, reported: bool = False
    ) -> Fraction:
        """``1 - size / whole``. Raises `DefinitionError` if the whole is 0."""
        formula = f"1 - {format_number(size)} / {format_number(whole)}"
        return Fraction(self.step(name, formula, 1 - _quotient(name, size, whole), reported=reported))

    def _variants(self, ablation: str, *labels: str) -> Mapping[str, Variant]:
        variants = find_ablation(ablation).variants
        for label in labels:
            if label not in variants:
                raise DefinitionError(f"{ablation}: there is no {label!r}{closest(label, variants)}")
        return variants

    def _counted(self, variant: Variant, input: object = None) -> Count:
        self.unverified = self.unverified or variant.unverified  # known even if counting fails
        counted = count(variant, input)
        self.unverified = self.unverified or counted.unverified
        return counted

    def _add_count(self, name: str, counted: Count, quantity: str) -> int:
        size = int(getattr(counted.total, quantity))
        self.steps.append(Step(name, quantity.replace("_", "-"), size, False, counted.unverified))
        return size


Recompute = Callable[[Derivation], "list[Value]"]


def _quotient(name: str, size: int | Fraction, whole: int | Fraction) -> Fraction:
    if not whole:
        raise DefinitionError(f"{name}: {format_number(size)} / 0")
    return Fraction(size) / Fraction(whole)


def format_number(number: int | Fraction) -> str:
    """A number as it is written in a formula."""
    number = Fraction(number)
    if number.denominator == 1:
        return f"{number.numerator:,}"
    decimal = f"{float(number):.10g}"
    return decimal if Fraction(decimal) == number else f"({number})"

"""Recomputing: counts that are taken, and each step with the numbers put in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from costlab.algebra.find import find_ablation
from costlab.algebra.parameter import closest
from costlab.counting.closed_form import ClosedForm
from costlab.counting.compare import Comparison, compare
from costlab.counting.count import Count, count
from costlab.counting.symbolic import closed_form
from costlab.errors import DefinitionError
from costlab.paper.stated import Value


class Step(NamedTuple):
    """One line of a derivation: what it is of, the formula with the numbers put in, and what it comes to."""

    name: str
    formula: str
    value: Value


@dataclass
class Working:
    """What a claim is recomputed with. Every number that is taken or made becomes a step.

    ``unverified`` says that a definition was counted that was not held against its source; ``comparisons``
    are the named sets that are counted already. Whatever is counted raises as `costlab.count` does; a name
    that a set does not have is a `DefinitionError`.
    """

    steps: list[Step] = field(default_factory=list)
    unverified: bool = False
    comparisons: dict[str, Comparison] = field(default_factory=dict)

    def step(self, name: str, formula: str, value: Value) -> Any:
        """Write a step down; gives its value."""
        self.steps.append(Step(name, formula, value))
        return value

    def size(self, target: str, quantity: str = "multiply_adds", input: object = None) -> int:
        """A quantity of a target."""
        counted = self.count(target, input)
        return self._taken(f"{counted.shown}, {counted.input}", counted, quantity)

    def labels(self, ablation: str) -> tuple[str, ...]:
        """The variants of a named set."""
        return tuple(count.label for count in self._comparison(ablation).counts)

    def variant(self, ablation: str, label: str, quantity: str = "multiply_adds") -> int:
        """A quantity of a variant of a named set."""
        counted = self._seen(self._comparison(ablation)[label])
        return self._taken(f"{ablation}: {counted.shown}", counted, quantity)

    def forms(self, ablation: str, *labels: str, symbols: str = "") -> tuple[ClosedForm, ...]:
        """The closed forms of variants of a named set, in its own symbols where none are given."""
        chosen = find_ablation(ablation)
        for label in labels:
            if label not in chosen.variants:
                raise DefinitionError(f"{ablation}: there is no {label!r}{closest(label, chosen.variants)}")
        names = (symbols,) if symbols else chosen.symbols
        found = tuple(closed_form(chosen.variants[label], *names) for label in labels)
        self.unverified = self.unverified or any(form.unverified for form in found)
        return found

    def count(self, target: str, input: object = None) -> Count:
        """The count of a target, of which the claim takes what it needs."""
        return self._seen(count(target, input))

    def ratio(self, name: str, size: int | Fraction, whole: int | Fraction) -> Fraction:
        """``size / whole``."""
        return Fraction(self.step(name, f"{shown(size)} / {shown(whole)}", Fraction(size) / Fraction(whole)))

    def saving(self, name: str, size: int | Fraction, whole: int | Fraction) -> Fraction:
        """``1 - size / whole``."""
        value = 1 - Fraction(size) / Fraction(whole)
        return Fraction(self.step(name, f"1 - {shown(size)} / {shown(whole)}", value))

    def _comparison(self, ablation: str) -> Comparison:
        if ablation not in self.comparisons:
            self.comparisons[ablation] = compare(ablation=ablation)
        return self.comparisons[ablation]

    def _seen(self, counted: Count) -> Count:
        self.unverified = self.unverified or counted.unverified
        return counted

    def _taken(self, name: str, counted: Count, quantity: str) -> int:
        return int(self.step(name, quantity.replace("_", "-"), int(getattr(counted.total, quantity))))


Recompute = Callable[[Working], "list[Value]"]


def shown(number: int | Fraction) -> str:
    """A number as it stands in a formula."""
    number = Fraction(number)
    if number.denominator == 1:
        return f"{number.numerator:,}"
    decimal = f"{float(number):.10g}"
    return decimal if Fraction(decimal) == number else f"({number})"

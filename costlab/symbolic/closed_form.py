"""Closed forms: counts whose sizes are symbols."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from costlab.algebra.combine import marked
from costlab.algebra.dim import as_dim, is_array, is_symbolic, text
from costlab.algebra.inputs import shape_of
from costlab.algebra.parameter import closest
from costlab.algebra.ratio import as_ratio
from costlab.algebra.work import QUANTITIES
from costlab.counting.count import Count
from costlab.counting.overview import Overview
from costlab.errors import DefinitionError
from costlab.symbolic.conditions import Domain, conditions_of, where
from costlab.symbolic.expressions import tidy

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, repr=False)
class ClosedForm(Overview):
    """A count in symbols.

    Args:
        count: the count, whose sizes are expressions.
        symbols: SymPy's symbols by name.
        numbers: the values of the symbols in the target, where it has them.
        steps: sizes as ``remainder + period * step``. Strides floor a size; the form without floors holds
            for sizes with the same remainder as the number of the target.
        for_any_size: whether the count, with its floors, holds for all sizes. If not, as branches can only be
            joined for some sizes, the count is in the steps.
        whole: expressions that must be whole numbers, as products with a multiplier are not rounded.
        sizes: expressions that must be at least 1.
        nonzero: expressions that must not be 0, as comparisons in the definition assumed.
        ranges: parameters that were interpolated, through the counts at every number of the range. The count
            has no modules then.
        cases: the forms at each number of the range.
        without_heads: the form without auxiliary heads, of an interpolated one.
        confirmed: numbers at which the form was compared with a count.
        left_out: names that would be symbols by default but cannot be.
    """

    count: Count
    symbols: Mapping[str, Any] = field(hash=False)
    numbers: Mapping[str, Any] = field(hash=False)
    steps: Mapping[Any, Any] = field(hash=False)
    for_any_size: bool
    whole: tuple[Any, ...] = ()
    sizes: tuple[Any, ...] = ()
    nonzero: tuple[Any, ...] = ()
    ranges: Mapping[str, range] = field(default_factory=dict, hash=False)
    cases: Mapping[int, "ClosedForm"] = field(default_factory=dict, hash=False)
    without_heads: "ClosedForm | None" = None
    confirmed: Mapping[str, Any] | None = field(default=None, hash=False)
    left_out: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The label of the target."""
        return self.count.label

    @property
    def unverified(self) -> bool:
        """Whether the definition, or that of a part, was not compared with its source."""
        return self.count.unverified or any(case.unverified for case in self.cases.values())

    @property
    def shown(self) -> str:
        """The label, with a mark if it is unverified."""
        return marked(self.label, self.unverified)

    @property
    def multiply_adds(self) -> Any:
        """Multiply-adds of convolutions and linear layers."""
        return self.read(self.count.multiply_adds)

    @property
    def parameters(self) -> Any:
        """Learned elements."""
        return self.read(self.count.parameters)

    @property
    def activations(self) -> Any:
        """Elements in the outputs of convolutions and linear layers."""
        return self.read(self.count.activations)

    @property
    def inference(self) -> "ClosedForm":
        """The form without auxiliary heads, which are used in training only."""
        if self.ranges:
            return self.without_heads or self
        return replace(self, count=self.count.inference)

    @property
    def headline(self) -> str:
        """What the form is of, its symbols, and the input and the batch."""
        back = {spread: size for size, spread in self.steps.items()}
        shape = [back.get(size, size) for size in shape_of(self.count.input, self.label, "a closed form")]
        at = f"input ({', '.join(map(str, shape))}), batch {self.count.batch}"
        return f"{self.shown} in {', '.join(self.symbols)}, {at}"

    def to_frame(self) -> "DataFrame":
        """A row for each operation as a pandas frame, of expressions; only the total if interpolated."""
        from costlab.symbolic.frame import frame_of_form

        return frame_of_form(self)

    def _lines(self) -> Sequence[str]:
        from costlab.symbolic.frame import lines_of_form

        return lines_of_form(self)

    def _notes(self) -> Sequence[str]:
        return [f"holds {text}" for text in self.holds]

    def _records(self) -> Sequence[Mapping[str, str]]:
        from costlab.symbolic.frame import records_of_form

        return records_of_form(self)

    def read(self, quantity: Any) -> Any:
        """A quantity of ``count`` as an expression in the symbols, without floors."""
        import sympy

        return tidy(sympy.sympify(quantity).subs(self.steps).subs(self.back))

    def at(self, **numbers: Any) -> dict[str, int]:
        """The quantities with numbers for the symbols; by default those of the target.

        Raises:
            DefinitionError: a number is missing or of no symbol, or the form does not hold for it, as it
                makes a channel count a fraction or the input too small.
        """
        values = self._values(numbers)
        case = self
        for name in self.ranges:
            case = self.cases[int(values[self.symbols[name]])]
        case.require(values)
        total = self.count.total._asdict()
        quantities = {name: self._number(total[name], values) for name in QUANTITIES}
        for name, size in quantities.items():
            if not size.is_Integer:
                raise DefinitionError(f"{self.label}: {name} comes to {size} there, which cannot be")
        return {name: int(size) for name, size in quantities.items()}

    def require(self, values: Mapping[Any, Any]) -> None:
        """Raise `DefinitionError` for numbers, by symbol, for which the form does not hold."""
        for size in self.whole:
            if not self._number(size, values).is_integer:
                raise DefinitionError(f"{self.label}: {size} is not whole there, and counting would round")
        for size in self.sizes:
            if (number := self._number(size, values)) < 1:
                expression = size.subs(self.back)
                raise DefinitionError(f"{self.label}: {expression} is {number} there, and must be at least 1")
        for size in self.nonzero:
            if self._number(size, values) == 0:
                raise DefinitionError(f"{self.label}: the form is another where {size} is 0")

    def confirm(self, counted: Count, **numbers: Any) -> None:
        """Compare the form, as displayed and as evaluated, with a count at these numbers.

        Raises:
            DefinitionError: they differ, or the form does not hold for the numbers.
        """
        evaluated, values = self.at(**numbers), self._values(numbers)
        for name in QUANTITIES:
            expected = getattr(counted.total, name)
            displayed = self._displayed[name].xreplace(values) if self._shows(values) else expected
            for size in (evaluated[name], displayed):
                if size != expected:
                    at = ", ".join(f"{symbol}={number}" for symbol, number in values.items())
                    raise DefinitionError(
                        f"{self.label}: at {at} the closed form gives {name}={size}, the count {expected}: "
                        "the definition decides by a number that is a symbol here"
                    )

    @cached_property
    def _displayed(self) -> Mapping[str, Any]:
        """Each quantity as it is displayed, read once: a form is confirmed at many numbers."""
        return {name: self.read(getattr(self.count.total, name)) for name in QUANTITIES}

    @property
    def classes(self) -> Mapping[str, tuple[int, int]]:
        """The sizes for which the form holds, by name: the period and the remainder."""
        classes = {}
        for size, spread in self.steps.items():
            (step,) = spread.free_symbols
            classes[str(size)] = (int(spread.coeff(step)), int(spread.subs(step, 0)))
        return classes

    @property
    def lowest(self) -> Mapping[str, int]:
        """The smallest sizes of the input for which the form holds, each with the numbers of the others."""
        lowest: dict[str, int] = {}
        for name, symbol in self.symbols.items():
            sizes = [size for size in self.sizes if self._of_extent(size) == symbol]
            if not sizes or name not in self.numbers:
                continue
            period, number = self.classes.get(name, (1, 0))[0], int(self.numbers[name])
            lower = range(number, 0, -period)
            fits = partial(self._fits, symbol, sizes)
            smallest = lower[bisect_left(lower, True, key=lambda n: not fits(n)) - 1]
            if smallest > lower[-1]:
                lowest[name] = smallest
        return lowest

    def _fits(self, symbol: Any, sizes: list[Any], number: int) -> bool:
        return all(self._number(size, {symbol: number}) >= 1 for size in sizes)

    def _of_extent(self, size: Any) -> Any:
        """The height or width of the input if it is the only symbol in the expression."""
        extent = [
            s
            for e in shape_of(self.count.input, self.label, "a closed form")[1:]
            if is_symbolic(e)
            for s in e.subs(self.back).free_symbols
        ]
        symbols = size.subs(self.back).free_symbols
        return next(iter(symbols)) if len(symbols) == 1 and symbols <= set(extent) else None

    @property
    def undecided(self) -> tuple[Any, ...]:
        """Expressions that are at least 1 for some numbers only, and depend on more than height or width."""
        sizes = (size.subs(self.back) for size in self.sizes if self._of_extent(size) is None)
        return tuple(size for size in sizes if not size.is_positive)

    @property
    def holds(self) -> tuple[str, ...]:
        """The conditions under which the form holds, in words; none if it always does."""
        return conditions_of([self.domain])

    @property
    def domain(self) -> Domain:
        """The conditions under which the form holds."""
        return Domain(
            self.numbers, self.classes, self.ranges, self.lowest, self.undecided, self.nonzero, self.whole
        )

    @cached_property
    def back(self) -> dict[Any, Any]:
        """The steps as expressions in the sizes."""
        return {
            step: (size - spread.subs(step, 0)) / spread.coeff(step)
            for size, spread in self.steps.items()
            for step in spread.free_symbols
        }

    def _number(self, size: Any, values: Mapping[Any, Any]) -> Any:
        import sympy

        numbers = {symbol: sympy.sympify(number) for symbol, number in values.items()}
        if not self.for_any_size:
            numbers |= {step: spread.xreplace(numbers) for step, spread in self.back.items()}
        return sympy.sympify(size).xreplace(numbers)

    def _shows(self, values: Mapping[Any, Any]) -> bool:
        """Whether the displayed form, without floors, holds for these numbers."""
        classes = self.classes.items()
        return all(values[self.symbols[name]] % period == rest for name, (period, rest) in classes)

    def _values(self, numbers: Mapping[str, Any]) -> dict[Any, Any]:
        """The numbers by symbol, after they were checked."""
        for name in numbers:
            if name not in self.symbols:
                raise DefinitionError(f"{self.label}: no symbol {name!r}{closest(name, self.symbols)}")
        values = {}
        for name, symbol in self.symbols.items():
            number = numbers.get(name, self.numbers.get(name))
            if number is None:
                raise DefinitionError(f"{self.label}: give a number for {name}")
            values[symbol] = _exact(
                name, number, bool(symbol.is_integer), least=0 if name in self.ranges else 1
            )
            if name in self.ranges and number not in self.ranges[name]:
                domain = where({}, {name: self.ranges[name]})
                raise DefinitionError(f"{self.label}: {name}={number} is none {domain}")
            if name in self.classes and not self.for_any_size:
                period, remainder = self.classes[name]
                if number % period != remainder:
                    domain = where({name: self.classes[name]}, {})
                    raise DefinitionError(f"{self.label}: {name}={number} is none {domain}")
        return values


def _exact(name: str, number: Any, whole: bool, least: int) -> Any:
    """A number in SymPy, exact: a float stands for the decimal that Python prints."""
    import sympy

    if isinstance(number, Fraction):
        number = sympy.Rational(number.numerator, number.denominator)
    checked = as_dim(name, number, least) if whole else as_ratio(name, number)
    if is_array(checked) or is_symbolic(checked):
        raise DefinitionError(f"{name}={text(number)} must be one number")
    return number if isinstance(number, sympy.Rational) else sympy.Rational(str(number))

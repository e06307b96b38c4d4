"""Closed forms: a count whose sizes are symbols."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import gcd
from typing import Any

from costlab.algebra.dim import is_symbolic
from costlab.algebra.parameter import closest
from costlab.algebra.work import QUANTITIES
from costlab.counting.count import Count
from costlab.errors import DefinitionError

FAR_SHORTER = 0.75


@dataclass(frozen=True)
class ClosedForm:
    """A count in symbols.

    ``symbols`` are SymPy's by name, ``numbers`` what they are where the definition decides. A stride
    floors a size; without floors the form holds for the sizes that leave the same remainder as the number
    does, and ``steps`` says which: each size as ``remainder + period * step``. If branches do not join for
    other sizes, ``anywhere`` is False, and the count is in the steps. Products with a multiplier are not
    rounded: the form holds where every channel count in ``whole`` is a whole number. A parameter in
    ``ranges`` was interpolated: the form goes through the counts at every number of the range, and the
    count has no modules. As for any count, the input must be large enough for the kernels. ``headless`` is
    the form without auxiliary heads, where `inference` cannot derive it.
    """

    count: Count
    symbols: Mapping[str, Any]
    numbers: Mapping[str, Any]
    steps: Mapping[Any, Any]
    anywhere: bool = True
    ranges: Mapping[str, range] = field(default_factory=dict)
    headless: "ClosedForm | None" = None

    @property
    def label(self) -> str:
        """What was counted."""
        return self.count.label

    @property
    def multiply_adds(self) -> Any:
        """Multiply-adds of convolution and linear weights."""
        return self.read(self.count.multiply_adds)

    @property
    def parameters(self) -> Any:
        """Every learned element."""
        return self.read(self.count.parameters)

    @property
    def activations(self) -> Any:
        """Elements put out by convolution and linear layers."""
        return self.read(self.count.activations)

    def read(self, quantity: Any) -> Any:
        """A quantity of ``count`` as an expression in the symbols, without floors where it holds."""
        import sympy

        back = {
            step: (size - spread.subs(step, 0)) / spread.coeff(step)
            for size, spread in self.steps.items()
            for step in spread.free_symbols
        }
        return tidy(sympy.sympify(quantity).subs(self.steps).subs(back))

    @property
    def classes(self) -> Mapping[str, tuple[int, int]]:
        """For which sizes the form holds: by name, the period and the remainder."""
        found = {}
        for size, spread in self.steps.items():
            (step,) = spread.free_symbols
            found[str(size)] = (int(spread.coeff(step)), int(spread.subs(step, 0)))
        return found

    @cached_property
    def whole(self) -> tuple[Any, ...]:
        """The sizes of the block that are whole only for some values of the symbols."""
        sizes = [value for _, value in self.count.root.block.settings() if is_symbolic(value)]
        return tuple(dict.fromkeys(size for size in sizes if not size.is_integer))

    def at(self, **numbers: Any) -> dict[str, int]:
        """The quantities where the symbols are these numbers; those not given are what they are.

        Raises:
            DefinitionError: a number is missing, is of no symbol, makes a channel count a fraction, or
                is a size for which the form does not hold.
        """
        import sympy

        for name in numbers:
            if name not in self.symbols:
                raise DefinitionError(f"{self.label}: no symbol {name!r}{closest(name, self.symbols)}")
        values = {}
        for name, symbol in self.symbols.items():
            number = numbers.get(name, self.numbers.get(name))
            if number is None:
                raise DefinitionError(f"{self.label}: give a number for {name}")
            values[symbol] = sympy.Rational(str(number))
            period, remainder = self.classes.get(name, (1, 0))
            outside = name in self.ranges and number not in self.ranges[name]
            if outside or (not self.anywhere and number % period != remainder):
                raise DefinitionError(f"{self.label}: {name}={number} is none {self.condition}")
        for size in self.whole:
            if not size.subs(values).is_integer:
                raise DefinitionError(f"{self.label}: {size} is not whole there, and counting would round")
        total = self.count.total._asdict()
        sizes = {
            name: sympy.sympify(total[name]) if self.anywhere else self.read(total[name])
            for name in QUANTITIES
        }
        return {name: int(size.subs(values)) for name, size in sizes.items()}

    def confirm(self, counted: Count) -> None:
        """Hold the form against a count with the numbers, where none of these is rounded.

        Raises:
            AssertionError: they are not the same.
        """
        try:
            found = self.at()
        except DefinitionError:
            return
        for name, size in found.items():
            told = getattr(counted.total, name)
            assert size == told, f"{self.label}: the closed form gives {name}={size}, the count {told}"

    @property
    def inference(self) -> "ClosedForm":
        """The form without auxiliary heads, which run in training only."""
        if self.ranges:
            return self.headless or self
        return replace(self, count=self.count.inference)

    @property
    def condition(self) -> str:
        """For which sizes of the input and whole numbers the form holds, in words; empty for all."""
        return condition_of(self.classes, self.ranges)

    @property
    def rounding(self) -> str:
        """For which channel counts the form holds, in words; empty for all."""
        steps: dict[Any, int] = {}
        wholes = []
        for size in self.whole:
            number, symbol = size.as_coeff_Mul()
            if symbol.is_Symbol and number.is_Integer:
                steps[symbol] = gcd(steps.get(symbol, 0), int(number))
            else:
                wholes.append(size)
        parts = [
            f"{symbol} is {f'a multiple of 1/{step}' if step > 1 else 'whole'}"
            for symbol, step in steps.items()
            if symbol not in wholes
        ]
        parts += [f"{size} is whole" for size in wholes]
        return f"where {' and '.join(parts)}, so that no channel count is rounded" if parts else ""


def condition_of(classes: Mapping[str, tuple[int, int]], ranges: Mapping[str, range]) -> str:
    """Sizes by period and remainder, and ranges, in words: ``where H % 32 = 11``; empty for all."""
    parts = [
        f"{name} is {'odd' if remainder else 'even'}" if period == 2 else f"{name} % {period} = {remainder}"
        for name, (period, remainder) in classes.items()
    ]
    parts += [
        f"{name} is {numbers.start} to {numbers.stop - 1}, each of which was counted"
        for name, numbers in ranges.items()
    ]
    return f"where {' and '.join(parts)}" if parts else ""


def tidy(size: Any) -> Any:
    """An expression in the form that reads best: multiplied out, or as a product if far shorter."""
    import sympy

    expanded = sympy.expand(size)
    if len(expanded.free_symbols) < 2 or expanded.has(sympy.floor, sympy.ceiling):
        return expanded
    product = sympy.factor(expanded)
    enough = FAR_SHORTER if expanded.is_polynomial() else 1
    return product if _length(product) < enough * _length(expanded) else expanded


def unnested(size: Any) -> Any:
    """An expression whose floors hold no floors: ``floor((floor(y) + a) / n)`` is ``floor((y + a) / n)``."""
    import sympy

    def merged(argument: Any) -> Any:
        for inner in argument.atoms(sympy.floor):
            slope = argument.coeff(inner)
            rest = sympy.expand(argument - slope * inner)
            if slope.is_Rational and slope.p == 1 and (rest / slope).is_integer and not rest.has(inner):
                return sympy.floor(sympy.expand(slope * inner.args[0] + rest))
        return sympy.floor(argument)

    return sympy.sympify(size).replace(sympy.floor, lambda argument: merged(sympy.expand(argument)))


def ratio_in_symbols(size: Any, baseline: Any) -> Any:
    """``size / baseline``, simplified; None where the baseline is 0."""
    import sympy

    below = sympy.sympify(baseline)
    return None if below.is_zero else sympy.factor(sympy.cancel(sympy.sympify(size) / below))


def saving_in_symbols(ratio: Any) -> Any:
    """``1 - ratio`` in its shortest form."""
    import sympy

    rest = 1 - ratio
    return min((rest, sympy.expand(rest), sympy.factor(rest)), key=_length)


def _length(form: Any) -> int:
    return len(str(form))

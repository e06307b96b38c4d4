"""What a user varies, as typed or as given in Python, made into axes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from math import isfinite, lcm
from types import MappingProxyType
from typing import Any, NamedTuple

from costlab.algebra.define import Definition
from costlab.algebra.dim import INT64_MAX, Dim, text
from costlab.algebra.parameter import Parameter, closest
from costlab.algebra.ratio import Ratio
from costlab.errors import DefinitionError
from costlab.explore.written.axis import INPUT, Axis, typed
from costlab.messages import a, harmless, named, shortened

MOST = 1_000_000
"""The most values of an axis."""
ALL = "*"
"""All the choices of a parameter."""
NUMBER = re.compile(r"[+-]?(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:[eE][+-]?\d{1,3})?", re.ASCII)
WHOLE = re.compile(r"[+-]?\d{1,40}", re.ASCII)
NOTHING: Mapping[str, Any] = MappingProxyType({})
CLOSING = {"(": ")", "[": "]", "{": "}"}


def read_vary(
    texts: Sequence[str], definition: Definition[...], settings: Mapping[str, Any] = NOTHING
) -> tuple[Axis, ...]:
    """The axes typed as ``width=0.25:2:0.01``, ``n=3,5,7`` or ``reductions`` alone, which is all its choices.

    A range holds both its ends, if the step leads to the second. Lists may hold ranges: ``1:3,5``.

    Raises:
        DefinitionError: one is malformed, is varied twice, or has values that its parameter does not take.
    """
    axes: dict[str, Axis] = {}
    for each in texts:
        name, given, values = (part.strip() for part in each.partition("="))
        where = f"--vary {shortened(harmless(' '.join(each.split()))) or repr('')}"
        if not name:
            raise DefinitionError(f"{where}: give a parameter with its values, NAME=VALUES")
        if name in axes:
            raise DefinitionError(f"{where}: {name} is varied twice: give all its values in one list")
        varied = _Varied(where, _parameter(name, definition, settings, where), definition)
        axes[name] = varied.read(values if given else ALL)
    return tuple(axes.values())


def axes_of(
    axes: Mapping[str, Any],
    definition: Definition[...],
    settings: Mapping[str, Any] = NOTHING,
    where: str = "",
) -> tuple[Axis, ...]:
    """The axes given in Python, or in a file: each with its values, or a text as `read_vary` reads it.

    ``where`` comes before the names in messages.

    Raises:
        DefinitionError: as `read_vary` does.
    """
    made = []
    for name, values in axes.items():
        parameter = _parameter(name, definition, settings, f"{where}{shortened(harmless(str(name)))}")
        varied = _Varied(f"{where}{name}", parameter, definition)
        made.append(varied.read(values) if isinstance(values, str) else varied.take(values))
    return tuple(made)


def _parameter(name: str, definition: Definition[...], settings: Mapping[str, Any], where: str) -> Parameter:
    if name == INPUT:
        return Parameter(INPUT, Dim)
    if name not in definition.parameters:
        known = closest(str(name), [*definition.parameters, INPUT])
        raise DefinitionError(f"{where}: {definition.name} has no parameter {named(name)}{known}")
    if name in settings:
        raise DefinitionError(f"{where}: {name}={text(settings[name])} is set already: set it, or vary it")
    return definition.parameters[name]


class _Varied(NamedTuple):
    """A parameter that is varied, and how messages call what was written of it."""

    where: str
    parameter: Parameter
    definition: Definition[...]

    def read(self, values_text: str) -> Axis:
        """The axis with the values typed as ``values_text``."""
        whole = values_text.strip()
        choices = set(map(str, self.parameter.choices))
        if whole == ALL and ALL not in choices:
            return self._axis(self._choices())
        values: list[Any] = []
        for item in [whole] if whole in choices else _split(whole):
            if not item:
                raise self._refusal("a value is missing")
            several = self._range(item) if self._is_range(item) else [self._value(item)]
            self._refuse_many(len(values) + len(several))
            values += several
        return self._axis(values)

    def take(self, values: Any) -> Axis:
        """The axis with values of Python, or of NumPy."""
        if isinstance(values, Mapping) or not isinstance(values, Iterable):
            raise self._refusal(f"{named(values)} must be a list of values")
        if getattr(values, "ndim", 1) != 1:
            raise self._refusal("the values must be a list, or an array of one dimension")
        taken = [self._plain(value) for value in islice(values, MOST + 1)]
        self._refuse_many(len(taken))
        return self._axis(taken)

    def _axis(self, values: list[Any]) -> Axis:
        if not values:
            raise self._refusal("there are no values")
        for value in values:
            if not _is_plain(value):
                raise self._refusal(
                    f"{a(type(value).__name__)} is no number, text, truth, None or tuple of these"
                )
        for value in self._telling(values):
            self._check(value)
        seen = set()
        for value in values:
            if (key := (type(value) is bool, value)) in seen:
                raise self._refusal(f"{typed(value)} is there twice")
            seen.add(key)
        return Axis(self.parameter.name, tuple(values))

    def _telling(self, values: list[Any]) -> Iterable[Any]:
        """The values to check: of many numbers only the ends, between which what is taken lies."""
        for kind in dict.fromkeys(map(type, values)):
            several: list[Any] = [value for value in values if type(value) is kind]
            if kind is float and (odd := next((each for each in several if not isfinite(each)), None)):
                raise self._refusal(f"{odd} is no number that can be varied")
            ends = kind in (int, float) and not self.parameter.choices
            yield from (min(several), max(several)) if ends else several

    def _check(self, value: Any) -> None:
        """Refuse what the parameter does not take, or what cannot be typed."""
        if isinstance(value, int) and abs(value) > INT64_MAX:
            raise self._refusal(f"{named(value)} is too large")
        try:
            self.parameter.check(value, self.definition.name)
        except DefinitionError as error:
            raise self._refusal(str(error)) from None
        if isinstance(value, int | float) and not (isinstance(value, bool) or self.parameter.choices):
            return
        name = self.parameter.name
        try:
            back = self.definition.read(f"{name}={typed(value)}") if name != INPUT else {}
        except DefinitionError:
            back = {}
        if name not in back or repr(_as_tuple(back[name])) != repr(value):
            raise self._refusal(f"{named(value)} is no value that can be typed as {name}=...")

    def _choices(self) -> list[Any]:
        choices = list(self.parameter.choices or ([True, False] if self.parameter.type is bool else []))
        if not choices:
            example = "0.5,1,2" if self._is_fractional else "1,2,3"
            raise self._refusal(f"say which values, such as {self.parameter.name}={example}")
        return [*choices, None] if self.parameter.optional and None not in choices else choices

    @property
    def _is_whole(self) -> bool:
        return self.parameter.type in (int, Dim)

    @property
    def _is_fractional(self) -> bool:
        return self.parameter.type in (float, Ratio)

    def _is_range(self, item: str) -> bool:
        if ":" not in item or item in map(str, self.parameter.choices) or self.parameter.type is str:
            return False
        if not (self._is_whole or self._is_fractional):
            raise self._refusal(
                f"a range is for numbers, and {self.parameter.name} is {self.parameter.takes}"
            )
        return True

    def _range(self, item: str) -> Sequence[Any]:
        """The values from START to STOP in steps, both ends among them."""
        parts = [part.strip() for part in item.split(":")]
        if len(parts) not in (2, 3):
            raise self._refusal(f"{named(item)} must be START:STOP:STEP")
        if len(parts) == 2 and self._is_fractional:
            raise self._refusal(
                f"a range needs a step: {shortened(item)}:STEP, such as {shortened(item)}:0.25"
            )
        start, stop, step = map(self._number, (*parts, "1")[:3])
        if step <= 0:
            raise self._refusal(f"the step {parts[2]} must be above 0")
        if stop < start:
            raise self._refusal(f"the range {shortened(item)} goes down: put the smaller number first")
        count = (stop - start) // step + 1
        self._refuse_many(count)
        parts_of_one = lcm(start.denominator, step.denominator)
        first, between = int(start * parts_of_one), int(step * parts_of_one)
        numbers = range(first, first + count * between, between)
        if self._is_whole:
            return numbers
        try:
            return [number / parts_of_one for number in numbers]  # rounded once, as the decimal that is typed
        except OverflowError:
            raise self._refusal(f"{shortened(item)} goes beyond what can be varied") from None

    def _number(self, written: str) -> Fraction:
        """A number of a range as it is written."""
        if not written:
            raise self._refusal("a range is START:STOP:STEP, and a number is missing")
        if not (WHOLE if self._is_whole else NUMBER).fullmatch(written):
            raise self._refusal(f"{named(written)} must be a {'whole ' * self._is_whole}number")
        return Fraction(written)

    def _value(self, item: str) -> Any:
        try:
            return _as_tuple(self.parameter.parse(item, self.definition.name))
        except DefinitionError as error:
            raise self._refusal(str(error)) from None

    def _plain(self, value: Any) -> Any:
        """A value as Python's own: one of NumPy as the number that it is, a list as a tuple."""
        if type(value).__module__ != "builtins" and hasattr(type(value), "item"):
            try:
                value = value.item()
            except (ValueError, RuntimeError, TypeError):
                raise self._refusal(f"{named(value)} is not one value") from None
        plain = _as_tuple(value)
        whole = type(plain) is int and self._is_fractional
        return float(plain) if whole and abs(plain) <= INT64_MAX else plain

    def _refuse_many(self, count: int) -> None:
        if count > MOST:
            raise self._refusal(f"there are more than {MOST:,} values")

    def _refusal(self, reason: str) -> DefinitionError:
        return DefinitionError(f"{self.where}: {reason}")


def _as_tuple(value: Any) -> Any:
    """A value that does not change: lists as tuples."""
    return tuple(map(_as_tuple, value)) if type(value) in (list, tuple) else value


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or type(value) in (bool, int, float, str)


def _split(values: str) -> list[str]:
    """The parts between commas, but those in brackets."""
    parts, start, waiting = [], 0, list[str]()
    for place, sign in enumerate(values):
        if waiting and sign == waiting[-1]:
            waiting.pop()
        elif sign in CLOSING:
            waiting.append(CLOSING[sign])
        elif sign == "," and not waiting:
            parts.append(values[start:place].strip())
            start = place + 1
    return [*parts, values[start:].strip()]

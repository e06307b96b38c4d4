"""Values of JSON as the types that they were written from; what somebody else wrote may be anything."""

import json
from collections.abc import Callable
from functools import cache
from math import isfinite
from types import GenericAlias, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints
from unicodedata import category

from costlab.messages import UNSEEN as STEERING
from costlab.messages import named

LONGEST = 4096
"""The most characters of a text."""
MOST = 2**62
"""The largest number."""
UNSEEN = frozenset(["Cc", "Cs", "Zl", "Zp"])
"""Categories of Unicode whose signs end lines or steer terminals."""


class MalformedError(ValueError):
    """A value of JSON is not what it must be; ValueError is what the parser raises."""


class Must(NamedTuple):
    """What a field must be, beyond its type: whether a value is, and how that is said."""

    holds: Callable[[Any], bool]
    be: str


def at_least(least: int, most: int = MOST) -> Must:
    """A number within limits, both included."""
    limits = f"at least {least:,}" if most == MOST else f"between {least:,} and {most:,}"
    return Must(lambda value: least <= value <= most, limits)


def is_line(text: str) -> bool:
    """Whether a text is on one line and holds nothing that steers a terminal or turns the order of signs."""
    seen = not any(category(sign) in UNSEEN for sign in text)
    return len(text) <= LONGEST and seen and not STEERING.search(text)


Line = Annotated[str, Must(is_line, f"text on one line, of at most {LONGEST:,} signs")]
Positive = Annotated[int, at_least(1)]
Natural = Annotated[int, at_least(0)]
AboveZero = Annotated[float, Must(lambda value: value > 0, "above 0")]
NotNegative = Annotated[float, Must(lambda value: value >= 0, "at least 0")]
Fraction = Annotated[float, Must(lambda value: 0 <= value <= 1, "between 0 and 1")]


def parse(content: bytes) -> Any:
    """The value that a text of JSON stands for, without NaN and infinities.

    Raises:
        MalformedError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(content, parse_constant=_refuse_constant)
    except RecursionError:
        raise MalformedError("it is nested too deeply") from None


def _refuse_constant(text: str) -> Any:
    raise MalformedError(f"{text} is no number")


def decode(kind: Any, value: Any, path: str = "") -> Any:
    """A value of JSON as a type: a dataclass, a tuple of one type, one of these or None, or a plain type.

    Raises:
        MalformedError: it is not of that type, or not what it must be; with the path of the field.
    """
    if get_origin(kind) is Annotated:
        plain, *musts = get_args(kind)
        made = decode(plain, value, path)
        for must in musts:
            if not must.holds(made):
                raise MalformedError(f"{_at(path)}{named(made)} must be {must.be}")
        return made
    if get_origin(kind) in (Union, UnionType):
        return None if value is None else decode(get_args(kind)[0], value, path)
    if isinstance(kind, GenericAlias) and get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise MalformedError(f"{_at(path)}{named(value)} is no list")
        return tuple(decode(get_args(kind)[0], entry, f"{path}[{i}]") for i, entry in enumerate(value))
    if hasattr(kind, "__dataclass_fields__"):
        return _decode_fields(kind, value, path)
    return _plain(get_origin(kind) or kind, value, path)


def _decode_fields(kind: Any, value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise MalformedError(f"{_at(path)}{named(value)} is no object with fields")
    types = _types(kind)
    for name in sorted(value.keys() - types.keys()):
        raise MalformedError(f"{_at(path)}there is no field {named(name)}")
    for name in sorted(types.keys() - value.keys()):
        if not hasattr(kind, name):  # as it has where there is a default
            raise MalformedError(f"{_at(path)}the field {name} is missing")
    made = {name: decode(types[name], each, f"{path}.{name}".lstrip(".")) for name, each in value.items()}
    return kind(**made)


@cache
def _types(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _plain(expected: Any, value: Any, path: str) -> Any:
    if expected is Any:
        return value
    fits = isinstance(value, expected)
    if expected in (int, float):  # a whole number is one of the others too, and what is true is neither
        whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MOST
        fits = whole or (expected is float and isinstance(value, float) and isfinite(value))
    if not fits:
        raise MalformedError(f"{_at(path)}{named(value)} is {WORDS.get(expected, 'no object with fields')}")
    return value


WORDS = {str: "no text", bool: "neither true nor false", int: "no whole number", float: "no number"}


def _at(path: str) -> str:
    return f"{path}: " if path else ""

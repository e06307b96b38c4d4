"""Spaces as files of TOML: what is varied, and what has to hold between the axes."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from costlab.algebra.parameter import closest
from costlab.decode import Line, MalformedError, decode
from costlab.errors import DefinitionError
from costlab.explore.written.axis import typed
from costlab.files import read
from costlab.messages import a, named

MOST_BYTES = 1_000_000
"""The largest file that is read."""
FIELDS = ("target", "input", "where", "vary")


class SpaceFile(NamedTuple):
    """A space as it is written: axes by name, each a text as on a command line or a tuple of values."""

    target: str | None = None
    input: str | None = None
    where: tuple[str, ...] = ()
    vary: Mapping[str, str | tuple[Any, ...]] = MappingProxyType({})


def read_space(path: Path) -> SpaceFile:
    """The space that a file describes.

    Raises:
        DefinitionError: there is no such file, or it is not what a space is written as.
        OutputError: it cannot be read, is no file, or larger than a megabyte.
    """
    with suppress(OSError):  # a name that no file can have, which reading it says
        if path.is_symlink():  # it may lead to what somebody else put there
            raise DefinitionError(f"{path} is a link: name the file itself")
    content = read(path, MOST_BYTES)
    if content is None:
        raise DefinitionError(f"there is no file {path}")
    try:
        return _space(_parsed(content))
    except MalformedError as error:
        raise DefinitionError(f"{path}: {error}") from None


def _parsed(content: bytes) -> dict[str, Any]:
    import tomllib  # here and not above: most spaces are typed

    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError:
        raise MalformedError("it is no text in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise MalformedError(f"it is no TOML: {' '.join(str(error).split())}") from None
    except ValueError:  # a number of thousands of digits
        raise MalformedError("it holds a number that is too large") from None
    except RecursionError:
        raise MalformedError("it is nested too deeply") from None


def _space(fields: dict[str, Any]) -> SpaceFile:
    for name in fields:
        if name not in FIELDS:
            raise MalformedError(f"there is no field {named(name)}{closest(name, FIELDS)}")
    return SpaceFile(
        decode(Line | None, fields.get("target"), "target"),
        decode(Line | None, fields.get("input"), "input"),
        decode(tuple[Line, ...], fields.get("where", []), "where"),
        _varied(fields.get("vary", {})),
    )


def _varied(table: Any) -> Mapping[str, str | tuple[Any, ...]]:
    if not isinstance(table, dict):
        raise MalformedError(f"vary: {named(table)} is no table: write [vary], and a line for each axis")
    return {name: _values(values, f"vary.{named(name)[1:-1]}") for name, values in table.items()}


def _values(values: Any, path: str) -> str | tuple[Any, ...]:
    if isinstance(values, str):
        return decode(Line, values, path)  # type: ignore[no-any-return]  # it is what Line is of
    if not isinstance(values, list):
        what = f"write [{typed(values)}]" if isinstance(values, int | float) else "write text or a list"
        raise MalformedError(f"{path}: {named(values)} is no list of values: {what}")
    return tuple(_value(each, f"{path}[{i}]") for i, each in enumerate(values))


def _value(value: Any, path: str) -> Any:
    if isinstance(value, list):
        return tuple(_value(each, path) for each in value)
    if isinstance(value, str):
        return decode(Line, value, path)
    if not isinstance(value, bool | int | float):
        raise MalformedError(f"{path}: {a(type(value).__name__)} is no number, text, truth or list of these")
    return value

"""The project that a folder belongs to: what its ``pyproject.toml`` says to costlab."""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from costlab.algebra.parameter import closest
from costlab.errors import DefinitionError
from costlab.files import read
from costlab.messages import first_sentence, named

FILE = "pyproject.toml"
MOST_BYTES = 2**24
"""The largest that is read."""


class Section(NamedTuple):
    """What a file has in the place of a table, None for nothing; numbers with a fraction are `Decimal`."""

    file: Path
    table: Any


def sections(folder: Path, *path: str) -> Iterator[Section]:
    """What each ``pyproject.toml`` from a folder upward has under a dotted path of keys, the nearest first.

    Raises:
        DefinitionError: a file is no TOML, or what is on the path is no table.
        OutputError: a file cannot be read.
    """
    for place in (folder, *folder.parents):
        content = read(place / FILE, MOST_BYTES)
        if content is not None:
            yield section(place / FILE, content, *path)


def section(file: Path, content: bytes, *path: str) -> Section:
    """What the content of a file has under a dotted path of keys.

    Raises:
        DefinitionError: it is no TOML, or what is on the path is no table.
    """
    try:
        value: Any = tomllib.loads(content.decode(), parse_float=Decimal)
    except RecursionError:
        raise DefinitionError(f"{file} is nested too deeply") from None
    except (ValueError, ArithmeticError) as error:
        raise DefinitionError(f"{file} is no TOML: {first_sentence(error)}") from None
    for i, key in enumerate(path):
        if not isinstance(value, dict):
            raise DefinitionError(f"{file}: {'.'.join(path[:i])}: {named(value)} is no table")
        if key not in value:
            return Section(file, None)
        value = value[key]
    return Section(file, value)


def refuse_unknown(path: str, keys: Iterable[str], known: Collection[str]) -> None:
    """Refuse the keys of a table, of which ``path`` is the name, that are not known.

    Raises:
        DefinitionError: there is one; the message says what was meant, perhaps.
    """
    for key in keys:
        if key not in known:
            raise DefinitionError(f"{path}: there is no key {named(key)}{closest(key, known)}")


def key_as_written(name: str) -> str:
    """A key in a message: in quotation marks if it is no plain word."""
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else named(name)


def as_written(value: object) -> str:
    """A value in a message; a number as it was written."""
    return str(value) if isinstance(value, Decimal) else named(value)

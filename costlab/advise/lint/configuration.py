"""``[tool.costlab.lint]`` of a project's ``pyproject.toml``: what is heard, what is silenced, and where."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from costlab.advise.lint.lint import EXPENSIVE_SHARE, as_share
from costlab.advise.lint.silence import rules_named
from costlab.algebra.percentage import percentage
from costlab.errors import DefinitionError
from costlab.files import read_given
from costlab.targets.project import (
    MOST_BYTES,
    as_written,
    key_as_written,
    refuse_unknown,
    section,
    sections,
)

TABLE = ("tool", "costlab", "lint")
PATH = ".".join(TABLE)
Rules = tuple[str, ...]


@dataclass(frozen=True)
class Configuration:
    """What a project wants to hear of its networks; the fields are the options of `costlab.lint`.

    ``file`` is where it stands, None where no file says anything.
    """

    file: Path | None = None
    select: Rules | None = None
    ignore: Rules = ()
    per_module_ignores: Mapping[str, Rules] = field(default_factory=lambda: MappingProxyType({}))
    expensive_share: float = EXPENSIVE_SHARE

    def but(self, select: Rules | None, ignore: Rules) -> "Configuration":
        """What is typed wins: ``select`` over both lists of the file, ``ignore`` is added to the file's.

        Raises:
            DefinitionError: there is no such rule; the message begins with the option.
        """
        rules_named("--select", select or ())
        rules_named("--ignore", ignore)
        if select is not None:
            return replace(self, select=select, ignore=ignore)
        return replace(self, ignore=(*self.ignore, *ignore))

    @property
    def options(self) -> Mapping[str, Any]:
        """The options of `costlab.lint`, by name."""
        return {
            "select": self.select,
            "ignore": self.ignore,
            "per_module_ignores": self.per_module_ignores,
            "expensive_share": self.expensive_share,
        }


def find_configuration(folder: Path) -> Configuration:
    """What holds in a folder: of its ``pyproject.toml``, or of the nearest above that says something of lint.

    Raises:
        DefinitionError: a file is malformed; the message names it and the key.
        OutputError: a file cannot be read.
    """
    for file, table in sections(folder, *TABLE):
        if table is not None:
            return _configuration(file, table)
    return Configuration()


def read_configuration(file: Path) -> Configuration:
    """What a file says that is named.

    Raises:
        DefinitionError: there is no such file, it says nothing of lint, or is malformed.
        OutputError: it cannot be read.
    """
    content = read_given(file, MOST_BYTES, f"name a TOML file with [{PATH}]", DefinitionError)
    _, table = section(file, content, *TABLE)
    if table is None:
        raise DefinitionError(f"{file} has no [{PATH}]: name a TOML file that has one")
    return _configuration(file, table)


def _configuration(file: Path, table: Any) -> Configuration:
    try:
        return Configuration(file, **_fields(table))
    except DefinitionError as error:
        raise DefinitionError(f"{file}: {error}") from None


def _fields(table: Any) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise DefinitionError(f"{PATH}: {as_written(table)} is no table")
    refuse_unknown(PATH, table, KEYS)
    return {key.replace("-", "_"): KEYS[key](f"{PATH}.{key}", value) for key, value in table.items()}


def _rules(path: str, value: Any) -> Rules:
    if not isinstance(value, list):
        raise DefinitionError(f'{path}: {as_written(value)} is no list of rules, such as ["pinch"]')
    for i, each in enumerate(value):
        if not isinstance(each, str):
            raise DefinitionError(f"{path}[{i}]: {as_written(each)} is no name of a rule")
    rules_named(path, value)
    return tuple(value)


def _by_pattern(path: str, value: Any) -> Mapping[str, Rules]:
    if not isinstance(value, dict):
        raise DefinitionError(f'{path}: {as_written(value)} is no table, such as {{ "stem.*" = ["pinch"] }}')
    rules = {pattern: _rules(f"{path}.{key_as_written(pattern)}", each) for pattern, each in value.items()}
    return MappingProxyType(rules)


def _share(path: str, value: Any) -> float:
    """A share from 0 to 1, or as a percentage."""
    share = percentage(value)
    number: Any = value if share is None else share
    if isinstance(value, Decimal) and value.is_finite() and 0 <= value <= 1:
        number = float(value)
    try:
        return as_share(number, path)
    except DefinitionError:
        raise DefinitionError(
            f'{path}: {as_written(value)} is no share from 0 to 1, such as 0.2 or "20%"'
        ) from None


KEYS: Mapping[str, Callable[[str, Any], Any]] = {
    "select": _rules,
    "ignore": _rules,
    "per-module-ignores": _by_pattern,
    "expensive-share": _share,
}
"""What may stand in the table, with what reads it."""

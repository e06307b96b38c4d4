"""The budgets of a project: ``[tool.costlab.budget]`` in its ``pyproject.toml``, and holding all of them."""

from collections.abc import Callable, Mapping
from contextlib import chdir
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from costlab.algebra.dim import as_dim
from costlab.algebra.inputs import as_input
from costlab.counting.row import DEFAULT
from costlab.errors import CostlabError, DefinitionError, one_line
from costlab.explore.budget import Budget, Outcome, hold
from costlab.explore.budgets.limits import LIMITED, as_increase, as_limit, refuse_useless
from costlab.explore.running import RUNNING, changed_of
from costlab.hardware.held.optimizer import OPTIMIZERS
from costlab.hardware.held.precision import PRECISIONS
from costlab.messages import harmless, named, shortened
from costlab.targets.project import FILE, as_written, key_as_written, refuse_unknown, sections

TABLE = ("tool", "costlab", "budget")
PATH = ".".join(TABLE)
EXAMPLE = f'[{PATH}.NAME] with target = "nets.py:net" and max-parameters = "25M"'
LONGEST = 1_000
"""The most characters of the reason why a budget could not be held."""


@dataclass(frozen=True)
class Entry:
    """The budget of one target, as the project's file has it; ``input`` is as it is typed."""

    name: str
    target: str
    most: Mapping[str, int]
    input: str | tuple[str, ...] | None = None
    batch: int = 1
    inference: bool = False
    convention: str = DEFAULT
    against: str | None = None
    increase: Fraction | None = None
    strict: bool = False
    running: Mapping[str, Any] = field(default_factory=dict)


class Project(NamedTuple):
    """The budgets of a project, and the folder in which its file lies."""

    folder: Path
    entries: tuple[Entry, ...]


def hold_all(project: Project) -> tuple[Outcome, ...]:
    """Hold each budget, in the project's folder, whether or not others can be held."""
    return tuple(_hold(entry, project.folder) for entry in project.entries)


def _hold(entry: Entry, folder: Path) -> Outcome:
    try:
        with chdir(folder):  # for each anew: code that runs may go elsewhere
            return Outcome(entry.name, entry.target, held_entry(entry))
    except CostlabError as error:
        failure = shortened(one_line(harmless(str(error))), LONGEST)
        return Outcome(entry.name, entry.target, None, failure)


def held_entry(entry: Entry) -> Budget:
    """The target of an entry, held against its budget.

    Raises:
        CostlabError: it, or its reference, cannot be counted or read.
    """
    return hold(
        entry.target,
        entry.input,
        entry.most,
        batch=entry.batch,
        inference=entry.inference,
        convention=entry.convention,
        against=entry.against,
        increase=entry.increase,
        strict=entry.strict,
        settings={},
        running=entry.running,
    )


def find_project(folder: Path) -> Project:
    """The budgets of the project that a folder belongs to: of it, or of the nearest above that has some.

    Raises:
        DefinitionError: there is none, or what is there is malformed; the message has the path of the key.
        OutputError: a file cannot be read.
    """
    seen = ""
    for file, table in sections(folder, *TABLE):
        seen = seen or f"; {file} has no [{PATH}]"
        if table is not None:
            try:
                return Project(file.parent, _entries(table))
            except DefinitionError as error:
                raise DefinitionError(f"{file}: {error}") from None
    raise DefinitionError(
        f"no {FILE} here or above has budgets{seen}: give a TARGET with its limits, or write {EXAMPLE}"
    )


def _entries(table: Any) -> tuple[Entry, ...]:
    if not isinstance(table, dict):
        found = "an array" if isinstance(table, list) else as_written(table)
        raise DefinitionError(f"{PATH}: {found} is no table: write {EXAMPLE}")
    if not table:
        raise DefinitionError(f"{PATH} is empty: write {EXAMPLE}")
    return tuple(_entry(name, each, f"{PATH}.{key_as_written(name)}") for name, each in table.items())


def _entry(name: str, table: Any, path: str) -> Entry:
    if not name.strip() or not name.isprintable():
        raise DefinitionError(f"{PATH}: {named(name)} is no name of a budget")
    if not isinstance(table, dict):
        raise DefinitionError(f"{path}: {as_written(table)} is no table: a budget has a name, {EXAMPLE}")
    refuse_unknown(path, table, KEYS)
    if "target" not in table:
        raise DefinitionError(f'{path}.target is missing: name what is held, such as target = "nets.py:net"')
    read_as = {key: KEYS[key](f"{path}.{key}", value) for key, value in table.items()}
    most = {each: read_as.pop(_limit_key(each)) for each in LIMITED if _limit_key(each) in read_as}
    increase = read_as.pop("max-increase", None)
    running = changed_of(**{each: read_as.pop(each) for each in RUNNING if each in read_as})
    entry = Entry(name, most=most, increase=increase, running=running, **read_as)
    refuse_useless(
        most,
        entry.against,
        increase,
        entry.convention,
        lambda each: f"{path}.{_hyphens(each)}",
        running,
        inference=entry.inference,
    )
    return entry


def _limit_key(quantity: str) -> str:
    return _hyphens(f"max_{quantity}")


def _hyphens(name: str) -> str:
    return name.replace("_", "-")


def _text(path: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise DefinitionError(f"{path}: {as_written(value)} is no text")
    return value


def _input(path: str, value: Any) -> str | tuple[str, ...]:
    if not isinstance(value, list):
        texts: str | tuple[str, ...] = _text(path, value)
    elif value:
        texts = tuple(_text(f"{path}[{i}]", each) for i, each in enumerate(value))
    else:
        raise DefinitionError(f"{path}: there is no input in it")
    try:
        as_input(texts, called=lambda _: ())  # what a function gives is known when it has run
    except DefinitionError as error:
        raise DefinitionError(f"{path}: {error}") from None
    return texts


def _one_of(names: tuple[str, ...], path: str, value: Any) -> str:
    if value not in names:
        raise DefinitionError(f"{path}: {as_written(value)} is none of {', '.join(names)}")
    return str(value)


def _flag(path: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise DefinitionError(f"{path}: {as_written(value)} is neither true nor false")
    return value


def _number(path: str, value: Any) -> int:
    if type(value) is not int:
        raise DefinitionError(f"{path}: {as_written(value)} is no whole number")
    number = as_dim(path, value)
    assert isinstance(number, int)
    return number


def _convention(path: str, value: Any) -> str:
    from costlab.counting.convention import known

    try:
        return known(_text(path, value))
    except DefinitionError as error:
        raise DefinitionError(f"{path}: {error}") from None


KEYS: Mapping[str, Callable[[str, Any], Any]] = {
    "target": _text,
    "input": _input,
    "batch": _number,
    "inference": _flag,
    "convention": _convention,
    **{_limit_key(quantity): partial(as_limit, quantity=quantity) for quantity in LIMITED},
    "train": _flag,
    "optimizer": partial(_one_of, OPTIMIZERS),
    "momentum": _flag,
    "average": _flag,
    "dtype": partial(_one_of, PRECISIONS),
    "against": _text,
    "max-increase": as_increase,
    "strict": _flag,
}
"""What may stand in the table of a budget, with what reads it."""

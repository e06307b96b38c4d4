"""Spaces as users write them for a training: in a file of TOML, or a target and its axes in one text."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from costlab.errors import DefinitionError
from costlab.explore.written.space_file import read_space
from costlab.explore.written.vary import ALL
from costlab.messages import named, shortened
from costlab.targets.resolve import without_folder
from costlab.train.space_record import SpaceRecord

ENDING = ".toml"


class Written(NamedTuple):
    """A space as it is written; ``option`` begins messages about it.

    ``vary`` has the axes by name, each a text as `costlab explore` takes it after ``--vary``, or a list.
    """

    name: str
    option: str
    target: str
    vary: Mapping[str, Any]
    input: str = ""
    where: tuple[str, ...] = ()
    is_file: bool = False

    @property
    def as_recorded(self) -> tuple[Any, ...]:
        """What makes two spaces the same, as a record keeps it: without folders."""
        return without_folder(self.target), self.recorded_vary, self.input, [*self.where]

    @property
    def recorded_vary(self) -> dict[str, Any]:
        """The axes as JSON gives them back."""
        return {name: _as_list(values) for name, values in self.vary.items()}


def read_written(text: str) -> Written:
    """The space in a file, ``FILE.toml``, or in a text, ``"mini width=0.25:1:0.05 large small"``.

    Such a text has a target, and after it axes as `costlab explore` takes them after ``--vary``.

    Raises:
        DefinitionError: the file is missing, or is no space; the text has no axes, or is malformed.
        OutputError: the file cannot be read.
    """
    words = _words(text)
    if text.lower().endswith(ENDING) and (len(words) == 1 or Path(text).is_file()):  # a space in its name
        return _in_file(Path(text))
    target, axes = words[0], words[1:]
    option = f"--space {shortened(target)}"
    vary: dict[str, str] = {}
    for each in axes:
        name, given, values = (part.strip() for part in each.partition("="))
        if not name:
            raise DefinitionError(f"{option}: {named(each)} must be NAME=VALUES, or the NAME of a parameter")
        if name in vary:
            raise DefinitionError(f"{option}: {name} is varied twice: give all its values in one list")
        vary[name] = values if given else ALL
    if not vary:
        raise DefinitionError(
            f"{option}: give axes after the target, as in --space {shlex.quote(f'{target} width=0.5:1:0.1')}"
        )
    return Written(" ".join([without_folder(target), *axes]), f"{option}: ", target, vary)


def written_in(record: SpaceRecord) -> Written:
    """The space in a record."""
    return Written(record.name, "", record.target, record.vary, record.input, record.where)


def _words(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise DefinitionError(f"--space {named(text)}: {error}") from None
    if not words:
        raise DefinitionError("--space: give a file, or a target with axes: 'mini width=0.25:1:0.05 large'")
    return words


def _in_file(file: Path) -> Written:
    space = read_space(file)
    if space.target is None:
        raise DefinitionError(f"{file}: it names no target: target = 'mini'")
    if not space.vary:
        raise DefinitionError(f"{file}: it varies nothing: write [vary], and a line for each axis")
    return Written(file.stem, f"{file}: ", space.target, space.vary, space.input or "", space.where, True)


def _as_list(values: Any) -> Any:
    return [*map(_as_list, values)] if isinstance(values, list | tuple) else values

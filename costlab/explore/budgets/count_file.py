"""Reading the JSON that ``costlab count -f json`` wrote, which somebody else may have changed since."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costlab.counting.row import COST, DEFAULT, FORMAT, MEASURES, VERSION
from costlab.decode import Line, MalformedError, decode, parse
from costlab.errors import TargetError
from costlab.explore.budgets.reference import Reference
from costlab.files import read_given
from costlab.messages import first_sentence, named

MOST_BYTES = 2**28
"""The largest file that is read."""
ANEW = "write it anew with costlab count TARGET -f json"


@dataclass(frozen=True)
class CountFile:
    """The JSON form of a count, as the table of a count writes it; what is not used may be anything."""

    format: str
    version: int
    target: Line
    input: Any
    batch: Any
    auxiliary_heads: bool
    training_step: bool
    unverified: bool
    partial: Any
    output: Any
    convention: Line
    unit: Line
    measured_on: Line | None
    not_counted: Any
    rows: tuple[Any, ...]
    total: Any
    held: Any = None


def read_reference(file: Path) -> Reference:
    """The count that a file holds.

    Raises:
        TargetError: there is no such file, or it holds no whole count of this version.
        OutputError: it cannot be read, or is too large.
    """
    made = _parsed(file)
    if not isinstance(made, dict) or made.get("format") != FORMAT:
        raise TargetError(f"{file} holds no count: {ANEW}")
    version = made.get("version")
    if type(version) is not int or version != VERSION:
        raise TargetError(
            f"{file} is of version {named(version)} of the format, and this costlab reads {VERSION}: {ANEW}"
        )
    try:
        return _reference(str(file), decode(CountFile, made))
    except MalformedError as error:
        raise TargetError(f"{file} is not as costlab count wrote it: {error}; {ANEW}") from None


def _parsed(file: Path) -> Any:
    content = read_given(file, MOST_BYTES, "name one that costlab count -f json wrote", TargetError)
    try:
        return parse(content)
    except ValueError as error:
        raise TargetError(f"{file} is no JSON: {first_sentence(error)}; {ANEW}") from None


def _reference(name: str, file: CountFile) -> Reference:
    if file.partial is not None:
        raise MalformedError("partial: a count in part is no reference")
    if not isinstance(file.not_counted, dict):
        raise MalformedError(f"not_counted: {named(file.not_counted)} is no object")
    first = (DEFAULT, DEFAULT) if file.convention == DEFAULT else (f"{file.convention}_{COST}", COST)
    keys = dict([first, *((measure, measure) for measure in MEASURES[1:])])
    sizes = _sizes(file.total, keys, "total")
    return Reference(
        name,
        file.target,
        _placed_at(file.input, file.batch),
        file.auxiliary_heads,
        file.training_step,
        file.convention,
        sizes,
        tuple(map(str, file.not_counted)),
        modules=_modules(file.rows, keys, sizes),
    )


def _sizes(values: Any, keys: Mapping[str, str], path: str) -> dict[str, int]:
    """The sizes that stand under these keys, by what they are called in a count."""
    if not isinstance(values, dict):
        raise MalformedError(f"{path}: {named(values)} is no object")
    for key in keys:
        if key not in values:
            raise MalformedError(f"{path}.{key} is missing, as it is with --columns")
        size = values[key]
        if type(size) is not int or size < 0:
            raise MalformedError(f"{path}.{key}: {named(size)} is no whole number of at least 0")
    return {name: values[key] for key, name in keys.items()}


def _modules(
    rows: tuple[Any, ...], keys: Mapping[str, str], whole: Mapping[str, int]
) -> dict[str, dict[str, int]] | None:
    """The sizes of the modules by path, None where there are none: with --by kind, or --columns."""
    for i, row in enumerate(rows):
        if not isinstance(row, dict):
            raise MalformedError(f"rows[{i}]: {named(row)} is no object")
    if not all(keys.keys() <= row.keys() for row in rows):
        return None
    found: dict[str, dict[str, int]] = {}
    for i, row in enumerate(rows):
        path = row.get("module", "")
        if not isinstance(path, str):
            raise MalformedError(f"rows[{i}].module: {named(path)} is no text")
        sums = found.setdefault(path, dict.fromkeys(whole, 0))
        for name, size in _sizes(row, keys, f"rows[{i}]").items():
            sums[name] += size
    for name, size in whole.items():
        if sum(sizes[name] for sizes in found.values()) != size:
            raise MalformedError(f"its rows do not add up to its total of {name}")
    return found if all("module" in row for row in rows) else None


def _placed_at(sizes: Any, batch: Any) -> str:
    """The input with its batch, as `costlab.explore.budgets.reference.placed_at` gives it."""
    if isinstance(sizes, str):
        return sizes
    if not isinstance(sizes, list) or not all(type(size) is int for size in (*sizes, batch)):
        raise MalformedError(f"input: {named(sizes)} with batch {named(batch)} is no shape")
    return "x".join(map(str, (batch, *sizes)))

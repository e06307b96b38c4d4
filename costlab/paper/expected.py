"""The outcomes that are recorded as expected. They are there to be missed when something moves.

They are never shown as results. `make record` writes them anew; what differs then is for people to judge.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from costlab.errors import DefinitionError, one_line
from costlab.paper.stated import Value, Verdict

FILE = Path(__file__).with_name("expected.toml")


class Figure(NamedTuple):
    """The outcome of one figure: what is stated, the verdict on it, and the value as text."""

    name: str
    stated: str
    verdict: Verdict
    value: str


class Record(NamedTuple):
    """The outcome of a claim: its figures, the values on the way there, and whether it is unverified."""

    figures: tuple[Figure, ...]
    steps: tuple[tuple[str, str], ...]
    unverified: bool


@cache
def recorded() -> Mapping[str, Record]:
    """The expected outcomes by claim.

    Raises:
        DefinitionError: the file that holds them is missing or damaged.
    """
    import tomllib

    try:
        return {name: _record(table) for name, table in tomllib.loads(FILE.read_text("utf-8")).items()}
    except (OSError, LookupError, TypeError, ValueError) as error:
        raise DefinitionError(
            f"{FILE} holds no outcomes: {one_line(error)}; make record writes it anew"
        ) from error


def _record(table: Mapping[str, Any]) -> Record:
    figures = tuple(
        Figure(name, stated, Verdict(verdict), value) for name, stated, verdict, value in table["figures"]
    )
    return Record(figures, tuple((name, value) for name, value in table["steps"]), table["unverified"])


def as_text(value: Value) -> str:
    """A value as it is recorded: exact but for real numbers, empty for none."""
    if value is None:
        return ""
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def moves(found: Record, expected: Record | None) -> list[str]:
    """What of an outcome is not as it was, a line each; nothing of the way there if the figures tell it."""
    if expected is None:
        return ["not recorded"]
    lines = []
    if [figure.name for figure in found.figures] != [figure.name for figure in expected.figures]:
        lines.append("states other figures than those recorded")
    else:
        for now, was in zip(found.figures, expected.figures, strict=True):
            if now.stated != was.stated:
                lines.append(f"{now.name}: is stated as {now.stated}, and was as {was.stated}")
            if now[2:] != was[2:]:
                lines.append(f"{now.name}: moved from {_told(was)} to {_told(now)}")
    if found.unverified != expected.unverified:
        lines.append(f"unverified: moved from {expected.unverified} to {found.unverified}")
    return lines or _steps(found, expected)


def _steps(found: Record, expected: Record) -> list[str]:
    if [name for name, _ in found.steps] != [name for name, _ in expected.steps]:
        return ["is derived by other steps than those recorded"]
    pairs = zip(found.steps, expected.steps, strict=True)
    return [f"{name}: moved from {was} to {now}" for (name, now), (_, was) in pairs if now != was]


def _told(figure: Figure) -> str:
    return f"{figure.verdict} at {figure.value or 'no value'}"


def written(records: Mapping[str, Record]) -> str:
    """The outcomes as the file has them."""
    lines = [
        "# What costlab verify is expected to find. Written by make record: what differs then, has moved."
    ]
    for claim, record in records.items():
        lines += ["", f"[{claim}]", f"unverified = {str(record.unverified).lower()}"]
        lines += ["figures = [", *_rows(record.figures), "]", "steps = [", *_rows(record.steps), "]"]
    return "\n".join(lines) + "\n"


def _rows(rows: Iterable[tuple[str, ...]]) -> list[str]:
    from json import dumps  # its strings are TOML's

    return [f"  [{', '.join(dumps(part, ensure_ascii=False) for part in row)}]," for row in rows]

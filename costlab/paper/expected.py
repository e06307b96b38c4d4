"""The expected outcomes of all claims, recorded in a file to notice when one changes.

They are never shown as results. `make record` writes the file again; people judge what has changed in it.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from costlab.errors import DefinitionError, one_line
from costlab.paper.stated import Value, Verdict

FILE = Path(__file__).with_name("expected.toml")


class ExpectedFigure(NamedTuple):
    """The expected outcome of one figure: the stated figure, the verdict, and the value as text."""

    name: str
    stated: str
    verdict: Verdict
    value: str


class ExpectedOutcome(NamedTuple):
    """The expected outcome of a claim: its figures, the values of its steps, and whether it is unverified."""

    figures: tuple[ExpectedFigure, ...]
    steps: tuple[tuple[str, str], ...]
    unverified: bool


@cache
def load_expected() -> Mapping[str, ExpectedOutcome]:
    """The expected outcomes by claim.

    Raises:
        DefinitionError: the file that holds them is missing or damaged.
    """
    import tomllib

    try:
        return {name: _outcome_from(table) for name, table in tomllib.loads(FILE.read_text("utf-8")).items()}
    except (OSError, LookupError, TypeError, ValueError) as error:
        raise DefinitionError(
            f"{FILE} holds no outcomes: {one_line(error)}; make record writes it anew"
        ) from error


def _outcome_from(table: Mapping[str, Any]) -> ExpectedOutcome:
    figures = tuple(
        ExpectedFigure(name, stated, Verdict(verdict), value)
        for name, stated, verdict, value in table["figures"]
    )
    return ExpectedOutcome(
        figures, tuple((name, value) for name, value in table["steps"]), table["unverified"]
    )


def as_text(value: Value) -> str:
    """A value as it is recorded: exact, but for real numbers; empty for None."""
    if value is None:
        return ""
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def differences(current: ExpectedOutcome, expected: ExpectedOutcome | None) -> list[str]:
    """A line for each difference of an outcome; of steps only if figures are the same."""
    if expected is None:
        return ["not recorded"]
    lines = []
    if [figure.name for figure in current.figures] != [figure.name for figure in expected.figures]:
        lines.append("states other figures than those recorded")
    else:
        for now, was in zip(current.figures, expected.figures, strict=True):
            if now.stated != was.stated:
                lines.append(f"{now.name}: is stated as {now.stated}, and was as {was.stated}")
            if now[2:] != was[2:]:
                lines.append(f"{now.name}: moved from {_describe(was)} to {_describe(now)}")
    if current.unverified != expected.unverified:
        lines.append(f"unverified: moved from {expected.unverified} to {current.unverified}")
    return lines or _differing_steps(current, expected)


def _differing_steps(current: ExpectedOutcome, expected: ExpectedOutcome) -> list[str]:
    if [name for name, _ in current.steps] != [name for name, _ in expected.steps]:
        return ["is derived by other steps than those recorded"]
    pairs = zip(current.steps, expected.steps, strict=True)
    return [f"{name}: moved from {was} to {now}" for (name, now), (_, was) in pairs if now != was]


def _describe(figure: ExpectedFigure) -> str:
    return f"{figure.verdict} at {figure.value or 'no value'}"


def to_toml(current_outcomes: Mapping[str, ExpectedOutcome]) -> str:
    """The content of the file for these outcomes."""
    lines = [
        "# What costlab verify is expected to find. Written by make record: what differs then, has moved."
    ]
    for claim, record in current_outcomes.items():
        lines += ["", f"[{claim}]", f"unverified = {str(record.unverified).lower()}"]
        lines += [
            "figures = [",
            *_toml_rows(record.figures),
            "]",
            "steps = [",
            *_toml_rows(record.steps),
            "]",
        ]
    return "\n".join(lines) + "\n"


def _toml_rows(rows: Iterable[tuple[str, ...]]) -> list[str]:
    from json import dumps  # its strings are TOML's

    return [f"  [{', '.join(dumps(part, ensure_ascii=False) for part in row)}]," for row in rows]

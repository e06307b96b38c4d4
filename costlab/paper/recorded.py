"""The outcomes that are recorded as expected: what they are for is to be missed when something moves.

They are never shown as results. `make record` writes them anew; the difference is for people to judge.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from costlab.paper.stated import Value, Verdict

FILE = Path(__file__).with_name("recorded.toml")


class Recorded(NamedTuple):
    """The expected outcome of one figure: its verdict, and the value as text."""

    verdict: Verdict
    value: str


@cache
def recorded() -> Mapping[str, tuple[Recorded, ...]]:
    """The expected outcomes by claim, one for each figure."""
    import tomllib

    tables = tomllib.loads(FILE.read_text("utf-8"))
    return {
        claim: tuple(Recorded(Verdict(verdict), value) for verdict, value in figures)
        for claim, figures in tables["figures"].items()
    }


def as_text(value: Value) -> str:
    """A value as it is recorded: exact, empty for none."""
    return "" if value is None else str(value)


def written(outcomes: Mapping[str, Iterable[Recorded]]) -> str:
    """The outcomes as the file has them."""
    lines = [
        "# What costlab verify is expected to find, by claim: for each figure the verdict and the value."
    ]
    lines += ["# Written by make record: what differs then, has moved.", "", "[figures]"]
    for claim, figures in outcomes.items():
        pairs = ", ".join(f'["{figure.verdict}", "{figure.value}"]' for figure in figures)
        lines.append(f'"{claim}" = [{pairs}]')
    return "\n".join(lines) + "\n"

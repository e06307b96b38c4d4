"""What the record of a run keeps of design spaces: which members were trained, and how they were chosen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from costlab.decode import Line, Must, Natural, Positive, is_line

SAMPLERS = "nsga2", "tpe"
Sampler = Annotated[str, Must(SAMPLERS.__contains__, " or ".join(SAMPLERS))]
"""What proposes members to a search: Optuna's NSGA-II, or its tree-structured Parzen estimator."""


def _are_axes(vary: Mapping[str, Any]) -> bool:
    """Whether axes by name are each a text on a line, or a list of plain values."""
    return all(is_line(name) and isinstance(values, str | list) for name, values in vary.items()) and all(
        map(_is_written, vary.values())
    )


def _is_written(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_written, value))
    return (
        is_line(value) if isinstance(value, str) else value is None or isinstance(value, bool | int | float)
    )


@dataclass(frozen=True)
class SpaceRecord:
    """A space as it was written, how many members it has, and those that were trained.

    Args:
        name: what the page calls it.
        target: the definition, with settings.
        vary: its axes as they were written, each a text or a list of values.
        where: the conditions that members meet, as they were written.
        within: with ``of``, how near the multiply-adds of members are to it; empty for all members.
        of: what they are near to.
        size: members that it has in all.
        among: members that fit and meet the conditions, counted exactly at the images that are trained on.
        seed: of the draw.
        drawn: the labels of the arms that are members, in the order in which they were chosen.
        input: the shape of its inputs, if it sets one.
    """

    name: Line
    target: Line
    vary: Annotated[Mapping[str, Any], Must(_are_axes, "axes, each a text or a list of values")]
    where: tuple[Line, ...]
    within: Line
    of: Line
    size: Natural
    among: Natural
    seed: Natural
    drawn: tuple[Line, ...]
    input: Line = ""


@dataclass(frozen=True)
class SearchRecord:
    """A search for few multiply-adds and a small error that trains ``sample`` members at most.

    ``first`` members were drawn by the space's exact sampler, and as many are in each generation that is
    proposed after them; ``refused`` counts the proposals that were no members, and so were never trained.
    """

    sampler: Sampler
    sample: Positive
    first: Positive
    seed: Natural
    refused: Natural = 0

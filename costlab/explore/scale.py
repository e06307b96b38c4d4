"""Scaling a network to a budget: the largest member of its family that fits, on one axis of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from typing import Any

from costlab.algebra.dim import as_dim, text
from costlab.algebra.inputs import Inputs, as_input
from costlab.counting.row import COST, DEFAULT
from costlab.errors import CostlabError, DefinitionError
from costlab.explore.amount import LARGEST, amount
from costlab.explore.scaling.answer import Scaling, answer
from costlab.explore.scaling.compound import Compound
from costlab.explore.scaling.line import Line
from costlab.explore.scaling.lines import compound_line, line_named, lines_of
from costlab.explore.scaling.search import NoMemberError
from costlab.explore.scaling.subject import Subject, as_quantity, refuse_made
from costlab.messages import named
from costlab.targets.like import TargetLike
from costlab.targets.resolve import find


def scale_to(
    target: TargetLike,
    budget: float | Fraction | str,
    of: str | None = None,
    axis: str | Compound | None = None,
    *,
    input: object = None,
    batch: int = 1,
    inference: bool = False,
    convention: str = DEFAULT,
) -> Scaling:
    """The largest network within a budget that one number of a definition leads to, found exactly.

    ``budget`` is a number, or a text such as ``"5e9"`` or ``"5G"``; what it is ``of`` is a quantity of a
    count, multiply-adds unless another is named, or under another ``convention`` the cost. ``axis`` is a
    parameter under `Ratio`, `Dim` or ``int``; ``"input"``, the side of the square input; ``"depth"``, one
    factor of all parameters that repeat a part; or `Compound` coefficients for all three together. Without
    one it is ``width``, else the first `Ratio`, else the input. ``input``, ``batch``, ``inference`` and
    ``convention`` are those of a count. `Scaling.alternatives` has the same for the other axes.

    Raises:
        DefinitionError: an argument is malformed, no network is within the budget, or the axis does not
            change the quantity.
        TargetError: the target names nothing, or is made already.
        ShapeError: the target does not accept its input.
    """
    variant = find(target)
    refuse_made(variant)
    number = as_dim("batch", batch)
    if not isinstance(number, int):
        raise DefinitionError(f"batch={text(number)} must be a single number")
    if input is not None:
        variant = replace(variant, input=as_input(input))
        if isinstance(variant.input, Inputs):
            variant.resolve()  # which says what a definition takes
    wanted = as_quantity((DEFAULT if convention == DEFAULT else COST) if of is None else of)
    asked = _Asked(target, Subject(variant, wanted, number, inference, convention), _whole(budget))
    if isinstance(axis, Compound):
        line: Line = compound_line(asked.subject, axis)
    elif axis is None or isinstance(axis, str):
        line = line_named(asked.subject, axis)
    else:
        raise DefinitionError(f"axis={named(axis)} must be a name, or a Compound")
    try:
        found = answer(asked.target, asked.subject, line, asked.budget)
    except NoMemberError as error:
        raise DefinitionError(f"{variant.label}: {error}") from None
    return replace(found, _others=lambda: asked.others(line.name))


@dataclass(frozen=True)
class _Asked:
    """What was asked for, for the other axes."""

    target: TargetLike
    subject: Subject
    budget: int

    def others(self, axis: str) -> Iterator[Scaling]:
        """The answers on the other axes; one on which there is none says why."""
        for line in lines_of(self.subject):
            if line.name == axis:
                continue
            try:
                yield answer(self.target, self.subject, line, self.budget)
            except CostlabError as error:
                yield Scaling(
                    self.subject.label,
                    line.name,
                    self.subject.of,
                    self.subject.words,
                    self.budget,
                    line.shown_now(),
                    reason=str(error),
                )


def _whole(budget: Any) -> int:
    """The budget, without the part behind the point: quantities are whole numbers.

    Raises:
        DefinitionError: it is no number from 1 to below 1e100.
    """
    if isinstance(budget, str):
        return floor(amount(budget, "budget"))
    number = isinstance(budget, int | float | Fraction) and not isinstance(budget, bool)
    if not (number and budget >= 1):
        raise DefinitionError(f"budget={named(budget)} must be a number of at least 1")
    if budget >= LARGEST:
        raise DefinitionError(f"budget={named(budget)} must be below 1e100")
    whole: int = floor(budget)
    return whole

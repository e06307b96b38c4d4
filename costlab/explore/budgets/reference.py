"""What a count is held against: another target, or a count that was written before."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from costlab.algebra.inputs import Inputs
from costlab.counting.count import Count
from costlab.counting.count import count as count_target
from costlab.errors import TargetError
from costlab.explore.budgets.responsible import Part, grown, grown_since
from costlab.targets.catalog import is_listed
from costlab.targets.like import TargetLike

ReferenceLike: TypeAlias = TargetLike | Count | Path


@dataclass(frozen=True)
class Reference:
    """A network as it was before. ``name`` says what was named, ``target`` what was counted there.

    ``at`` is the input with its batch; ``heads``, ``step`` and ``priced`` are those of a `Count`, ``sizes``
    are its measures. ``count`` is the count where it was made now; else ``modules`` are the sizes by path, if
    the file holds them. ``not_counted`` are kinds of operations that are in no total.
    """

    name: str
    target: str
    at: str
    heads: bool
    step: bool
    priced: str
    sizes: Mapping[str, int]
    not_counted: tuple[str, ...] = ()
    count: Count | None = None
    modules: Mapping[str, Mapping[str, int]] | None = None

    def refuse_unlike(self, other: Count) -> None:
        """Refuse a count that was not made as this one: what differs could be that.

        Raises:
            TargetError: the input, the batch, the convention or what is counted of the network differs.
        """
        theirs = _ways(self.at, self.heads, self.step, self.priced)
        ours = _ways(placed_at(other), other.heads, other.is_step, other.priced)
        for was, now in zip(theirs, ours, strict=True):
            if was != now:
                raise TargetError(
                    f"{self.name} was counted {was}, {other.label} {now}: count both alike, "
                    "or the difference says nothing"
                )

    def grown(self, after: Count, quantity: str) -> tuple[Part, ...] | None:
        """The modules of a count that take more than here, the most grown first; None if it is not known."""
        if self.count is not None:
            return grown(self.count, after, quantity)
        if self.modules is None:
            return None
        return grown_since({path: sizes[quantity] for path, sizes in self.modules.items()}, after, quantity)


def _ways(at: str, heads: bool, step: bool, priced: str) -> tuple[str, ...]:
    return (
        f"at {at} (batch first)",
        "with auxiliary heads" if heads else "without auxiliary heads",
        "in a step of training" if step else "in a forward pass",
        f"in {priced}",
    )


def placed_at(count: Count) -> str:
    """The input of a count with the batch in it: a block takes one so many times, a module all at once."""
    return str(count.input) if isinstance(count.input, Inputs) else f"{count.batch}x{count.input}"


def reference_of(
    against: ReferenceLike, input: object, *, batch: Any, inference: bool, convention: str
) -> Reference:
    """The reference that is named: a target, counted as asked, or the file of a count; or a count itself.

    Raises:
        TargetError: it is a file that holds no count of this version, or is counted in part.
        OutputError: it is a file that cannot be read.
        CostlabError: a target cannot be counted.
    """
    if isinstance(against, Path) or (isinstance(against, str) and is_file_name(against)):
        from costlab.explore.budgets.count_file import read_reference

        return read_reference(Path(against))
    counted = against if isinstance(against, Count) else count_target(against, input, batch=batch)
    counted = (counted.inference if inference else counted).under(convention)
    counted.refuse_partial("is no reference")
    return Reference(
        counted.shown,
        counted.label,
        placed_at(counted),
        counted.heads,
        counted.is_step,
        counted.priced,
        {name: int(counted.size(name)) for name in counted.measures},
        tuple(counted.without_rule),
        count=counted,
    )


def is_file_name(text: str) -> bool:
    """Whether a reference is a file and no target: it ends so, or there is one, and no such definition."""
    if text.lower().endswith(".json"):
        return True
    if not text or text.endswith(".py") or "\0" in text or (re.fullmatch(r"\w+", text) and is_listed(text)):
        return False
    try:
        return Path(text).exists()
    except (OSError, RuntimeError):  # no name that a file can have, or a link that leads to itself
        return False

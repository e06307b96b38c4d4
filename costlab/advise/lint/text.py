"""Numbers as they stand in what is said of a finding."""

import re
from collections.abc import Sequence
from fractions import Fraction

from costlab.advise.graph import Step

JOIN = re.compile(r"\.(concat|add)(_\d+)?$")


def percent(share: float | Fraction) -> str:
    """A share, to a tenth of a percent."""
    return f"{float(100 * share):.1f}%"


def sizes_text(sizes: Sequence[int]) -> str:
    """Sizes as ``64x73x73``."""
    return "x".join(map(str, sizes))


def channels_text(channels: int) -> str:
    """So many channels."""
    return f"{channels} channel{'s' * (channels != 1)}"


def place_of(step: Step) -> str:
    """Its path; of a join of branches, which is no module of its own, that of the module it is in."""
    return JOIN.sub("", step.path)

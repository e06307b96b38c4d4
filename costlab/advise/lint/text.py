"""Numbers as they stand in what is said of a finding."""

from collections.abc import Sequence
from fractions import Fraction


def percent(share: float | Fraction) -> str:
    """A share, to a tenth of a percent."""
    return f"{float(100 * share):.1f}%"


def sizes_text(sizes: Sequence[int]) -> str:
    """Sizes as ``64x73x73``."""
    return "x".join(map(str, sizes))

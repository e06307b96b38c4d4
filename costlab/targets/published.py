"""Published figures of a variant, shown beside what is counted."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from costlab.errors import DefinitionError
from costlab.messages import named

ERRORS = ("top_1_error", "top_5_error")
DECIMAL = r"[0-9]+(\.[0-9]+)?"
LIKE = dict.fromkeys(ERRORS, "a percentage in digits, such as '21.2'") | {
    "multiply_adds": "billions in digits, such as '4.8'"
}


@dataclass(frozen=True)
class Published:
    """Figures of a publication, as printed; none of them is counted.

    Errors are in percent, ``"21.2"``, ``multiply_adds`` in billions, ``"4.8"``; None stands for a figure that
    is not printed. ``after`` is the label of the variant that this one improves on: the difference in error
    gives the cost of a further point of accuracy.

    Raises:
        DefinitionError: a figure is no decimal number, an error is above 100, or the source or ``after`` is
            not text on one line.
    """

    source: str
    top_1_error: str | None = None
    top_5_error: str | None = None
    multiply_adds: str | None = None
    after: str = ""

    def __post_init__(self) -> None:
        for name in ("source", "after"):
            value: Any = getattr(self, name)  # not yet known to be what it should be
            if not isinstance(value, str) or not value.isprintable():
                raise DefinitionError(f"Published: {name}={named(value)} must be text on one line")
        for name, like in LIKE.items():
            value = getattr(self, name)
            if value is None:
                continue
            decimal = isinstance(value, str) and re.fullmatch(DECIMAL, value)
            if not decimal or (name in ERRORS and Fraction(value) > 100):
                raise DefinitionError(f"{self.source}: {name}={named(value)} must be {like}")

    def gained(self, before: "Published", error: str) -> Fraction | None:
        """By how many points ``error`` has fallen; None if a figure is missing, or it may be rounding."""
        now, was = getattr(self, error), getattr(before, error)
        if now is None or was is None:
            return None
        gained = Fraction(was) - Fraction(now)
        return gained if gained > _rounding(now) + _rounding(was) else None


def _rounding(digits: str) -> Fraction:
    """The rounding error of a printed number: half a unit of its last digit."""
    return Fraction(1, 2 * 10 ** len(digits.partition(".")[2]))

"""Percentages as people write them."""

import re
from fractions import Fraction

WRITTEN = r"(\d{1,6}(?:\.\d{1,12})?)\s*%"


def percentage(value: object) -> Fraction | None:
    """A text such as ``2.5%`` as a fraction, exactly; None if it is none."""
    found = re.fullmatch(WRITTEN, value.strip(), re.ASCII) if isinstance(value, str) else None
    return None if found is None else Fraction(found[1]) / 100

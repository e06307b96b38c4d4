"""Amounts as people type them: ``5e9``, ``5_000_000_000``, ``5.7 G``; exactly that number, never a float."""

import re
from fractions import Fraction

from costlab.errors import DefinitionError
from costlab.messages import named

POWERS = {"": 0, "k": 3, "m": 6, "g": 9, "b": 9, "t": 12, "p": 15}
"""The powers of ten that letters stand for; a billion is a thousand million."""
NUMBER = (
    r"(?P<whole>\d{1,3}(?:,\d{3})+|\d+(?:_\d+)*)?(?:\.(?P<part>\d+(?:_\d+)*)?)?"
    r"(?:e\+?(?P<power>-?\d{1,3}))?\s*(?P<unit>[kmgbtp]?)"
)
LONGEST = 100
"""The most characters of an amount."""
LARGEST = 10**100
"""What an amount stays below."""


def amount(text: str, option: str, least: int = 1) -> int | Fraction:
    """The number that ``text`` stands for: an int where it is whole, else a fraction.

    Digits may be grouped as ``5_000_000_000`` or ``5,000,000,000``; a letter stands for a power of ten, k, M,
    G or B, T, P. ``option`` is what the number was given for, and begins the message.

    Raises:
        DefinitionError: it is no number, is below ``least``, or too large.
    """
    typed = text.strip()
    found = re.fullmatch(NUMBER, typed.removeprefix("-"), re.IGNORECASE | re.ASCII)
    if len(typed) > LONGEST or not found or not (found["whole"] or found["part"]):
        raise DefinitionError(f"{option}: {named(text)} is no number, such as 5e9, 5_000_000_000 or 5G")
    digits = re.sub("[_,]", "", found["whole"] or "0")
    part = (found["part"] or "").replace("_", "")
    power = int(found["power"] or 0) + POWERS[found["unit"].lower()]
    number = int(digits + part) * Fraction(10) ** (power - len(part))
    if typed.startswith("-") or number < least:
        raise DefinitionError(f"{option}: {named(text)} must be at least {least}")
    if number >= LARGEST:
        raise DefinitionError(f"{option}: {named(text)} must be below 1e100")
    return number.numerator if number.denominator == 1 else number

"""Amounts as people type them: ``5e9``, ``5_000_000_000``, ``5.7 G``, ``16GiB``; exactly, never a float."""

import re
from collections.abc import Mapping
from fractions import Fraction

from costlab.errors import DefinitionError
from costlab.messages import named

POWERS = {"": 0, "k": 3, "m": 6, "g": 9, "b": 9, "t": 12, "p": 15}
"""The powers of ten that letters stand for; a billion is a thousand million."""
BYTES = {"": 1, "b": 1} | {
    f"{letter}{unit}b": base ** (place + 1)
    for place, letter in enumerate("kmgtp")
    for unit, base in (("", 1000), ("i", 1024))
}
"""The units of bytes: ``GB`` is a thousand million of them, ``GiB`` 1024 times 1024 times 1024."""
NUMBER = (
    r"(?P<whole>\d{1,3}(?:,\d{3})+|\d+(?:_\d+)*)?(?:\.(?P<part>\d+(?:_\d+)*)?)?"
    r"(?:e\+?(?P<power>-?\d{1,3}))?\s*"
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
    units = {unit: 10**power for unit, power in POWERS.items()}
    return _read(text, option, least, units, "number, such as 5e9, 5_000_000_000 or 5G")


def amount_of_bytes(text: str, option: str, least: int = 1) -> int | Fraction:
    """The bytes that ``text`` stands for: ``16e9``, ``16GB`` or ``16GiB``, otherwise as `amount`.

    A letter alone is no unit: some mean a power of ten by it, others one of 1024.

    Raises:
        DefinitionError: it is no number of bytes, is below ``least``, or too large.
    """
    return _read(
        text, option, least, BYTES, "number of bytes, such as 16e9, 16GB (16e9) or 16GiB (16 * 2**30)"
    )


def _read(text: str, option: str, least: int, units: Mapping[str, int], what: str) -> int | Fraction:
    typed = text.strip()
    found = re.fullmatch(f"{NUMBER}(?P<unit>[a-z]*)", typed.removeprefix("-"), re.IGNORECASE | re.ASCII)
    unit = units.get(found["unit"].lower()) if found else None
    if len(typed) > LONGEST or not found or not unit or not (found["whole"] or found["part"]):
        raise DefinitionError(f"{option}: {named(text)} is no {what}")
    digits = re.sub("[_,]", "", found["whole"] or "0")
    part = (found["part"] or "").replace("_", "")
    number = int(digits + part) * Fraction(10) ** (int(found["power"] or 0) - len(part)) * unit
    if typed.startswith("-") or number < least:
        raise DefinitionError(f"{option}: {named(text)} must be at least {least}")
    if number >= LARGEST:
        raise DefinitionError(f"{option}: {named(text)} must be below 1e100")
    return number.numerator if number.denominator == 1 else number

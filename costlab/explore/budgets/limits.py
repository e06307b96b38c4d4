"""The limits of a budget, as people write them: whole amounts, and percentages of growth."""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from fractions import Fraction
from numbers import Integral

from costlab.algebra.percentage import percentage
from costlab.algebra.work import QUANTITIES
from costlab.counting.row import COST, DEFAULT, MEASURES
from costlab.errors import DefinitionError
from costlab.explore.amount import LARGEST, amount, amount_of_bytes
from costlab.explore.quantities import PEAK_MEMORY
from costlab.explore.running import refuse_untrained
from costlab.messages import named
from costlab.targets.project import as_written

COUNTED = (*MEASURES, *(each for each in QUANTITIES if each not in MEASURES), COST)
"""The quantities of a count, and what it costs under a convention."""
LIMITED = (*COUNTED, PEAK_MEMORY)
"""The quantities that may have a limit."""
EXACT = 2**53
"""The numbers below which a float is the number that was written, if it is whole."""


def as_limit(name: str, value: object, quantity: str = DEFAULT) -> int:
    """A limit as an exact int: a whole number, or its text, such as ``6e9``, ``25M`` or ``6_000_000_000``.

    ``name`` is what it was given for, and begins the message. A limit of peak memory is in bytes, ``16GiB``.

    Raises:
        DefinitionError: it is no whole number, is negative, too large, or a float that may be rounded.
    """
    if isinstance(value, str | Decimal):
        whole = (amount_of_bytes if quantity == PEAK_MEMORY else amount)(str(value), name, least=0)
        if isinstance(whole, Fraction):
            raise DefinitionError(f"{name}: {named(str(value))} is no whole number")
        return _within(name, whole)
    if isinstance(value, float) and value.is_integer():
        if abs(value) >= EXACT:
            raise DefinitionError(f"{name}: {value} may be rounded: give an int, or text such as '6e20'")
        return _within(name, int(value))
    if isinstance(value, Integral) and not isinstance(value, bool):
        return _within(name, int(value))
    raise DefinitionError(f"{name}: {as_written(value)} is no whole number, such as 6e9, 6_000_000_000 or 6G")


def as_increase(name: str, value: object) -> Fraction:
    """The share by which something may grow, as an exact fraction: ``0%``, ``1%``, ``2.5%``, or a Fraction.

    Raises:
        DefinitionError: it is none of these, or negative.
    """
    if isinstance(value, Fraction) and value >= 0:
        return value
    share = percentage(value)
    if share is None:
        raise DefinitionError(
            f"{name}: {as_written(value)} is no percentage of at least 0, such as 1% or 0.5%"
        )
    return share


def refuse_useless(
    most: Mapping[str, int],
    against: object,
    increase: Fraction | None,
    convention: str,
    write: Callable[[str], str],
    running: Collection[str] = (),
    *,
    inference: bool = False,
) -> None:
    """Refuse limits that hold nothing, or do not go together; ``write`` gives a name as it is written there.

    ``running`` are the names of the options that say how it runs whose memory is limited.

    Raises:
        DefinitionError: there is no limit, an increase without a reference, or one of these without another.
    """
    if PEAK_MEMORY not in most and (useless := next(iter(running), None)) is not None:
        raise DefinitionError(
            f"{write(useless)} goes with {write(f'max_{PEAK_MEMORY}')}: it says whose memory"
        )
    refuse_untrained(running, write)
    if inference and "train" in running:
        raise DefinitionError(f"{write('inference')} leaves out auxiliary heads, which {write('train')} runs")
    rise, reference = write("max_increase"), write("against")
    if increase is not None and against is None:
        raise DefinitionError(f"{rise} needs {reference}: what is it that may not grow?")
    if against is not None and increase is None:
        raise DefinitionError(f"{reference} needs {rise}, such as 1%, or 0% for nothing")
    if COST in most and convention == DEFAULT:
        raise DefinitionError(
            f"{write(f'max_{COST}')} needs {write('convention')}, whose cost it limits; "
            f"{write(f'max_{DEFAULT}')} limits multiply-adds"
        )
    if not most and increase is None:
        raise DefinitionError(
            f"there is no limit: give {write(f'max_{DEFAULT}')}, {write('max_parameters')}, "
            f"{write('max_activations')} or another, or {reference} with {rise}"
        )


def _within(name: str, value: int) -> int:
    if not 0 <= value < LARGEST:
        raise DefinitionError(f"{name}: {named(value)} must be at least 0, and below 1e100")
    return value

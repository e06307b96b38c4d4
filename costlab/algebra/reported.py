"""What a publication reports of a variant, to be shown beside what is counted."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from costlab.errors import DefinitionError

FIGURES = ("top_1_error", "top_5_error", "multiply_adds")


@dataclass(frozen=True)
class Reported:
    """Figures of a publication, as printed; nothing here is counted.

    Errors are in percent, ``multiply_adds`` in billions; None stands for what is not printed. ``after`` is
    the label of the variant that this one goes beyond, against which a further point of accuracy is priced.

    Raises:
        DefinitionError: a figure is no decimal number, or an error is no percentage.
    """

    source: str
    top_1_error: str | None = None
    top_5_error: str | None = None
    multiply_adds: str | None = None
    after: str = ""

    def __post_init__(self) -> None:
        for name in FIGURES:
            value = getattr(self, name)
            if value is None:
                continue
            highest = Decimal(100 if name.endswith("error") else "Infinity")
            if not isinstance(value, str) or not _is_within(value, highest):
                raise DefinitionError(f"{self.source}: {name}={value!r} must be a decimal number as printed")


def _is_within(text: str, highest: Decimal) -> bool:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    return number.is_finite() and 0 <= number <= highest

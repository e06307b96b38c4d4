"""What a source says of a count, and a tool of a model."""

from typing import Any, NamedTuple


class Finding(NamedTuple):
    """What one source said: on how many modules it agreed, or what was wrong first.

    ``left_out`` says why an optional source was not run.
    """

    source: str
    quantity: str
    modules: int
    problem: str = ""
    left_out: str = ""

    @property
    def agreed(self) -> bool:
        """Whether the source disagreed on no module."""
        return not self.problem

    def __str__(self) -> str:
        agreed = f"agreed on {self.modules} module{'s' * (self.modules > 1)}"
        return f"{self.source}, {self.quantity}: {self.problem or self.left_out or agreed}"


class Report(NamedTuple):
    """What a counting tool said of a model: its release, and its number or what was wrong."""

    release: str
    number: int | None
    problem: str = ""


def size_text(value: Any) -> str:
    """A size with thousands separators, or a shape."""
    return f"{value:,}" if isinstance(value, int) else "x".join(map(str, value))

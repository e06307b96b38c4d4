"""What a result shows of itself: a few lines at a prompt, what opens in a notebook."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from costlab.messages import shortened

MOST = 20
"""The most lines that are shown; in the place of the others stands how many they are."""
WIDEST = 400
"""The most characters of a line: a formula may take as many."""
LEVELS = ".modules(depth) gives one level of them"
"""How to see modules that a notebook does not show."""
T = TypeVar("T")


class Overview(ABC):
    """A result that shows itself in a few lines, however much is in it.

    Its ``repr`` is for people, and no code that makes it again.
    """

    @abstractmethod
    def _lines(self) -> Sequence[str]:
        """What it is in one line, and below it what there is to say of it at a prompt."""

    def _records(self) -> Sequence[Mapping[str, str]]:
        """The rows of its table in a notebook, by the titles of the columns."""
        return ()

    def _in_notebook(self) -> Sequence[str]:
        """What stands below its first line in a notebook, as HTML: its notes and its table."""
        from costlab.counting.folded import said, table

        return [said(self._notes()), table(self._records())]

    def _notes(self) -> Sequence[str]:
        """What is said above its table in a notebook."""
        return ()

    def __repr__(self) -> str:
        first, *others = self._lines()
        lines = (f"  {line}" for line in few(others, lambda more: f"... and {more} more"))
        return "\n".join(shortened(line, WIDEST) for line in (f"{type(self).__name__}: {first}", *lines))

    def _repr_html_(self) -> str:
        from costlab.counting.folded import framed

        return framed(self._lines()[0], *self._in_notebook())


def few(rows: Sequence[T], rest: Callable[[int], T]) -> Sequence[T]:
    """The rows; of many the first and the last, with what is said of those between."""
    if len(rows) <= MOST:
        return rows
    return [*rows[: MOST - 2], rest(len(rows) - MOST + 1), rows[-1]]

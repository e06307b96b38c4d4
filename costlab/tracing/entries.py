"""Functions that are entered in a table as they are defined."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def entered(table: dict[Any, Any], keys: Iterable[Any]) -> Callable[[F], F]:
    """A decorator that enters a function in a table under some keys, and leaves it as it is."""

    def enter(function: F) -> F:
        table.update(dict.fromkeys(keys, function))
        return function

    return enter

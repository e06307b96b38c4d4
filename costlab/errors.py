"""The exception tree: everything costlab raises on purpose is a ``CostlabError``."""

from typing import Self


def one_line(error: object) -> str:
    """What an error says, on one line: its type and its text, or a text alone."""
    told = f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else str(error)
    return " ".join(told.split())


class CostlabError(Exception):
    """A mistake that the user can mend; its text is one line that says what and where."""


class DefinitionError(CostlabError):
    """A block, a parameter or a definition is malformed, whatever it is fed."""


class ShapeError(CostlabError):
    """A block does not accept its input.

    ``path`` is the dotted module path of the block concerned, empty for the root.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.reason = reason
        self.path = path

    def at(self, path: str) -> Self:
        """The same error, told at ``path``."""
        return type(self)(self.reason, path)


class TargetError(CostlabError):
    """A target names nothing that can be counted."""


class OutputError(CostlabError):
    """A result cannot be written where it was asked for."""


class DataError(CostlabError):
    """Images to train on are not there, damaged, or not in the form that was said."""


class RunError(CostlabError):
    """A training run cannot be begun, continued or read: its folder, its study or its settings."""

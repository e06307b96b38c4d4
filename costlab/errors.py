"""The exception tree: everything costlab raises on purpose is a ``CostlabError``."""

from typing import Self

from costlab.messages import first_sentence, shortened


def one_line(error: object) -> str:
    """A text as one line; of an error its type and its message, of which others' is cut to a sentence."""
    if not isinstance(error, BaseException):
        return " ".join(str(error).split())
    message = one_line(str(error)) if isinstance(error, CostlabError) else first_sentence(error)
    return _of_type(error, message)


def first_line(error: BaseException) -> str:
    """The type of an error and the first line of its message, where others' messages go on after it."""
    return _of_type(error, first_sentence(error, of_line=True))


def _of_type(error: BaseException, message: str) -> str:
    name = shortened(type(error).__name__)
    return f"{name}: {message}" if message else name


class CostlabError(Exception):
    """A mistake that the user can correct; its text is one line that says what is wrong and where."""


class DefinitionError(CostlabError):
    """A block, a parameter or a definition is malformed, whatever its input."""


class ShapeError(CostlabError):
    """A block does not accept its input.

    ``path`` is the dotted module path of the block concerned, empty for the root.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.reason = reason
        self.path = path

    def at(self, path: str) -> Self:
        """The same error for another ``path``."""
        return type(self)(self.reason, path)


class TargetError(CostlabError):
    """A target does not name anything that can be counted."""


class DependsOnDataError(TargetError):
    """What a model does depends on the values of its data, which a count does not have."""


class DeviceError(CostlabError):
    """There is no such device, it lacks what is asked of it, or the file that it stands in is malformed."""


class CalibrationError(CostlabError):
    """A calibration cannot be read, or there is too little to fit one to."""


class MeasureError(CostlabError):
    """What was to be timed cannot run on this machine."""


class OutputError(CostlabError):
    """A result cannot be written to the place that was named."""


class DataError(CostlabError):
    """Images for training are missing, damaged, or not in the expected format."""


class RunError(CostlabError):
    """A training run cannot be begun, resumed or read, because of its folder, study or settings."""

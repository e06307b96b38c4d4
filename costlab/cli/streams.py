"""Standard output and standard error, which may be closed or full.

What cannot be printed on standard output is a mistake, as a result would be lost; on standard error there are
notes, without which a command goes on.
"""

import errno
import os
import sys
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any, TextIO

from costlab.errors import OutputError
from costlab.interrupts import end_by_pipe


class _Buffer(BufferedWriter):
    """The buffer of a stream. What cannot be written is raised once, or, of notes, left out."""

    def __init__(self, number: int) -> None:
        super().__init__(FileIO(number, "w", closefd=False))
        self._holds_notes = number == 2

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self._lose(error)
        return len(data)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        """What is left in the buffer would be written again, at the latest when Python ends: to nowhere."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
        if error.errno == errno.EPIPE:
            end_by_pipe()
        elif not self._holds_notes:
            reason = "it is closed" if error.errno == errno.EBADF else error.strerror
            raise OutputError(f"standard output cannot be written: {reason}") from error


def mend_streams() -> None:
    """Open what is closed, for reading nothing, and print what the terminal lacks in escapes.

    A descriptor that is closed would be that of the next file that is opened, into which others would print.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # gets the lowest number that is free: this one
            os.set_inheritable(number, True)
    sys.stdout, sys.stderr = _mended(1, sys.stdout), _mended(2, sys.stderr)


def _mended(number: int, stream: TextIO | None) -> TextIO:
    return TextIOWrapper(
        _Buffer(number),
        encoding=stream.encoding if stream else "utf-8",
        errors="backslashreplace",
        line_buffering=number == 2 or bool(stream and stream.line_buffering),
    )

"""The file of a document of HTML: written, or held against what would be written."""

from html import unescape
from pathlib import Path

from costlab.errors import OutputError
from costlab.files import read, refuse_taken, write
from costlab.report.folder import MOST_BYTES, WrittenFile
from costlab.report.html.document import DOCTYPE, OURS, mark_of
from costlab.report.html.evidence import with_digests
from costlab.report.page import command_in


def refuse_foreign_document(file: Path, target: str) -> None:
    """Refuse to replace a file that costlab did not write, or wrote as the page of something else.

    Raises:
        OutputError: the file is such a one, or cannot be read.
    """
    content = read(file, MOST_BYTES)
    if not content:
        return
    if not content.startswith(OURS.encode()):
        raise OutputError(f"{file} was not written by costlab report: give --force to replace it")
    there = content.split(b"\n", 2)[1].decode("utf-8", "replace")
    if there != mark_of(target):
        command = unescape(command_in(there))
        raise OutputError(
            f"{file} is the page of another command, {command!r}: name another file, or give --force"
        )


def write_document(file: Path, text: str, *, target: str, force: bool) -> WrittenFile:
    """Write a document; one that costlab wrote earlier of the same is replaced, unless it would not change.

    Raises:
        OutputError: there is another file, and ``force`` is not given, or it cannot be written.
    """
    refuse_taken(file, replace=True)
    if not force:
        refuse_foreign_document(file, target)
    changed = read(file, MOST_BYTES) != text.encode()
    if changed:
        write(file, text, replace=True)
    return WrittenFile(file, changed)


def difference(file: Path, text: str) -> str:
    """What is wrong with the file of a document, in a line; empty if it is as it would be written.

    The ``text`` has its pictures by the digest of their data.

    Raises:
        OutputError: it cannot be read.
    """
    content = read(file, MOST_BYTES)
    if content is None:
        return f"{file}: is missing"
    there = content.decode("utf-8", "replace")
    if not there.startswith(DOCTYPE):
        return f"{file}: is no page of costlab report"
    is_as_written = text in (there, with_digests(there))  # a name may look like a picture
    return "" if is_as_written else f"{file}: is not as it would be written"

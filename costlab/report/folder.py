"""A folder of pages: writing it, or comparing it with what would be written."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from costlab.errors import OutputError
from costlab.files import read, refuse_taken, write
from costlab.report.figure import Form, Picture, bears_name, digest_in
from costlab.report.page import MARK, OURS, Page, command_in, is_unchanged

FOREIGN = "was not written by costlab report: only --force replaces it"
MOST_BYTES = 2**26
"""What no page and no picture has: a file of nothing may be larger than the memory."""


class WrittenFile(NamedTuple):
    """A file, and whether its content has changed."""

    file: Path
    changed: bool


def render(
    pages: Iterable[Page], folder: Path, *, svg: bool = False, done: Callable[[Page], None]
) -> dict[Path, bytes]:
    """The contents of the files of pages and their pictures; ``done`` is called with each page.

    SVG files that costlab wrote there earlier are written again even without ``svg``.

    Raises:
        OutputError: a picture cannot be drawn.
    """
    contents = {}
    for page in pages:
        contents[folder / page.file] = page.text.encode()
        contents |= {file: picture.file(form) for file, picture, form in _pictures(page, folder, svg=svg)}
        done(page)
    return contents


def write_all(contents: Mapping[Path, bytes], *, force: bool) -> Iterator[WrittenFile]:
    """Write files, each atomically; those that costlab wrote earlier are replaced.

    A file that would not change is not written.

    Raises:
        OutputError: there is a file that costlab did not write, and ``force`` is not given, or one cannot be
            written; those written until then are complete.
    """
    refuse_taken(*contents, replace=True)
    if not force:
        for file, content in contents.items():
            refuse_foreign(file, content)
    for file, content in contents.items():
        changed = _read(file) != content
        if changed:
            write(file, content, replace=True)
        yield WrittenFile(file, changed)


def refuse_foreign(file: Path, content: bytes) -> None:
    """Refuse to replace a file that costlab did not write, or wrote as the page of something else.

    Raises:
        OutputError: the file is such a one, or cannot be read.
    """
    there = _read(file)
    first, ours = (content_.partition(b"\n")[0] for content_ in (there or b"", content))
    if not _is_own(file):
        reason = "was not written by costlab report"
    elif there and file.suffix == ".md" and first != ours:
        reason = f"is the page of another command, {command_in(first.decode('utf-8', 'replace'))!r}"
    else:
        return
    raise OutputError(f"{file} {reason}: name another folder, or give --force to replace it")


def of_others(files: Iterable[Path]) -> tuple[Path, ...]:
    """Those of the files that costlab did not write, or that somebody has changed since: sealed pages say so.

    Raises:
        OutputError: a file cannot be read.
    """
    return tuple(file for file in files if file.exists() and not _is_as_written(file))


def stale(page: Page, folder: Path, *, svg: bool = False) -> Iterator[str]:
    """A line for each file of a page that is not as it would be written, beginning with its name.

    Text is compared byte by byte, pictures by the digest of their data.

    Raises:
        OutputError: a file cannot be read.
    """
    file = folder / page.file
    if difference := _difference(_read(file), page.text):
        yield f"{file}: {difference if _is_own(file) else FOREIGN}"
    for file, picture, form in _pictures(page, folder, svg=svg):
        content = _read(file)
        if content is None:
            yield f"{file}: is missing"
        elif not _is_own(file):
            yield f"{file}: {FOREIGN}"
        elif (digest := digest_in(content, form)) is None:
            yield f"{file}: is no whole picture"
        elif digest != picture.digest:
            yield f"{file}: draws other data"


def leftovers(folder: Path, names: Iterable[str]) -> Iterator[str]:
    """A line for each file that costlab wrote there earlier and would not write now.

    These are pages of the evidence that are not among ``names``, and pictures that no page shows.
    """
    known, mark = {f"{name}.md" for name in names}, MARK.format(target="").encode()
    texts = {file: _read(file) or b"" for file in sorted(folder.glob("*.md"))}
    for file, text in texts.items():
        if file.name not in known and text.startswith(mark):
            yield f"{file}: is not written any more: delete it"
    all_pages = b"".join(texts.values())
    for file in sorted([*folder.glob("*.png"), *folder.glob("*.svg")]):
        if f"]({file.stem}.png)".encode() not in all_pages and _is_own(file):
            yield f"{file}: is shown on no page any more: delete it"


def _pictures(page: Page, folder: Path, *, svg: bool) -> Iterator[tuple[Path, Picture[Any], Form]]:
    for picture in page.pictures:
        yield folder / f"{picture.name}.png", picture, "png"
        drawing = folder / f"{picture.name}.svg"
        if svg or (drawing.is_file() and _is_own(drawing)):
            yield drawing, picture, "svg"


def _read(file: Path) -> bytes | None:
    return read(file, MOST_BYTES)


def _is_own(file: Path) -> bool:
    """Whether costlab wrote a file, complete or not; also if it is missing or empty."""
    content = _read(file)
    if content is None:
        return True
    if file.suffix == ".md":
        return not content or content.startswith(OURS.encode())
    return bears_name(content, file.stem)


def _is_as_written(file: Path) -> bool:
    """Whether there is a file that costlab wrote, as far as it can be known still as it did."""
    if not (file.is_file() and _is_own(file)):
        return False
    content = _read(file)
    return not content or file.suffix != ".md" or is_unchanged(content)


def _difference(content: bytes | None, text: str) -> str:
    """How the first differing line differs from what would be written; empty if there is none."""
    if content is None:
        return "is missing"
    if content == text.encode():
        return ""
    current, wanted = content.decode("utf-8", "replace").split("\n"), text.split("\n")
    place = next((i for i, (a, b) in enumerate(zip(current, wanted, strict=False)) if a != b), None)
    if place is None:
        place = min(len(current), len(wanted))
        there, here = ("more" if len(lines) > place else "no more" for lines in (current, wanted))
    else:
        there, here = _excerpt(current[place], wanted[place]), _excerpt(wanted[place], current[place])
    return f"line {place + 1} has {there} and would have {here}"


def _excerpt(line: str, other: str, around: int = 24) -> str:
    """The part of a line in which it differs from another."""
    at = next(
        (i for i, (a, b) in enumerate(zip(line, other, strict=False)) if a != b), min(len(line), len(other))
    )
    start, end = max(0, at - around), at + around
    before, after = "…" if start > 0 else "", "…" if end < len(line) else ""
    return repr(f"{before}{line[start:end]}{after}")

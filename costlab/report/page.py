"""Pages of Markdown with tables and pictures."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, TypeAlias

from costlab.report.figure import Picture
from costlab.report.table import Table, inline

OURS = "<!-- Written by costlab report"
"""The beginning of every page that costlab writes."""
MARK = OURS + "{target}: it is written anew as a whole, and changes by hand are lost. -->"
COMMAND = re.compile(r"<!-- Written by (.*?): it is written anew")
SEAL = "<!-- {digest}: the text above as it was written. -->\n"
SEALED = re.compile(rf"(?P<text>.*)\n{SEAL.format(digest='(?P<digest>[0-9a-f]+)')}".encode(), re.DOTALL)

Part: TypeAlias = str | Table | Picture[Any]


@dataclass(frozen=True)
class Page:
    """A file of Markdown, with the pictures in the same folder.

    ``summary`` says in a sentence what is on it; ``problems`` are the checks that failed, a line each.
    """

    name: str
    title: str
    summary: str
    text: str
    pictures: tuple[Picture[Any], ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The name of the file."""
        return f"{self.name}.md"


def page(
    name: str,
    title: str,
    summary: str,
    parts: Iterable[Part],
    problems: Iterable[str] = (),
    target: str = "",
) -> Page:
    """A page of paragraphs, tables and pictures, in this order; ``target`` is that of the command."""
    parts = tuple(parts)
    mark = MARK.format(target=f" {target}".replace("-->", "--\\>") if target else "")
    text = "\n".join(f"{_markdown(part).strip()}\n" for part in (mark, f"# {inline(title)}", summary, *parts))
    pictures = tuple(part for part in parts if isinstance(part, Picture))
    return Page(name, title, summary, text, pictures, tuple(problems))


def command_in(mark: str) -> str:
    """The command in a `MARK`, as it was typed; the line itself if it is none."""
    found = COMMAND.match(mark)
    return found[1] if found else mark


def sealed(page: Page) -> Page:
    """The page with a digest of its text below it: so it is known whether somebody has changed it."""
    return replace(page, text=f"{page.text}\n{SEAL.format(digest=_digest(page.text.encode()))}")


def is_unchanged(content: bytes) -> bool:
    """Whether a file holds a page with the digest of its text."""
    match = SEALED.fullmatch(content)
    return match is not None and match["digest"].decode() == _digest(match["text"])


def _digest(text: bytes) -> str:
    return sha256(text).hexdigest()[:16]


def picture_in_markdown(picture: Picture[Any], folder: str = "") -> str:
    """A picture in Markdown."""
    alt = re.sub(r"(\\.)|([\[\]])", lambda sign: sign[1] or f"\\{sign[2]}", inline(picture.alt))
    return f"![{alt}]({folder}{picture.name}.png)"


def _markdown(part: Part) -> str:
    if isinstance(part, Table):
        return part.to_markdown()
    return part if isinstance(part, str) else picture_in_markdown(part)

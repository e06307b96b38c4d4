"""What a notebook shows of a result: its lines, which of them at once, and what each opens."""

import re
from html.parser import HTMLParser

VOID = {"br", "hr"}


class Shown(HTMLParser):
    """The lines of trees and tables, by their cells, in their order; those above a fold open it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[list[str]] = []
        self.depths: list[int] = []
        """In how many folds each line is; a line that opens a fold is not in it."""
        self.tags: list[str] = []
        self.styles: list[str] = []
        self.used: set[str] = set()
        self._row: list[str] = []

    @property
    def at_once(self) -> list[list[str]]:
        """The lines that are shown before anything is opened."""
        return [line for line, depth in zip(self.lines, self.depths, strict=True) if not depth]

    def below(self, place: int) -> list[int]:
        """The places of the lines that a line opens."""
        found = []
        for later in range(place + 1, len(self.lines)):
            if self.depths[later] <= self.depths[place]:
                break
            if self.depths[later] == self.depths[place] + 1:
                found.append(later)
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.used.add(tag)
        self.styles += [value or "" for name, value in attrs if name == "style"]
        assert {name for name, _ in attrs} <= {"style", "class"}
        self.tags.append(tag)
        if tag in ("td", "th"):
            self._row.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.tags.pop() == tag
        if tag == "tr":
            self._add(self._row)
            self._row = []

    def handle_data(self, data: str) -> None:
        if "table" in self.tags:
            self._row[-1] += data
        elif "pre" in self.tags or "summary" in self.tags:
            for line in filter(str.strip, data.split("\n")):
                self._add(re.split(r" {2,}", line.strip()))

    def _add(self, line: list[str]) -> None:
        self.lines.append(line)
        self.depths.append(self.tags.count("details") - self.tags.count("summary"))


def read(html: str) -> Shown:
    """The HTML of a result; each tag of it is closed, and none is anything but text, a table or a fold."""
    shown = Shown()
    shown.feed(html)
    shown.close()
    assert not shown.tags
    return shown

"""Pages of HTML as a browser reads them, their data, and a model with names of any kind."""

import json
from html.parser import HTMLParser
from typing import Any

from torch import Tensor, nn

NAMES = (
    '<img src=x onerror="alert(1)">',
    "</script><script>alert(2)</script>",
    "\u202egnol \u05e9\u05dc\u05d5\u05dd",
    "x" * 400,
    "quote ' \" & <!-- --> \u2028 \x07 ${title}",
)
"""Names that would run, end or turn something, if anything took them for more than a name."""


class Odd(nn.Module):
    """Layers with such names, and one that lies as deep as one likes."""

    def __init__(self, depth: int = 40) -> None:
        super().__init__()
        for name in NAMES:
            self.add_module(name, nn.Conv2d(3, 3, 1))
        inner: nn.Module = nn.Conv2d(3, 3, 1)
        for _ in range(depth):
            inner = nn.Sequential(inner)
        self.deep = inner

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = layer(x)
        return x


class Elements(HTMLParser):
    """The elements of a page: their tags, attributes and ids, and the text of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.comments: list[str] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.text: list[str] = []
        self._open = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._open = tag
        if tag in self.raw:
            self.raw[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in self.raw:
            self.raw[self._open][-1] += data
        else:
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def values(self, name: str) -> list[str | None]:
        """The values of all attributes of a name."""
        return [value for each, value in self.attributes if each == name]


def data_of(page: str) -> Any:
    """The data of a page, as anybody would read it."""
    (block,) = [text for text in Elements(page).raw["script"] if text.startswith("{")]
    return json.loads(block)


def paths_of(network: Any) -> list[str]:
    """The path of each module of a network in the data."""
    columns = network["modules"]
    paths: list[str] = []
    for parent, name in zip(columns["parent"], columns["name"], strict=True):
        above = paths[parent] if parent >= 0 else ""
        paths.append(f"{above}.{name}" if above else name)
    return paths


def sums_of(data: Any, network: Any, part: int, place: int) -> dict[str, int]:
    """What each module has with all below it: of a quantity (part 1), or of a cost (part 2)."""
    columns = network["modules"]
    sums = [0 if work < 0 else int(network["works"][work][part][place]) for work in columns["work"]]
    for at in range(len(sums) - 1, 0, -1):
        sums[columns["parent"][at]] += sums[at]
    return dict(zip(paths_of(network), sums, strict=True))

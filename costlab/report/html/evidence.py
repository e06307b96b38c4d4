"""Pages of Markdown as one document of HTML, with their pictures in it."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from costlab.report.figure import Form, Picture, digest_in
from costlab.report.html.document import document
from costlab.report.html.network import head
from costlab.report.html.text import escaped, isolated
from costlab.report.page import OURS, Page

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

Source = Callable[[Picture[Any]], str]
"""What gives the address of a picture."""
KINDS: Mapping[Form, str] = {"png": "image/png", "svg": "image/svg+xml"}
EMBEDDED = re.compile(r"data:image/(?:png|svg\+xml);base64,([A-Za-z0-9+/=]+)")
NOT_IN_IT = "Not in this page, and left as plain text where it is linked to"


def pages_document(
    pages: Sequence[Page], source: Source, *, target: str = "", about: str = "", index: str = ""
) -> str:
    """The pages one below the other, with a list of them; the page that is the ``index`` comes first.

    Links from one to another lead inside. ``about`` says what belongs to the pages and is not in them.
    """
    ordered = sorted(pages, key=lambda page: page.name != index)
    inside = {page.file: page for page in ordered}
    pictures = {f"{each.name}.png": each for page in pages for each in page.pictures}
    outside: dict[str, None] = {}
    first, *others = ordered
    titles = ((page.name, page.title) for page in ordered)
    contents = "".join(f'<li><a href="#{escaped(name)}">{isolated(title)}</a></li>' for name, title in titles)
    parsed = [(page, _tokens(page)) for page in ordered]
    del parsed[0][1][:3]  # its title is the document's
    headings = {page.file: _headings(tokens) for page, tokens in parsed}
    for page, tokens in parsed:
        _place(tokens, pictures, {picture.name for picture in page.pictures}, source)
        _link(tokens, inside, headings, outside)
    sections = [
        f'<section id="{escaped(page.name)}">{_rendered(tokens)}</section>' for page, tokens in parsed
    ]
    nav = f'<nav aria-label="Contents"><ul>{contents}</ul></nav>' if others else ""
    left_out = [about] if about else []
    left_out += [f"{NOT_IN_IT}: {', '.join(outside)}."] if outside else []
    footer = "".join(f"<p>{escaped(line)}</p>" for line in left_out)
    body = (
        f'{head(first.title, "")}<div class="prose">{nav}<main>{"".join(sections)}'
        f"<footer>{footer}</footer></main></div>"
    )
    return document(first.title, body, target=target)


def drawn(form: Form) -> Source:
    """Pictures drawn, and put in as they are."""

    def source(picture: Picture[Any]) -> str:
        return f"data:{KINDS[form]};base64,{b64encode(picture.file(form)).decode()}"

    return source


def by_digest(picture: Picture[Any]) -> str:
    """A picture by the digest of its data: it need not be drawn to be compared."""
    return f"digest:{picture.digest}"


def with_digests(text: str) -> str:
    """A document with each picture in it replaced by the digest of its data, as `by_digest` has it."""

    def replaced(found: re.Match[str]) -> str:
        form: Form = "svg" if found[0].startswith("data:image/svg") else "png"
        try:
            digest = digest_in(b64decode(found[1]), form)
        except ValueError:  # what is altered
            digest = None
        return f"digest:{digest}"

    return EMBEDDED.sub(replaced, text)


def _tokens(page: Page) -> "list[Token]":
    """A page of Markdown as tokens, with what is of its own in HTML: levels of headings, sides of cells."""
    text = "\n".join(line for line in page.text.splitlines() if not _is_mark(line))
    tokens = _reader().parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1:]) + 1)}"
        elif token.type in ("th_open", "td_open") and "right" in str(token.attrs.pop("style", "")):
            token.attrs["class"] = "number"  # the policy of the document forbids styles of elements
    return tokens


def _place(
    tokens: "list[Token]", pictures: Mapping[str, Picture[Any]], own: Container[str], source: Source
) -> None:
    """Put pictures in: each where its own page shows it; where another does, a link leads there."""
    for token in _all(tokens):
        picture = pictures.get(str(token.attrs.get("src"))) if token.type == "image" else None
        if picture is None:
            continue
        place = f"picture-{picture.name}"
        if picture.name in own:
            token.attrs |= {"src": source(picture), "id": place}
        else:
            token.type = "html_inline"
            token.content = f'<a href="#{escaped(place)}">Picture: {escaped(picture.alt)}</a>'


def _rendered(tokens: "list[Token]") -> str:
    reader = _reader()
    written: str = reader.renderer.render(tokens, reader.options, {})
    return written.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")


@cache
def _reader() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _headings(tokens: "Sequence[Token]") -> "dict[str, Token]":
    """The headings of a page by their anchors in Markdown, as GitHub makes them; the first of those alike."""
    found: dict[str, Token] = {}
    for heading, words in pairwise(tokens):
        if heading.type == "heading_open":
            anchor = re.sub(r"[^\w\- ]", "", words.content.lower()).replace(" ", "-")
            found.setdefault(anchor, heading)
    return found


def _link(
    tokens: Iterable["Token"],
    inside: Mapping[str, Page],
    headings: "Mapping[str, Mapping[str, Token]]",
    outside: dict[str, None],
) -> None:
    """Let links to other pages lead to their places, and those to what is not in it nowhere.

    One to a heading there, by its anchor, leads to that heading.

    A link that shows the name of a file, which is not there, shows the title of the page.
    """
    for token in tokens:
        parts = token.children or []
        for opening, shown in pairwise(parts):
            if opening.type != "link_open":
                continue
            address = str(opening.attrs["href"])
            file, _, anchor = address.partition("#")
            page = inside.get(file)
            if page:
                heading = headings[file].get(anchor)
                place = f"{page.name}-{anchor}" if heading else page.name
                if heading:
                    heading.attrs["id"] = place
                opening.attrs["href"] = f"#{place}"
                shown.content = page.title if shown.content == page.file else shown.content
            elif not re.match(r"https?:|#", address):
                del opening.attrs["href"]
                outside[address] = None


def _all(tokens: Iterable["Token"]) -> Iterable["Token"]:
    for token in tokens:
        yield token
        yield from _all(token.children or ())


def _is_mark(line: str) -> bool:
    """Whether a line is what costlab writes for itself: whose page it is, and that nobody changed it."""
    return line.startswith((OURS, "<!-- ")) and line.endswith("-->")

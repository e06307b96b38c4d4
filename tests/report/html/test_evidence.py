"""Pages of Markdown as one document: their links, tables and pictures, and what is said to be left out."""

import re
from typing import Any, NamedTuple

import pytest

from costlab.report.cell import Column
from costlab.report.figure import Form, Picture
from costlab.report.html.evidence import by_digest, drawn, pages_document, with_digests
from costlab.report.page import Page, page
from costlab.report.pages import index
from costlab.report.table import Table
from tests.report.html.reading import Elements


class Dot(NamedTuple):
    """The data of a picture."""

    x: int


def picture(name: str, x: int = 1) -> Picture[Any]:
    def draw(figure: Any, data: Dot) -> None:
        figure.subplots().plot([0, data.x], [0, 1])

    return Picture(name, f"A line to {x} in <{name}>", Dot(x), draw, (2, 1))


def two(x: int = 1) -> tuple[Page, Page]:
    columns = (Column("name", "name"), Column("size", "size", "size"))
    table = Table("T", columns, (("a|b <img>", 1234), ("_c_ \\ `d`", 5)))
    one = page("one", "The one", "First.", (table, picture("dot", x), "Behind [it](two.md#x)."))
    text = "![A line to 1](dot.png)\n\nMore: [one.md](one.md), [far](https://x.y/z), [runs](runs/a.json)."
    return one, page("two", "The <two>", "Second.", (text, "## Part", "<script>alert(1)</script>"))


def test_pages_stand_one_below_the_other_with_links_between_them() -> None:
    html = pages_document(two(), by_digest, index="two", about="Records are not in it.")
    found = Elements(html)
    ids = found.values("id")
    assert [each for each in ids if each in ("one", "two")] == ["two", "one"]
    assert found.values("href")[1:] == ["#two", "#one", "#picture-dot", "#one", "https://x.y/z", "#two"]
    assert "picture-dot" in ids
    assert html.count("digest:") == 1
    assert "Records are not in it." in html
    assert "left as plain text where it is linked to: runs/a.json." in html
    assert found.tags.count("script") == 0
    assert "alert(1)" in "".join(found.text)
    assert '<p>More: <a href="#one">The one</a>,' in html


def test_a_link_to_a_heading_leads_there() -> None:
    one, two_ = two()
    back = page("three", "Three", "Third.", ("[a](two.md#part), [b](two.md#part), [c](two.md#no-such-one)",))
    found = Elements(html := pages_document((one, back, two_), by_digest))
    assert found.values("href")[-6:-3] == ["#two-part", "#two-part", "#two"]
    assert '<h3 id="two-part">Part</h3>' in html


def test_tables_and_headings() -> None:
    html = pages_document(two(), by_digest)
    found = Elements(html)
    assert found.tags.count("h1") == 1
    assert found.tags.count("h2") == 1  # of the first page the title is that of the document
    assert "<h3>Part</h3>" in html
    assert '<td>a|b &lt;img&gt;</td>\n<td class="number">1,234</td>' in html
    assert "<td>_c_ \\ `d`</td>" in html
    assert not found.values("style")
    assert "Written by costlab" not in "".join(found.text)


def test_pictures_are_in_it_and_compared_by_their_data() -> None:
    forms: tuple[Form, ...] = ("png", "svg")
    for form in forms:
        html = pages_document(two(), drawn(form))
        assert re.search(
            r'<img src="data:image/[a-z+]+;base64,[A-Za-z0-9+/=]{200,}" alt="A line to 1 in', html
        )
        assert with_digests(html) == pages_document(two(), by_digest)
        assert with_digests(html) != pages_document(two(2), by_digest)
    altered = re.sub(r"base64,(.{100})", r"base64,", pages_document(two(), drawn("png")))
    assert "digest:None" in with_digests(altered)


@pytest.mark.usefixtures("pages")
def test_the_evidence_is_whole(pages: tuple[Page, ...]) -> None:
    html = pages_document(pages, by_digest, index=index.NAME)
    found = Elements(html)
    ids = found.values("id")
    assert len(ids) == len(set(ids))
    assert {page.name for page in pages} <= {*ids}
    shown = {picture.digest for page in pages for picture in page.pictures}
    assert sorted(re.findall(r"digest:(\w+)", html)) == sorted(shown)
    inside = {str(address)[1:] for address in found.values("href") if str(address).startswith("#")}
    assert inside <= {*ids}
    assert not any(str(address).endswith((".md", ".png")) for address in found.values("href"))
    assert "left as plain text" not in html

"""A document is complete in itself, loads nothing, and takes no name for markup."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest
import torch

from costlab.counting.count import count
from costlab.counting.family import FAMILIES
from costlab.report.cell import Column
from costlab.report.html.document import FOLDER, OURS, SCRIPTS, document
from costlab.report.html.network import html_page
from costlab.report.html.table import table_html
from costlab.report.html.text import escaped, json_block
from costlab.report.table import Table
from tests.report.html.reading import NAMES, Elements, Odd


def digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def test_it_runs_its_own_style_and_code_and_nothing_else() -> None:
    found = Elements(html_page(count("stem")))
    (policy,) = [value for value in found.values("content") if value and "default-src" in value]
    _, code = found.raw["script"]
    (style,) = found.raw["style"]
    assert policy == (
        f"default-src 'none'; style-src {digest(style)}; script-src {digest(code)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    assert not found.values("style")  # which the policy forbids
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert found.values("href") == ["data:,"]
    assert not found.values("src")


def test_families_that_have_a_color_are_families() -> None:
    (listed,) = re.findall(
        r"FAMILY_CLASSES = new Map\(\s*\[(.*?)\]", (FOLDER / "page.js").read_text(), re.DOTALL
    )
    assert set(re.findall(r'"([^"]+)"', listed)) <= set(FAMILIES)


def test_without_code_no_script_may_run() -> None:
    assert "script-src 'none'" in document("t", "<p>text</p>")


def test_nothing_in_it_leads_out() -> None:
    texts = [file.read_text("utf-8") for file in FOLDER.iterdir()]
    assert {file.name for file in FOLDER.glob("*.js")} == {f"{name}.js" for name in SCRIPTS}
    assert all(file.read_text("utf-8").isascii() for file in FOLDER.iterdir() if file.suffix != ".html")
    for text in texts:
        assert not re.search(r"https?:|//cdn|@import|url\(|fetch\(|import\(|eval\(|innerHTML|</script", text)


def test_names_are_text_wherever_they_stand() -> None:
    page = html_page(count(Odd(2), torch.zeros(1, 3, 4, 4)))
    found = Elements(page)
    assert found.tags.count("script") == 2
    assert "img" not in found.tags
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert len(found.comments) == 1
    text = "".join(found.text)
    assert NAMES[0] in text  # as it stands in the table for those without JavaScript
    assert "\u202e" not in page
    assert "\u2028" not in page
    assert "\x07" not in page
    assert page.isascii()  # so that any stream carries it


@pytest.mark.parametrize("target", ["x --> <b>", "x --!> y", "<!-- x", "a\nb", "-->", "${title}"])
def test_no_target_ends_the_mark(target: str) -> None:
    page = document("t", "<p>text</p>", target=target)
    found = Elements(page)
    assert page.startswith(OURS)
    assert len(found.comments) == 1
    assert "b" not in found.tags
    assert page.splitlines()[1].endswith(": it is written anew as a whole, and changes by hand are lost. -->")


def test_text_is_escaped() -> None:
    assert escaped("<a href=\"x\"> & 'y' \x1b[31m\ud800") == (
        "&lt;a href=&quot;x&quot;&gt; &amp; &#x27;y&#x27; \\ud800"
    )
    assert json_block("d", {"</script><!--": "\u2028\u00e9"}) == (
        '<script type="application/json" id="d">{"\\u003c/script>\\u003c!--":"\\u2028\\u00e9"}</script>'
    )


def test_a_table_has_its_title_its_numbers_at_the_right_its_total_and_its_notes() -> None:
    columns = (Column("name", "name"), Column("size", "size", "size"), Column("x", "x", machine_only=True))
    table = Table("A <title>", columns, (("<b>", 1234, 1),), ("total", 1234, 1), ("a & b",))
    html = table_html(table)
    assert "<caption>A &lt;title&gt;</caption>" in html
    assert '<th scope="col">name</th><th scope="col" class="number">size</th></tr>' in html
    assert (
        '<tbody><tr><td><bdi>&lt;b&gt;</bdi></td><td class="number"><bdi>1,234</bdi></td></tr></tbody>'
        in html
    )
    assert "<tfoot><tr><td><bdi>total</bdi></td>" in html
    assert html.endswith('<p class="note">a &amp; b</p>')

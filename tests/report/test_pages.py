"""The pages of the evidence: their numbers, links and pictures, and nothing of the machine that made them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from costlab.algebra import Conv2d, ReLU, seq
from costlab.checking import cross_check
from costlab.checking.finding import Finding
from costlab.counting.count import count
from costlab.errors import TargetError
from costlab.paper import CLAIMS, verify
from costlab.report.evidence import names_with, page_of
from costlab.report.page import OURS, Page
from costlab.report.pages import network
from costlab.report.pages.claims import claims_page
from costlab.report.pages.index import SHOWN
from costlab.report.pages.network import file_name, network_page
from costlab.targets.resolve import without_folder
from tests.report.rendering import letters_of, render

LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)]+)\)")


@pytest.fixture
def texts(pages: tuple[Page, ...]) -> dict[str, str]:
    return {page.name: page.text for page in pages}


def test_the_pages_are_those_that_are_named(pages: tuple[Page, ...]) -> None:
    assert tuple(page.name for page in pages) == names_with()
    assert not any(page.problems for page in pages)


def test_every_link_leads_somewhere_and_every_picture_is_shown(pages: tuple[Page, ...]) -> None:
    files = {page.file for page in pages} | {f"{each.name}.png" for page in pages for each in page.pictures}
    for page in pages:
        links = LINK.findall(page.text)
        assert {target for _, _, target in links} <= files
        assert all(text for _, text, _ in links)
        shown = [target for mark, _, target in links if mark]
        assert len(shown) == len(set(shown))
        assert {f"{each.name}.png" for each in page.pictures} <= set(shown)
    index = [target for mark, _, target in LINK.findall(pages[-1].text) if mark]
    assert index == [f"{name}.png" for name in SHOWN]
    linked = {target for mark, _, target in LINK.findall(pages[-1].text) if not mark}
    assert linked == {page.file for page in pages[:-1]}


def test_nothing_tells_the_machine_or_the_day(texts: dict[str, str]) -> None:
    for text in texts.values():
        assert text.startswith(OURS)
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert not re.search(r"/(home|root|tmp|usr|work|Users)/", text)
        assert str(Path.home()) not in text
        assert not re.search(r"\b20\d\d-\d\d-\d\d\b|\b\d\d:\d\d\b", text)


def test_the_headlines(texts: dict[str, str]) -> None:
    index = texts["README"]
    assert "5,713,216,096 multiply-adds and 23,834,568 parameters" in index
    for line in (
        "| budget-madds | abstract | multiply-adds | 5 billion ±15% | 5,713,216,096 |  | +14.26% | close |",
        "| budget-params | abstract | parameters | < 25 million | 23,834,568 |  | -4.66% | holds |",
        "| 5x5-vs-3x3 | 3.1 | 5x5 by 3x3 | 2.78x | 2.778x (25/9) |  |  | exact |",
        "| two-3x3 | 3.1 | multiply-adds saved | 28% | 28% |  |  | exact |",
        "| asymmetric | 3.2 | multiply-adds saved | 33% | 33.33% (1/3) |  |  | exact |",
    ):
        assert line in index
    assert "7 exact, 6 holds, 2 close, 6 not countable, 12 differs" in index


def test_the_page_of_the_counting_tools(texts: dict[str, str]) -> None:
    page = texts["conventions"]
    for row in (
        "| fvcore FlopCountAnalysis | 5,731,282,144 | 1,582,722,048 |",
        "| torchprofile | 5,724,188,032 |",
        "| ptflops, pytorch backend | 5,759,205,192 | 5,713,216,096 | 1,000 | 17,934,976 | 10,118,144 |",
        "| thop | 5,751,221,568 | 5,713,216,096 | - | 35,869,952 | 2,135,520 | - | +38,005,472 |",
    ):
        assert row in page
    assert "counted twice" in page


def test_the_page_of_the_network(texts: dict[str, str]) -> None:
    page = texts["inception_v3"]
    for row in (
        "| stem | stem | 192x35x35 | 172,672 | 1,340,779,616 | 2,681,559,232 | 4,179,088 | 23.5% |",
        "| **total** |  |  | **23,834,568** | **5,713,216,096** | **11,426,432,192** | **8,968,488** | "
        "**100.0%** |",
        "| 5x5 | 3 | 230,400 | 282,240,000 | 564,480,000 | 235,200 | 4.9% |",
        "| linear | 1 | 2,049,000 | 2,048,000 | 4,096,000 | 1,000 | 0.0% |",
        "| torch FlopCounterMode | FLOPs, two per multiply-add | 454 | agreed |",
    ):
        assert row in page
    assert page.count("| agreed |") == 11
    kernels = page.partition("by kernel**")[2].partition("**total**")[0]
    rows = [row.split("|")[4].strip().replace(",", "") for row in kernels.splitlines() if row.count("|") == 8]
    sizes = [int(size) for size in rows if size.isdigit()]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == 7


def test_the_page_of_factorizations(texts: dict[str, str]) -> None:
    page = texts["factorization"]
    for formula in ("`2/n`", "`9*(alpha + 1)/(25*sqrt(alpha))`", "`(H - 1)*(W - 1)/(4*H*W)`"):
        assert formula in page
    assert page.count("each form was held against counts") == 7
    assert "| plain 7x7 | 9,703,025,248 |" in page


def test_the_page_of_claims_derives_each(texts: dict[str, str]) -> None:
    page = texts["claims"]
    assert re.findall(r"^### (\S+)$", page, re.MULTILINE) == list(CLAIMS)
    assert "616,627,296 / 203,297,472" in page


def test_the_page_of_claims_and_its_picture_count_the_same(pages: tuple[Page, ...]) -> None:
    """33 claims state 68 figures: tests/paper says which."""
    (page,) = (each for each in pages if each.name == "claims")
    claims = "33 claims, each by its weakest figure: 7 exact, 6 holds, 2 close, 6 not countable, 12 differs"
    figures = "68 figures: 22 exact, 13 holds, 5 close, 9 not countable, 19 differs"
    assert f"{claims}. These have {figures}." in page.summary
    (picture,) = page.pictures
    every = " ".join(" ".join(each.text.split()) for each in letters_of(render(picture)))
    assert f"{claims} {figures}; 36 drawn" in every
    assert len(picture.data.dots) == 36


def test_the_page_of_the_lineage(texts: dict[str, str]) -> None:
    page = texts["lineage"]
    assert "| PReLU-net C (?) | 3x224x224 | 53,463,130,112 |" in page
    assert "| 4 Inception-v3, 144 crops | 3x299x299 | 144 | 3,290,812,471,296 |" in page
    assert page.count("(?): its layers were not verified against their source") == 4


def test_a_claim_that_has_moved_is_a_problem() -> None:
    (each,) = verify("budget-madds")
    moved = replace(each, expected=verify("budget-params")[0].expected)
    assert claims_page([each], {}).problems == ()
    assert claims_page([moved], {}).problems == ("budget-madds: states other figures than those recorded",)
    broken = claims_page([replace(each, problem="no such network")], {})
    assert broken.problems == ("budget-madds: cannot be recomputed: no such network",)
    assert "no such network" in broken.text


def test_a_check_that_disagrees_or_cannot_be_run_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = count(seq(Conv2d(4, 3)), (3, 8, 8))
    found = [Finding("torch", "parameters", 1, "0: 7 and not 112"), Finding("fvcore", "flops", 2)]
    monkeypatch.setattr(cross_check, "check", lambda *_, **__: found)
    page = network_page(counted, "x", lambda _: None)
    assert page.problems == ("sequence of 1: torch, parameters: 0: 7 and not 112",)
    assert "something disagrees" in page.summary
    assert "| torch | parameters | 1 | 0: 7 and not 112 |" in page.text

    def fails(*_: object, **__: object) -> list[Finding]:
        raise TargetError("it cannot be built here")

    monkeypatch.setattr(cross_check, "check", fails)
    page = network_page(counted, "x", lambda _: None)
    assert page.problems == ("sequence of 1: it cannot be built here",)
    assert "not checked" in page.summary
    assert "it cannot be built here" in page.text


def test_names_are_kept_from_markdown() -> None:
    counted = replace(count("stem", width=0.1), label="nets.py:_net_:kind=-->[a](b)<i>")
    (page,) = page_of(counted, lambda _: None)
    head, _, title = page.text.split("\n")[:3]
    assert head.count("-->") == 1
    assert title == r"# nets.py:\_net\_:kind=-->\[a](b)\<i>"
    assert r"of nets.py:\_net\_:kind=-->\[a\](b)\<i>](" in page.text
    assert page.file == "nets.py-_net_-kind-a-b-i.md"


def test_a_network_that_costs_nothing_has_no_pictures() -> None:
    page = network_page(count(seq(ReLU()), (3, 4, 4)), "x", lambda _: None)
    assert page.pictures == ()
    assert "Nothing in it costs multiply-adds, parameters or activations." in page.text


def test_what_runs_in_training_only_is_told_wherever_it_is_counted() -> None:
    (page,) = page_of(count("inception_v3", aux=True, width=0.05), lambda _: None)
    assert page.text.count("training only: aux; in inference ") == 4
    assert all("training only: aux" in each.data.title for each in page.pictures)


@pytest.mark.parametrize("label", ["n" * 400, "nets.py:" + "é" * 300])
def test_names_of_files_fit_into_a_folder(label: str) -> None:
    name = file_name(label)
    assert len(f"{name}_modules.png".encode()) < 255
    assert name != file_name(f"{label}x")


@pytest.mark.parametrize(
    ("label", "shown", "name"),
    [
        ("inception_v3", "inception_v3", "inception_v3"),
        ("inception_v3:width=0.5,branch_5x5=3x3+3x3", None, "inception_v3-width-0.5-branch_5x5-3x3+3x3"),
        ("/somewhere/else/nets.py:mine:n=3", "nets.py:mine:n=3", "nets.py-mine-n-3"),
        ("../nets.py:mine", "nets.py:mine", "nets.py-mine"),
        ("1xn+nx1 of /some/nets.py:mine", "1xn+nx1 of nets.py:mine", "1xn+nx1-of-nets.py-mine"),
        ("/some/dir/net.ONNX", "net.ONNX", "net.ONNX"),
        ("/some/dir/net.pt2:batch=2", "net.pt2:batch=2", "net.pt2-batch-2"),
        ("package.module:net", None, "package.module-net"),
        ("sequence of 3", None, "sequence-of-3"),
        ("...", None, "network"),
    ],
)
def test_labels_without_folders_and_names_of_files(label: str, shown: str | None, name: str) -> None:
    assert without_folder(label) == (shown or label)
    assert file_name(label) == name


def test_a_network_of_ones_own_gets_the_same_page() -> None:
    counted = replace(count("stem", width=0.25), label="/somewhere/nets.py:mine")
    (page,) = page_of(counted, lambda _: None, depth=2)
    assert page.file == "nets.py-mine.md"
    assert page.text.startswith(f"{OURS} nets.py:mine: it is")
    assert "somewhere" not in page.text
    assert "| conv_1a.conv | conv2d 3x3/2 |" in page.text
    headings = re.findall(r"^## .*$", page.text, re.MULTILINE)
    assert headings == [
        "## By module",
        "## By grid",
        "## By kernel and by kind of operation",
        "## Cross-check",
    ]
    assert [each.name for each in page.pictures] == ["nets.py-mine_modules", "nets.py-mine_grids"]
    assert network.CHECKED in page.text

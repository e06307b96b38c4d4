"""The pages in a browser: what they show, and what keys, clicks and choices do."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import costlab
from costlab.algebra import Linear, add, seq
from costlab.counting.convention import GRAPHS, conventions
from costlab.counting.count import Count
from costlab.counting.row import human
from costlab.report.html.network import html_page
from tests.report.html.browser import PROGRAM, Open, Window
from tests.report.html.reading import NAMES, Odd

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium on this machine")


def test_the_totals_are_those_of_the_count_under_every_convention(show: Open, inception: Count) -> None:
    with show(inception) as tab:
        assert tab.text("h1") == "inception_v3"
        assert tab.text("[data-total=cost]") == "5,713,216,096"
        assert tab.text("[data-total=parameters]") == "23,834,568"
        assert tab.text("[data-total=activations]") == "8,968,488"
        assert tab.text("#totals dd.few") == "5.71 G"
        shown = tab.page.evaluate(
            """() => Object.fromEntries([...document.getElementById("convention")].map(({ value }) => {
              const choice = document.getElementById("convention");
              choice.value = value;
              choice.dispatchEvent(new Event("change"));
              const root = document.querySelector("#modules tbody .c-cost .exact").textContent;
              return [value, [document.querySelector("[data-total=cost]").textContent, root]];
            }))"""
        )
    names = [name for name, by in conventions().items() if by.of != GRAPHS]
    assert shown == {name: [f"{inception.under(name).cost:,}"] * 2 for name in names}


def test_the_table_opens_by_the_keys_of_a_treegrid(show: Open, inception: Count) -> None:
    top = [node.name for node in inception.root.children]
    with show(inception) as tab:
        assert tab.rows()[0] == (1, "inception_v3", "true")
        assert tab.names()[1:] == top
        tab.page.locator("#modules tbody tr").first.focus()
        tab.press("ArrowDown", "ArrowRight")
        stem = [node.name for node in inception.root.children[0].children]
        assert tab.names()[1 : 2 + len(stem)] == ["stem", *stem]
        assert tab.focused() == "stem"
        tab.press("ArrowRight")
        assert tab.focused() == "conv_1a"
        tab.press("*")
        opened_rows = [name for level, name, is_open in tab.rows() if level == 3 and is_open == "true"]
        assert opened_rows == [node.name for node in inception.root.children[0].children if node.children]
        tab.press("End")
        assert tab.focused() == "head"
        tab.press("Home", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowLeft", "ArrowLeft")
        assert (tab.focused(), tab.rows()[1]) == ("stem", (2, "stem", "false"))
        tab.press("Enter")
        assert tab.rows()[1] == (2, "stem", "true")
        tab.press("ArrowLeft", "ArrowLeft", "Enter")
        assert tab.rows() == [(1, "inception_v3", "false")]
        row = tab.page.locator("#modules tbody tr").first
        assert row.get_attribute("aria-selected") == "true"
        assert row.get_attribute("role") == "row"
        assert tab.page.locator("#modules").get_attribute("role") == "treegrid"


def test_columns_sort_within_modules_and_over_all_operations(show: Open, inception: Count) -> None:
    rows = {row.path: row for row in inception.modules(1)}
    by_size = sorted(rows, key=lambda path: -int(rows[path].work.parameters))
    operations = sorted(inception.rows, key=lambda row: -int(row.work.parameters))
    with show(inception) as tab:
        head = tab.page.locator("#modules [data-sort=parameters]")
        head.click()
        assert tab.names()[1:] == by_size
        assert tab.page.locator("#modules .c-parameters").first.get_attribute("aria-sort") == "descending"
        places = tab.page.evaluate(
            """() => [...document.querySelectorAll("#modules [aria-level='2']")].map(
            (row) => [row.ariaPosInSet, row.ariaSetSize])"""
        )
        assert places == [[str(at + 1), str(len(rows))] for at in range(len(rows))]
        head.click()
        assert tab.names()[1:] == sorted(rows, key=lambda path: int(rows[path].work.parameters))
        head.click()
        assert tab.names()[1:] == [*rows]
        head.click()
        tab.page.check("#flat")
        assert len(tab.rows()) == len(operations)
        assert tab.names()[0] == operations[0].path
        shown = tab.page.locator("#modules tbody .c-parameters .exact").all_text_contents()
        assert shown == [f"{row.work.parameters:,}" for row in operations]


@pytest.mark.slow
def test_a_search_leaves_what_it_finds(show: Open, inception: Count) -> None:
    with show(inception) as tab:
        tab.page.fill("#search", "Max_Pool")
        found = [row.path for row in inception.rows if row.work.kind == "max_pool2d"]
        assert tab.text("#found") == f"{len(found)} modules"
        assert sum(name == "pool" or name.startswith("pool_") for name in tab.names()) == len(found)
        tab.page.fill("#search", "mixed_5b.b1x1.conv")
        assert tab.names() == ["inception_v3", "mixed_5b", "b1x1", "conv"]
        tab.page.fill("#search", "b5x5")
        assert tab.text("#found") == "3 modules"
        tab.page.locator("#modules tr:has-text('b5x5') .toggle").first.click()
        assert tab.names()[:5] == ["inception_v3", "mixed_5b", "b5x5", "0", "1"]
        tab.page.check("#flat")
        tab.page.fill("#search", "b3x3.0")
        assert tab.text("#found") == f"{len(tab.rows())} modules"
        assert all("b3x3.0." in name for name in tab.names())
        tab.page.uncheck("#flat")
        tab.page.fill("#search", "no such thing")
        assert tab.rows() == []
        assert tab.text("#modules tbody") == "Nothing fits."


@pytest.mark.slow
def test_the_picture_zooms_and_selects_in_the_table_and_the_other_way_round(
    show: Open, inception: Count
) -> None:
    kernels = {row.path: row for row in inception.rows}
    with show(inception) as tab:
        cell = tab.page.locator("#icicle-0 .cell:has-text('mixed_6e')").first
        cell.click()
        assert tab.text("#path") == "inception_v3\nmixed_6e"
        assert tab.text("#label-0") == "617,914,368 multiply-adds"
        selected = tab.page.locator("#modules tbody [aria-selected=true]")
        assert selected.locator(".c-name bdi").inner_text() == "mixed_6e"
        assert tab.text("#details h2") == "mixed_6e"
        tab.page.locator("#icicle-0 [tabindex='0']").focus()
        tab.press("ArrowDown", "ArrowRight", "Enter", "Escape")
        assert tab.text("#path") == "inception_v3\nmixed_6e"
        tab.press("Escape")
        assert tab.text("#path") == "inception_v3"
        tab.page.locator("#modules tbody tr:has-text('stem')").first.click()
        assert tab.page.locator("#icicle-0 [aria-selected=true]").inner_text() == "stem"
        tab.page.select_option("#measure", "parameters")
        assert tab.text("#label-0") == "23,834,568 parameters"
        widths = tab.page.evaluate(
            """() => [...document.querySelectorAll("#icicle-0 .cell[aria-level='2']:not(.several)")].map(
            (cell) => [cell.textContent, parseFloat(cell.style.width)])"""
        )
        total = int(inception.parameters)
        for name, width in widths:
            own = sum(
                int(row.work.parameters) for path, row in kernels.items() if f"{path}.".startswith(f"{name}.")
            )
            assert width == pytest.approx(100 * own / total, rel=1e-4)


def test_a_phone_and_paper(show: Open) -> None:
    with show(costlab.count("mini"), size=(360, 740)) as tab:
        assert tab.page.evaluate("document.documentElement.scrollWidth") == 360
        cost = tab.page.locator("#modules tbody .c-cost").first
        assert cost.inner_text() == "31.49 M"
        assert cost.locator("[aria-hidden]").count() == 0
        assert "No room for: " in tab.text("#left-out")
        tab.page.set_viewport_size({"width": 1400, "height": 740})
        tab.page.locator("#modules th.c-output").wait_for()
        assert tab.text("#left-out") == ""
        tab.page.emulate_media(media="print")
        tab.page.locator("#modules tbody tr").nth(150).wait_for(state="attached")
        assert not tab.page.locator("#search").is_visible()
        tab.page.emulate_media(media="screen")
        tab.page.locator("#modules tbody tr").nth(40).wait_for(state="detached")


@pytest.mark.slow
def test_without_javascript_the_table_stands_there(browser: Any, inception: Count, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(html_page(inception), "utf-8")
    with Window(browser, java_script_enabled=False).opened(file) as tab:
        assert "617,914,368" in tab.text(".static-only table")
        assert "5,713,216,096" in tab.text("#totals")
        assert not tab.page.locator("#search").is_visible()


def test_sizes_are_rounded_as_in_the_tables_of_costlab(show: Open) -> None:
    layers = seq(large=Linear(15, bias=False), small=Linear(5, bias=False))
    counted = costlab.count(layers, (75,))
    rows = [dict(zip(["few", "share"], each, strict=True)) for each in (("1.12 k", "93.8%"), ("75", "6.2%"))]
    assert [
        {"few": human(int(row.cost)), "share": f"{int(row.cost) / 1200:.1%}"} for row in counted.rows
    ] == rows
    with show(counted) as tab:
        shown = [
            {
                "few": tab.page.locator("#modules .c-cost .few").nth(place).text_content(),
                "share": tab.page.locator("#modules .c-share .of").nth(place).text_content(),
            }
            for place in (1, 2)
        ]
    assert shown == rows


def test_in_a_flat_list_each_operation_has_its_own_the_last_join_too(show: Open) -> None:
    counted = costlab.count(add(one=Linear(4, bias=False), other=Linear(4, bias=False)), (3,))
    with show(counted) as tab:
        tab.page.check("#flat")
        sizes = tab.page.locator("#modules tbody .c-cost .exact").all_text_contents()
    assert sizes == ["0", "12", "12"]


def test_names_of_any_kind_are_shown_and_run_nothing(show: Open) -> None:
    odd = costlab.count(Odd(), torch.zeros(1, 3, 4, 4))
    with show(odd) as tab:
        assert tab.names()[1:3] == [*NAMES[:2]]
        assert tab.names()[3].startswith("\\u{202e}")
        tab.page.click("#open-all")
        assert len(tab.rows()) == 1 + len(NAMES) + 1 + 40
        assert max(level for level, *_ in tab.rows()) == 42
        assert tab.page.evaluate("document.documentElement.scrollWidth") == 1400
        tab.page.fill("#search", "<img")
        assert tab.text("#modules mark") == "<img"
        assert tab.page.locator("img").count() == 0


@pytest.mark.slow
def test_a_module_of_twenty_thousand_rows_stays_quick(show: Open) -> None:
    layers = (nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.LayerNorm(16)) for _ in range(5_000))
    counted = costlab.count(nn.Sequential(*layers), torch.zeros(1, 16))
    with show(counted) as tab:
        tab.page.click("#open-all")
        assert tab.page.locator("#modules").get_attribute("aria-rowcount") == "20002"
        assert len(tab.rows()) < 300
        tab.page.locator("#modules tbody tr").first.focus()
        tab.press("End")
        assert tab.focused() == "2"
        last = tab.page.locator("#modules [aria-rowindex='20002']")
        assert last.get_attribute("aria-selected") == "true"
        tab.press("ArrowUp", "ArrowUp", "ArrowUp")
        assert tab.focused() == "4999"
        tab.press("Home")
        assert tab.rows()[0][0] == 1
        tab.page.mouse.wheel(0, 300_000)  # out of sight, the module that is selected keeps the keys
        tab.page.locator("#modules [aria-rowindex='10001']").wait_for()
        tab.press("ArrowDown")
        assert tab.page.evaluate("document.activeElement.ariaRowIndex") == "3"
        tab.press("Home")
        tab.page.emulate_media(media="print")
        tab.page.locator("#modules tbody tr").nth(2999).wait_for(state="attached")
        assert tab.text("#left-out") == "17,001 more rows are not printed."
        tab.page.emulate_media(media="screen")
        tab.page.locator("#modules tbody tr").nth(2000).wait_for(state="detached")
        tab.page.fill("#search", "4321.1")
        assert tab.names()[1:] == ["4321", "1"]

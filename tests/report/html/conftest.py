"""A browser for the tests of pages: one window for all of them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

import costlab
from costlab.counting.count import Count
from costlab.report.html.network import html_page
from tests.report.html.browser import Open, Tab, Window, chromium


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="package")
def show(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Open:
    """``show(result)``: its page in the window."""
    folder = tmp_path_factory.mktemp("pages")
    results: list[Any] = []
    window = Window(browser)

    def opening(result: Any, **looks: Any) -> AbstractContextManager[Tab]:
        if result not in results:
            results.append(result)
            (folder / f"{len(results) - 1}.html").write_text(html_page(result), "utf-8")
        return window.opened(folder / f"{results.index(result)}.html", **looks)

    return opening


@pytest.fixture(scope="package")
def inception() -> Count:
    return costlab.count("inception_v3")

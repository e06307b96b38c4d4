"""A Chromium of the system for a few tests: started once, and everything that a page complains of is kept."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)


class Tab:
    """A page in a window of its own, with what it logged, what it asked for, and what it did not catch."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self._dismiss)
        page.on("request", lambda request: self.requests.append(request.url))

    def _dismiss(self, dialog: Any) -> None:
        self.complaints.append(dialog.message)
        dialog.dismiss()

    def text(self, selector: str) -> str:
        """The text of the first element."""
        return str(self.page.locator(selector).first.inner_text())

    def rows(self) -> list[tuple[int, str, str | None]]:
        """The rows of the table: level, name of the module, and whether it is open."""
        found: list[tuple[int, str, str | None]] = [
            tuple(each)
            for each in self.page.evaluate(
                """() => [...document.querySelectorAll("#modules tbody [data-row]")].map((row) =>
                [+row.ariaLevel, row.querySelector(".c-name bdi").textContent, row.ariaExpanded])"""
            )
        ]
        return found

    def names(self) -> list[str]:
        """The names in the rows."""
        return [name for _, name, _ in self.rows()]

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def focused(self) -> str:
        """The name in the row that has the focus."""
        return str(self.page.evaluate("document.activeElement.querySelector('.c-name bdi')?.textContent"))


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=[*FLAGS])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Any, file: Path, **window: Any) -> Iterator[Tab]:
    """A page in a new window: it complains of nothing, and asks for nothing but itself."""
    context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}} | window)
    try:
        tab = Tab(context.new_page())
        tab.page.set_default_timeout(5_000)
        tab.page.goto(file.as_uri())
        yield tab
        assert tab.complaints == []
        assert [url for url in tab.requests if not url.startswith("data:")] == [file.as_uri()]
    finally:
        context.close()

"""A Chromium of the system for a few tests: started once, and everything that a page complains of is kept."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
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


class Window:
    """One window, which shows one page after the other: a new one for each would take three times as long."""

    def __init__(self, browser: Any, **settings: Any) -> None:
        self.context = browser.new_context(**settings)
        self.tab = Tab(self.context.new_page())
        self.tab.page.set_default_timeout(5_000)

    @contextmanager
    def opened(self, file: Path, size: tuple[int, int] = (1400, 900), scheme: str = "light") -> Iterator[Tab]:
        """A page, with nothing kept of the one before: it complains of nothing, and asks for itself alone."""
        tab = self.tab
        tab.complaints.clear()
        tab.requests.clear()
        tab.page.set_viewport_size({"width": size[0], "height": size[1]})
        tab.page.emulate_media(media="screen", color_scheme=scheme)
        tab.page.goto(file.as_uri())
        yield tab
        assert tab.complaints == []
        assert [url for url in tab.requests if not url.startswith("data:")] == [file.as_uri()]


Open = Callable[..., AbstractContextManager[Tab]]
"""``show(result)``: its page in the window."""

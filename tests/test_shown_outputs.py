"""Pages and what documents show of commands: as they would be written now, by this process."""

import os
import re
import subprocess
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from costlab.cli.main import main
from costlab.report import documents, evidence
from costlab.report.page import Page
from costlab.report.pages import advice, exploration, factorization, hardware
from tests.cli.conftest import Run, run
from tests.test_documents import CONSOLE, ROOT, TEXT

__all__ = ["run"]


class AtOnce(Executor):
    """Runs what it is given before it goes on."""

    def __init__(self, workers: int | None) -> None:
        assert workers == os.cpu_count()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_result(function(*args, **kwargs))
        return future


def run_here(words: list[str], folder: Path, _: object) -> "subprocess.CompletedProcess[str]":
    """Run a command that a document shows in this process, which has loaded what takes seconds."""
    assert folder == ROOT == Path.cwd()
    streams = [TextIOWrapper(BytesIO(), "utf-8") for _ in range(2)]
    with redirect_stdout(streams[0]), redirect_stderr(streams[1]), pytest.raises(SystemExit) as ended:
        main(words)
    for stream in streams:
        stream.seek(0)
    assert isinstance(ended.value.code, int)
    return subprocess.CompletedProcess(words, ended.value.code, *(stream.read() for stream in streams))


def test_the_reports_and_the_outputs_shown_here_are_as_they_would_be_written(
    pages: tuple[Page, ...], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process, and with the pages that take long as other tests ask for them."""
    monkeypatch.chdir(ROOT)
    for name in documents.SIZED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(documents, "ThreadPoolExecutor", AtOnce)
    monkeypatch.setattr(documents, "_execute", run_here)
    made = {page.name: page for page in pages}
    monkeypatch.setattr(evidence, "network_page", lambda *_: made[evidence.NETWORK])
    for module in (factorization, exploration, hardware, advice):
        monkeypatch.setattr(module, f"{module.NAME}_page", lambda _, name=module.NAME: made[name])
    done = run("report", "--check")
    said = "reports: all is as it would be written, 12 pages with pictures\n"
    assert (done.code, done.out) == (0, said), done.err
    shown = {line for inside in CONSOLE.findall(TEXT) for line in inside.splitlines() if line[:2] == "$ "}
    ran = re.findall(r"^done: (?:README|docs/[\w-]+)\.md: (costlab .*)$", done.err, re.MULTILINE)
    assert sorted(f"$ {command}" for command in ran) == sorted(shown)
    assert len(shown) > 20

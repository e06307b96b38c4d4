"""What every process of the tests needs: one thread, and signals that end it, whatever started it.

Tests run side by side, and threads beyond the cores wait for each other. A shell has what it starts in the
background ignore an interrupt, which the commands that tests interrupt would inherit.
"""

import gc
import os
import pickle
import signal
from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from costlab.report.page import Page

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported, and for the processes that tests start
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    with suppress(ValueError):  # in another thread than the main one
        signal.signal(number, handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is loaded now stays: the search for garbage leaves it out, or would look through it each time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)  # traces and pictures make many objects, of which few are in circles
        gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a GPU where torch finds none."""
    if item.get_closest_marker("cuda"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs an NVIDIA GPU, and torch finds none here")


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> "tuple[Page, ...]":
    """The pages of the evidence, in the order in which they are made: once, however many workers ask."""
    from filelock import FileLock

    if worker_id == "master":  # the only one
        return _evidence()
    file = tmp_path_factory.getbasetemp().parent / "pages.pickle"
    with FileLock(file.with_suffix(".lock")):
        if not file.is_file():
            file.write_bytes(pickle.dumps(_evidence()))
        made: tuple[Page, ...] = pickle.loads(file.read_bytes())
    return made


def _evidence() -> "tuple[Page, ...]":
    from costlab.report.evidence import evidence

    return tuple(evidence(lambda _: None))

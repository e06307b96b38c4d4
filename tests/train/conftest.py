"""What whole runs need beforehand and is the same for all of them, and what most of them can do without."""

from functools import cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext

import pytest

from costlab.train import pool, run, synthetic

IMAGES = cache(synthetic.images)


@pytest.fixture
def images_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the images of a seed once for all tests: they are the same each time, as other tests show."""
    monkeypatch.setattr(synthetic, "images", IMAGES)


@pytest.fixture
def untimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the timings, for which a run starts a worker and one more for each arm."""
    monkeypatch.setattr(run, "_measure_timings", lambda *_: {})


@pytest.fixture
def preloaded_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork workers from a process that has loaded torch; that they can be started anew, other tests show."""
    monkeypatch.setattr(pool, "get_context", lambda _: forkserver())


@cache
def forkserver() -> ForkServerContext:
    """Starts processes that have loaded what takes seconds."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["torch._dynamo", "costlab.train.worker"])  # what the first step loads
    return context

"""What whole runs need beforehand and is the same for all of them, and what most of them can do without."""

from functools import cache

import pytest

from costlab.train import run, synthetic

IMAGES = cache(synthetic.images)


@pytest.fixture
def images_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the images of a seed once for all tests: they are the same each time, as other tests show."""
    monkeypatch.setattr(synthetic, "images", IMAGES)


@pytest.fixture
def untimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the timings, for which a run starts a worker and one more for each arm."""
    monkeypatch.setattr(run, "_measure_timings", lambda *_: {})

"""The command runs here as in its own tests; claims that a test takes away come back in their order."""

from collections.abc import Iterator

import pytest

from costlab.paper import CLAIMS
from tests.cli.conftest import Run, run

__all__ = ["Run", "run"]


@pytest.fixture(autouse=True)
def claims_in_their_order() -> Iterator[None]:
    """An undone ``monkeypatch.delitem`` leaves an item at the end, where other tests see it."""
    before = dict(CLAIMS)
    yield
    CLAIMS.clear()
    CLAIMS.update(before)

"""What takes long to make and is only read: the evidence."""

import pytest

from costlab.report.evidence import evidence
from costlab.report.page import Page


@pytest.fixture(scope="session")
def pages() -> tuple[Page, ...]:
    """The pages of the evidence, in the order in which they are made."""
    return tuple(evidence(lambda _: None))

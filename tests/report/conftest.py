"""What takes long to make and is only read: the evidence."""

import pickle

import pytest
from filelock import FileLock

from costlab.report.evidence import evidence
from costlab.report.page import Page


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> tuple[Page, ...]:
    """The pages of the evidence, in the order in which they are made: once, however many workers ask."""
    if worker_id == "master":  # the only one
        return tuple(evidence(lambda _: None))
    file = tmp_path_factory.getbasetemp().parent / "pages.pickle"
    with FileLock(file.with_suffix(".lock")):
        if not file.is_file():
            file.write_bytes(pickle.dumps(tuple(evidence(lambda _: None))))
        made: tuple[Page, ...] = pickle.loads(file.read_bytes())
    return made

"""What whole runs need beforehand, as in `tests.train`."""

from tests.train.conftest import images_once, preloaded_workers, untimed

__all__ = ["images_once", "preloaded_workers", "untimed"]

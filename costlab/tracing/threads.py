"""Threads that a model starts: a trace follows the one that it runs in, and says so of others."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from costlab.errors import TargetError
from costlab.tracing.stand_in import STRAYED, StrayedError


@contextmanager
def followed_in_one_thread(title: str) -> Iterator[None]:
    """Say of a model that runs in other threads, too, also where it goes on without what comes of these.

    Raises:
        TargetError: a stand-in was used in another thread.
    """
    told = threading.excepthook

    def tell(error: Any) -> None:
        if not issubclass(error.exc_type, StrayedError):
            told(error)

    threading.excepthook = tell
    STRAYED[:] = [threading.get_ident()]
    strayed = f"{title}: some of it runs in another thread, where a count does not follow it"
    try:
        yield
    except Exception as error:
        if STRAYED[1:]:
            raise TargetError(strayed) from error
        raise
    else:
        if STRAYED[1:]:
            raise TargetError(strayed) from STRAYED[1]
    finally:
        STRAYED.clear()
        threading.excepthook = told

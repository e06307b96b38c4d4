"""The messages between a pool and its workers."""

from pathlib import Path
from typing import NamedTuple

DIED, READY, BROKEN, FAILED = "died", "ready", "broken", "failed"
"""Events of a worker besides answers: it died, is ready, cannot start, or could not do a request."""


class WorkerSettings(NamedTuple):
    """The settings of workers: device, number, seconds between checkpoints, and the identity of the plan."""

    folder: Path
    device: str
    workers: int
    every: float
    identity: str
    compiled: bool | None = None

"""What a pool and its workers say to each other."""

from pathlib import Path
from typing import NamedTuple

DIED, READY, BROKEN, FAILED = "died", "ready", "broken", "failed"
"""What is heard of a worker besides what it does: it cannot begin, or cannot do what it was asked."""


class WorkerSettings(NamedTuple):
    """How workers work: on which device, how many, how often they save, in seconds, and at which plan."""

    folder: Path
    device: str
    workers: int
    every: float
    identity: str
    compiled: bool | None = None

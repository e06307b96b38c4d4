"""A session on a device: where it writes, how long it may take, and the processes that it starts."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
GRACE = 10.0
"""Seconds that a process has after an interrupt, before it is killed."""
RESERVE = 15.0
"""Seconds at the end that no part takes."""


class PartError(Exception):
    """A part failed; the message says why, in a line. ``lines`` are what it found before."""

    def __init__(self, message: str, lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.lines = lines


class Scale(NamedTuple):
    """How large everything is: for a GPU, or so small that a test of this command can run it on a CPU."""

    experiment: str
    preset: str
    settings: tuple[str, ...]
    """Words for `costlab train`, beside images, epochs and seeds."""
    trial_images: int
    """Images of the short run by which the other one is sized."""
    images: int
    epochs: int
    seeds: int
    """The most of each."""
    batch: int
    benchmark: tuple[str, ...]
    resume: Mapping[str, Any]
    network: str


FULL = Scale(
    "paper",
    "full",
    (),
    5120,
    50_000,
    40,
    3,
    256,
    ("--preset", "full", "--epochs", "4", "--images", "6400"),
    {},
    "inception_v3",
)
TINY = Scale(
    "large_5x5",
    "smoke",
    ("--width", "0.25", "--set", "batch_size=16"),
    64,
    64,
    2,
    1,
    16,
    ("--preset", "smoke", "--epochs", "1", "--images", "512", "--width", "0.25"),
    {"width": 0.25, "side": 16, "batch": 8, "images": 40, "epochs": 2},
    "stem",
)


@dataclass
class Session:
    """What the parts are given. ``until`` is when, on the monotonic clock, the last one has to end."""

    device: str
    data: str
    folder: Path
    scale: Scale
    until: float
    note: Callable[[str], None] = field(default=lambda _: None)

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.until - RESERVE - monotonic()

    def run(self, part: str, words: Sequence[str], seconds: float) -> str:
        """Run a module of Python for a part, its output into the part's log; returns what it printed.

        Raises:
            PartError: it failed, or took longer than that, or than what is left.
        """
        seconds = min(seconds, self.left)
        if seconds <= 0:
            raise PartError("no time was left")
        log = self.folder / f"{part}.log"
        threads = {"OMP_NUM_THREADS": "1"} if self.device == "cpu" else {}  # so small, more only wait
        environment = {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(_path())}
        with log.open("ab") as out:
            out.write(f"$ python -m {' '.join(words)}\n".encode())
            out.flush()
            start = out.tell()
            process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                raise PartError(f"it was ended after {seconds:.0f} s") from None
            finally:
                _end(process)
        told = log.read_bytes()[start:].decode("utf-8", "replace")
        if code:
            last = next((line for line in reversed(told.splitlines()) if line.strip()), "it said nothing")
            raise PartError(f"exit {code}: {last.strip()}")
        return told


def missing(packages: Sequence[str]) -> tuple[str, ...]:
    """The packages of these that cannot be imported here."""
    return tuple(name for name in packages if find_spec(name) is None)


def _path() -> list[str]:
    return [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and what it started: asked first, so that it may leave what it has."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # itself, or what it left behind
    process.wait()

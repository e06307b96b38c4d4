"""A command that is killed at some moment, and what is held against it."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from costlab.files import PART

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
PROGRESS = re.compile(r"making |training: |done: |checking: |timing the steps$|.*: done$")
SECONDS = 20.0
"""The most that a command may take to end, on a machine that is busy."""
TIMES = {"seconds", "images_per_second", "timing", "revision"}
"""Fields of a record that differ from run to run; the revision does where somebody commits meanwhile."""


class Kill(NamedTuple):
    """A signal after so many seconds: to the process, or to all of its processes, as from a terminal."""

    after: float
    number: signal.Signals
    group: bool


class Ended(NamedTuple):
    """How a command ended: its exit status, what it printed, and the seconds since the signal.

    ``begun`` is false if it was killed before any code of costlab ran: then Python ends as it does.
    """

    status: int
    out: str
    errors: str
    seconds: float
    begun: bool


def run(args: list[str], folder: Path, kill: Kill | None = None) -> Ended:
    """Run costlab in a folder, and perhaps kill it. It has ended when none of its processes is left."""
    child = subprocess.Popen(
        [sys.executable, "-m", "costlab", *args],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    begun = True
    if kill is not None:
        with suppress(subprocess.TimeoutExpired):
            child.wait(kill.after)
        if child.poll() is None:
            begun = _takes_signals(child.pid)
            (os.killpg if kill.group else os.kill)(child.pid, kill.number)
    began = monotonic()
    try:
        out, errors = child.communicate(timeout=SECONDS if kill else 300)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        out, errors = child.communicate()
        errors += f"{args} went on after {kill}"
    return Ended(child.returncode, out, errors, monotonic() - began, begun)


def _takes_signals(process: int) -> bool:
    """Whether a process catches or ignores SIGTERM, as the system says."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return any(int(status[name], 16) >> (signal.SIGTERM - 1) & 1 for name in ("SigCgt", "SigIgn"))


def faults(ended: Ended, kill: Kill, folder: Path) -> list[str]:
    """What is wrong with the way a command ended that was killed."""
    told = [line for line in ended.errors.splitlines() if not PROGRESS.match(line)]
    found = []
    by_kill = kill.number == signal.SIGKILL and ended.status == -signal.SIGKILL
    if not ended.begun:
        return [f"left {left}"] if (left := parts(folder)) else []
    if not (by_kill or ended.status in (0, 130)):
        found.append(f"exit {ended.status}")
    if told and (len(told) > 1 or not told[0].startswith("costlab: error: interrupted")):
        found.append(f"told {told}")
    if ended.status == 130 and not told:
        found.append("not told")
    if not by_kill and (left := parts(folder)):
        found.append(f"left {left}")
    if ended.seconds > SECONDS:
        found.append(f"{ended.seconds:.0f} s")
    return found


def parts(folder: Path) -> list[str]:
    """The incomplete files below a folder."""
    return [str(file.relative_to(folder)) for file in folder.rglob(f"{PART}*")]


def without_times(record: Path) -> Any:
    """A record without what differs from run to run."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: strip(part) for name, part in value.items() if name not in TIMES}
        return [strip(part) for part in value] if isinstance(value, list) else value

    return strip(json.loads(record.read_text()))

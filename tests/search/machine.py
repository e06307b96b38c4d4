"""What another machine does that trains members of a space along: a process of its own, with its workers."""

import os
import sys
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from costlab.cli.train_progress import ProgressLines
from costlab.search import Growth, Members, read_written
from costlab.train import pool, storage, study
from costlab.train.prepare import RunRequest, make_plan, save_plan
from costlab.train.protocol import WorkerSettings
from costlab.train.run import lock_folder, train_plan

SPACE = read_written("mini width=0.05:0.2:0.05 large small modules_12=0:1")
ASKED = RunRequest(
    "mini", "smoke", "synthetic", 1, ("epochs=1", "batch_size=16"), None, 48, True, words=("--space", "x")
)


def members(search: str) -> Members:
    """Eight members, drawn or searched for in generations of two."""
    return Members((SPACE,), 8, seed=1, search=search, where=("multiply_adds < 2e6",))


def work(folder: Path, url: str, search: str, lines: "Connection[str, str]") -> None:
    """Train in a folder what the database leaves; what is told goes to ``lines``."""
    sys.stderr = os.fdopen(os.dup(lines.fileno()), "w", buffering=1)
    lines.close()
    instead: tuple[tuple[Any, str, Any], ...] = (
        (storage, "BEAT", 1),
        (study, "BEAT", 1),
        (pool, "get_context", lambda _: get_context("forkserver")),  # it has loaded torch
    )
    for module, name, value in instead:
        setattr(module, name, value)
    observer = ProgressLines()
    plan, dataset = make_plan(ASKED, observer.note, members(search))
    with lock_folder(folder):
        save_plan(plan, dataset, folder)
        settings = WorkerSettings(folder, "cpu", 1, 1.0, plan.identity)
        grow = Growth(plan, folder, observer.note)
        record = train_plan(plan, settings, observer, url, grace=6, grow=grow)
    assert [trial.failure for trial in record.trials] == [""] * len(record.arms)

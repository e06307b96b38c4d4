"""What another machine would do that trains a run along: a process of its own, with workers of its own."""

import os
import sys
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from costlab.cli.train_progress import ProgressLines
from costlab.train import pool, run, storage, study
from costlab.train.prepare import RunRequest, make_plan, save_plan
from costlab.train.protocol import WorkerSettings
from costlab.train.run import lock_folder, train_plan

ASKED = RunRequest("large_5x5", "smoke", "synthetic", 3, ("epochs=2", "batch_size=16"), 0.125, 64)


def work(folder: Path, url: str, lines: "Connection[str, str]") -> None:
    """Train in a folder what the database leaves; what is told goes to ``lines``."""
    sys.stderr = os.fdopen(os.dup(lines.fileno()), "w", buffering=1)
    lines.close()
    instead: tuple[tuple[Any, str, Any], ...] = (
        (storage, "BEAT", 1),
        (study, "BEAT", 1),
        (run, "_measure_timings", lambda *_: {}),
        (pool, "get_context", lambda _: get_context("forkserver")),  # it has loaded torch
    )
    for module, name, value in instead:
        setattr(module, name, value)
    observer = ProgressLines()
    plan, dataset = make_plan(ASKED, observer.note)
    with lock_folder(folder):
        save_plan(plan, dataset, folder)
        settings = WorkerSettings(folder, "cpu", 1, 1.0, plan.identity)
        record = train_plan(plan, settings, observer, url, grace=6)
    assert [trial.failure for trial in record.trials] == [""] * 6
